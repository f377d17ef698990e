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
# # Console against Elasticsearch
#
# Which entries are on a console and not in Elasticsearch, and why? Every console entry gets exactly one verdict;
# before one is called console-only, the other explanations have been looked for.

# %% tags=["parameters"]
bundle = ""  # bundle to read: NAME.incident or .zip; empty for the sample incident
pod = ""  # only this pod, NAME or namespace/NAME; empty for all

# %% [markdown]
# ## Evidence

# %%
import incident_kit
from incident_kit.present import chosen_pod, open_bundle, plot_logs, show

evidence = open_bundle(bundle)
pod = chosen_pod(evidence, pod) if pod else None
verdicts = incident_kit.console_only(evidence, pod=pod, verdicts=True)
lost = incident_kit.console_only(evidence, pod=pod)
evidence

# %% [markdown]
# ## Over time
#
# Grey is the console, the line what reached Elasticsearch. A hole between them is a loss.

# %%
plot_logs(evidence, pod)

# %% [markdown]
# ## Verdicts
#
# `late`, `at_other_time`, `without_pod_name` and `truncated` entries are there, but not where one looks.
# `unknown` lies outside what both sides are known to cover: it is not lost, and not found either. The evidence says why.

# %%
show(verdicts.groupby(["side", "verdict"], as_index=False).size().rename(columns={"size": "entries"}))

# %%
reasons = verdicts[verdicts["cause"].isna()].groupby(["side", "verdict", "evidence"], as_index=False).size()
show(reasons.rename(columns={"size": "entries"}))

# %% [markdown]
# ## Causes of what never arrived
#
# `unexplained` is an honest answer: none of the known causes fits. By pod, so that one bad instance stands out.

# %%
by_cause = lost.groupby(["cause", "namespace", "pod"], as_index=False, dropna=False).size()
show(by_cause.rename(columns={"size": "entries"}).sort_values("entries", ascending=False))

# %% [markdown]
# ## By version
#
# Losses by the image of the instance that logged them.

# %%
by_image = lost.groupby(["image", "cause"], as_index=False, dropna=False).size()
show(by_image.rename(columns={"size": "entries"}))

# %% [markdown]
# ## The entries themselves
#
# What each verdict rests on stands in the column `evidence` of `lost`.

# %%
show(lost)

# %% [markdown]
# ## What this does not show
#
# Absence of documents is what is looked for; a read known to be incomplete is not. Where both sides are not
# covered, the verdict is `unknown`.
#
# What was asked for and not obtained, or is known to be incomplete:

# %%
show(evidence.gaps)

# %% [markdown]
# From when to when each side is known. Outside, an absent document means nothing:

# %%
show(evidence.coverage)
