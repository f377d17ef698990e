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
# # Trace a pod
#
# What is this pod: which application, node, address and version, since when, how often restarted and why, what did it
# log, what was it connected to, what changed around it? It may be gone by now.

# %% tags=["parameters"]
bundle = ""  # bundle to read: NAME.incident or .zip; empty for the sample incident
pod = ""  # NAME or namespace/NAME; empty for the first finding's pod

# %% [markdown]
# ## Evidence

# %%
import incident_kit
from incident_kit.present import chosen_pod, open_bundle, plot_lifetimes, plot_logs, show

evidence = open_bundle(bundle)
pod = chosen_pod(evidence, pod)
story = incident_kit.trace(pod, evidence)
pod, evidence

# %% [markdown]
# ## Who it is
#
# First and last sight, and where each is from. What is inferred (from a name, an owner) is not observed.

# %%
show(story["identity"])

# %% [markdown]
# ## What ran in it
#
# One row a container instance. An exit code of 137 is a kill (SIGKILL), 143 a stop that was asked for (SIGTERM).

# %%
show(story["instances"])

# %% [markdown]
# Images: the reference as written and the digest as run. One reference with two digests is a moved tag.

# %%
show(story["images"])

# %% [markdown]
# ## Its life beside its siblings
#
# Bars are instances, coloured by version; below them the log (grey), losses (red) and the RabbitMQ node.

# %%
plot_lifetimes(evidence, story["identity"].get("workload"))

# %% [markdown]
# ## What it logged
#
# In numbers, by level, version, template, verdict and cause. A template with entries and no documents did not arrive
# once.

# %%
show(story["logs"])

# %%
plot_logs(evidence, pod)

# %% [markdown]
# ## Which RabbitMQ node
#
# One row a connection, with the reason why it is this pod's.

# %%
show(story["rabbit"])

# %% [markdown]
# ## What changed around it
#
# Changes of the pod, of its workload and of what it reads; then those that came before each of its restarts.

# %%
show(story["changes"])

# %%
show(story["preceding"])

# %% [markdown]
# ## What the rules conclude

# %%
show(story["findings"])

# %% [markdown]
# ## What this does not show
#
# A pod that is gone is rebuilt from what outlives it. A fact without a source is not guessed; it is left out.
#
# What was asked for and not obtained, or is known to be incomplete:

# %%
show(evidence.gaps)

# %% [markdown]
# From when to when each side is known. Outside, an absent document means nothing:

# %%
show(story["coverage"])
