"""diff: what was true at one time and is not at another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.answers.instants import unseen_instants
from incident_kit.correlate.changes.states import bundles_apart, states_apart
from incident_kit.errors import UsageError
from incident_kit.tables.answers import DIFF, GAPS

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence


def diff(evidence: Evidence, at_1: int, at_2: int, other: Evidence | None = None) -> pd.DataFrame:
    """What was so at the first time and is not at the second.

    Args:
        evidence: an opened bundle.
        at_1: the first instant (ns).
        at_2: the second instant (ns).
        other: the bundle of the second time. Two bundles are compared by their objects, so that values (as keyed hashes) and
            whole specifications count; within one bundle only what remembers its changes can tell.

    Returns:
        A frame of `tables.answers.DIFF`. Within one bundle its ``attrs["gaps"]`` (GAPS) says which instant lies outside of
        what was looked at.

    Raises:
        UsageError: the bundles are of different clusters.
    """
    if other is None:
        frame = DIFF.frame(states_apart(evidence, at_1, at_2))
        if unseen := unseen_instants(evidence, at_1, at_2):
            frame.attrs["gaps"] = GAPS.frame(unseen)
        return frame
    if evidence.cluster != other.cluster:
        raise UsageError(f"The bundles are of different clusters: {evidence.cluster} and {other.cluster}.")
    return DIFF.frame(bundles_apart(evidence, other))
