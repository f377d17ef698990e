"""changes: what changed, by whom, and what was undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.correlate.changes.table import change_list
from incident_kit.tables.answers import CHANGES

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence


def changes(evidence: Evidence) -> pd.DataFrame:
    """One row a change, with all evidence for it, oldest first.

    Args:
        evidence: an opened bundle. All changes that it remembers are listed, also those before the window: what
            happened hours before is often what mattered.

    Returns:
        A frame of `tables.answers.CHANGES`. ``time`` is when the change took effect, with ``precision_seconds``;
        ``by`` is the user or, where no user is recorded, the field manager.
    """
    return CHANGES.frame(change.row() for change in change_list(evidence))
