# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Which RabbitMQ node?
#
# Which node does the pod use, and which did it use then? Which queues, which channels; who else was on that node?

# %% tags=["parameters"]
bundle = ""  # bundle to read: NAME.incident or .zip; empty for the sample incident
pod = ""  # NAME or namespace/NAME; empty for the first finding's pod
rabbit_node = ""  # ask who was on this node; empty for the pod's own

# %% [markdown]
# ## Evidence

# %%
import incident_kit
from incident_kit.present import chosen_pod, open_bundle, plot_timeline, show

evidence = open_bundle(bundle)
pod = chosen_pod(evidence, pod)
connections = incident_kit.rabbit(pod, evidence)
nodes = [*connections["rabbit_node"].dropna().unique(), ""]
rabbit_node = rabbit_node or nodes[0]
pod, rabbit_node, evidence

# %% [markdown]
# ## The pod's connections
#
# One row a connection. `match` says why it is this pod's: by the client's own name for it, or by the address the pod
# held when it was opened. `ambiguous` names the candidates; it never picks one.

# %%
show(connections)

# %% [markdown]
# ## What it does there
#
# Channels, queues it consumes with their leaders, and messages not yet acknowledged, at capture. What none of its
# connections has is left out: a pod that only publishes consumes nothing.

# %%
show(connections[["rabbit_node", "connection", "state", "channel_count", "consumes", "messages_unacknowledged"]])

# %% [markdown]
# ## All connections over time
#
# The lowest lanes show how many were open on each node; a cross is one that ended badly.

# %%
plot_timeline(evidence)

# %% [markdown]
# ## Who else was on that node

# %%
show(incident_kit.rabbit_node(rabbit_node, evidence) if rabbit_node else connections)

# %% [markdown]
# ## What this does not show
#
# A connection that opened and closed between two looks is known only where the broker's log was captured.
# Behind a proxy or NAT an address is nobody's; then the answer says so.
#
# What was asked for and not obtained, or is known to be incomplete:

# %%
show(evidence.gaps)

# %% [markdown]
# From when to when each side is known. Outside, an absent document means nothing:

# %%
show(evidence.coverage)
