"""restarts: every container instance that ended, why, and what ran in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.correlate.pods.restarts import restart_rows
from incident_kit.tables.answers import RESTARTS

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence


def restarts(evidence: Evidence) -> pd.DataFrame:
    """Container instances that ended, in time order; those known only by count have null times and come last.

    Returns:
        RESTARTS. Instances that ended outside the window are kept and marked by ``in_window``.
    """
    return RESTARTS.frame(restart_rows(evidence))
