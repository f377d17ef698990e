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
# # Restarts and images
#
# Which container ended when, why, and which version ran in it before and after?

# %% tags=["parameters"]
bundle = ""  # bundle to read: NAME.incident or .zip; empty for the sample incident
workload = ""  # only the pods of this workload; empty for all

# %% [markdown]
# ## Evidence

# %%
import incident_kit
from incident_kit.present import open_bundle, plot_lifetimes, show

evidence = open_bundle(bundle)
restarts = incident_kit.restarts(evidence)
workload = workload or None
evidence

# %% [markdown]
# ## Lifetimes
#
# A bar is a container instance, its colour the version. An address marked * was held by more than one pod.

# %%
plot_lifetimes(evidence, workload)

# %% [markdown]
# ## Every instance that ended
#
# Restarts known only by their count have no times.

# %%
show(restarts, 200)

# %% [markdown]
# ## Why they ended

# %%
reasons = restarts.groupby(["reason", "exit_code", "meaning"], as_index=False, dropna=False).size()
show(reasons.rename(columns={"size": "instances"}))

# %% [markdown]
# ## Versions that ended
#
# The reference as written and the digest as run. One reference with two digests is a moved tag.

# %%
versions = restarts.groupby(["image", "image_digest"], as_index=False, dropna=False)
show(versions.agg(first_end=("time", "min"), last_end=("time", "max"), instances=("time", "size")))

# %% [markdown]
# ## What this does not show
#
# A pod's status remembers one earlier instance. Earlier ones are known from events (one hour) and from the
# kubelet's own files, if they were captured.
#
# What was asked for and not obtained, or is known to be incomplete:

# %%
show(evidence.gaps)

# %% [markdown]
# From when to when each side is known. Outside, an absent document means nothing:

# %%
show(evidence.coverage)
