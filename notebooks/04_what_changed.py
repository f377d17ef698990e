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
# # What changed?
#
# Syncs, images, config, network policies, restarts and jobs: done by whom, and undone by what?

# %% tags=["parameters"]
bundle = ""  # bundle to read: NAME.incident or .zip; empty for the sample incident

# %% [markdown]
# ## Evidence

# %%
import incident_kit
from incident_kit.present import open_bundle, plot_changes, show

evidence = open_bundle(bundle)
changes = incident_kit.changes(evidence)
findings = incident_kit.findings(evidence)
evidence

# %% [markdown]
# ## On one axis
#
# A lane for each Application. A change that something undid is struck through.

# %%
plot_changes(evidence)

# %% [markdown]
# ## The list
#
# In the window, oldest first. Of each change `changes` has more columns: its evidence, whether it was observed or
# inferred (`observed`), and how precise its time is (`precision_seconds`).

# %%
inside = evidence.in_window(changes)
show(changes[inside], 200)

# %% [markdown]
# Before and after it, the newest first:

# %%
show(changes[~inside][::-1], 50)

# %% [markdown]
# ## What was undone

# %%
show(changes[changes["undone_by"].notna()])

# %% [markdown]
# ## By whom
#
# A missing name was not recorded; Argo CD records nobody for what it does by itself.

# %%
by_whom = changes.groupby(["by", "automated", "what"], as_index=False, dropna=False).size()
show(by_whom.rename(columns={"size": "changes"}))

# %% [markdown]
# ## What the rules conclude

# %%
show(findings)

# %% [markdown]
# ## What this does not show
#
# Argo CD keeps ten syncs, and only whole ones that succeeded. What it forgot is seen through ReplicaSets, if at
# all. Near in time is not cause.
#
# What was asked for and not obtained, or is known to be incomplete:

# %%
show(evidence.gaps)

# %% [markdown]
# From when to when each side is known. Outside, an absent document means nothing:

# %%
show(evidence.coverage)
