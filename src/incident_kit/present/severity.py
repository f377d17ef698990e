"""Findings in the order in which one reads them: the worst first, within it by time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.rules.rule import SEVERITIES

if TYPE_CHECKING:
    import pandas as pd

_RANKS = {severity: place for place, severity in enumerate(SEVERITIES)}


def rank(severity: object) -> int:
    """0 for the worst; a severity that nobody knows comes last."""
    return _RANKS.get(str(severity), len(_RANKS))


def worst_first(findings: pd.DataFrame) -> pd.DataFrame:
    """FINDINGS rows, the worst first; those of one severity keep their order, which is by time."""
    return findings.sort_values("severity", key=lambda column: column.map(rank), kind="stable")
