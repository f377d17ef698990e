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
# # What was captured?
#
# What does this bundle hold, of which cluster and window, and what could not be read? With a profile the
# notebook captures first; this is the only one that may reach a server.

# %% tags=["parameters"]
bundle = ""  # bundle to read: NAME.incident or .zip; empty for the sample incident
profile = ""  # capture with this profile of incident-kit.toml; empty reads the bundle
start = "-2h"  # start of the window to capture: RFC 3339 with zone, or relative to now
end = "now"  # end of the window to capture
output = "capture.incident"  # bundle that a capture writes

# %% [markdown]
# ## Evidence

# %%
import incident_kit
from incident_kit.present import open_bundle, plot_timeline, show
from incident_kit.profile import load_profile

window = incident_kit.Window.parse(start, end)
if profile:
    bundle = incident_kit.capture(load_profile(profile), window, output)
evidence = open_bundle(bundle)
evidence

# %% [markdown]
# ## Of what, from when to when
#
# The window limits what is judged; what was captured around it is kept and searched.

# %%
about = evidence.manifest
show({"cluster": about.cluster, "window": str(about.window), "captured_at": about.captured_at})

# %% [markdown]
# ## How much
#
# Rows of each table. A table that is missing here was not captured; whether it was asked for is said at the end.

# %%
show(evidence.manifest.rows)

# %% [markdown]
# ## At a glance
#
# Changes, pods, logs and connections on one axis. Red is what never reached Elasticsearch.

# %%
plot_timeline(evidence)

# %% [markdown]
# ## What this does not show
#
# A bundle holds what the servers still knew. Events older than an hour, consoles of deleted pods and closed
# connections are gone unless an earlier bundle has them.
#
# What was asked for and not obtained, or is known to be incomplete:

# %%
show(evidence.gaps)

# %% [markdown]
# From when to when each side is known. Outside, an absent document means nothing:

# %%
show(evidence.coverage)
