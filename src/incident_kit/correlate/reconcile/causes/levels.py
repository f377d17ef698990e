"""below_level: no document of that level exists, nor of a lower one; the sink would not have shipped it anyway."""

from __future__ import annotations

import numpy as np

from incident_kit.correlate.reconcile.causes.view import ContainerView, Losses
from incident_kit.normalise.logs.levels import SEVERITY


def below_level(view: ContainerView, losses: Losses) -> None:
    """Entries whose level lies below the lowest that was ever shipped."""
    shipped = {level for level in view.level[view.delivered] if level} | view.document_levels
    if not shipped:
        return
    lowest = min(SEVERITY[level] for level in shipped)
    for level in {level for level in view.level[view.lost] if level and SEVERITY[level] < lowest}:
        rows = np.asarray(view.level == level)
        if rows.sum() and not (rows & view.delivered).any():
            name = next(n for n, rank in SEVERITY.items() if rank == lowest)
            losses.give(
                rows, "below_level", 0.95, f"no document of level {level} exists; the lowest level shipped is {name}"
            )
