"""logs: both sides of one pod merged by time, each line with its verdict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from incident_kit.errors import UsageError
from incident_kit.normalise.logs.levels import SEVERITY, fold_level
from incident_kit.tables.answers import LOGS

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence.bundle import Evidence


def logs(
    pod: str,
    evidence: Evidence,
    level: str | None = None,
    grep: str | None = None,
    start: int | None = None,
    end: int | None = None,
) -> pd.DataFrame:
    """Console entries of a pod and the documents that have no entry, by time.

    Args:
        pod: ``namespace/pod`` or a name.
        evidence: an opened bundle.
        level: only this level or worse.
        grep: only text that matches this regular expression.
        start: only from here (ns).
        end: only before here (ns).

    Returns:
        LOGS rows. An entry that is in Elasticsearch is one row and names its document.

    Raises:
        UsageError: no such level, a broken expression, or an ambiguous pod.
        NotFoundError: no source knows the pod.
    """
    from incident_kit.answers.reconciled import reconciled_rows, reconciliation_of
    from incident_kit.correlate.identity import resolve_pod

    identity = resolve_pod(pod, evidence)
    keep = _filter(level, grep)
    rows = reconciled_rows(evidence, reconciliation_of(evidence), LOGS.columns, pod=str(identity), everything=True)
    return LOGS.frame(
        [
            row
            for row in rows
            if (start is None or row["time"] >= start) and (end is None or row["time"] < end) and keep(row)
        ]
    )


def _filter(level: str | None, grep: str | None) -> Any:
    least = fold_level(level) if level is not None else None
    if level is not None and least is None:
        raise UsageError(f"{level!r} is no level. Write one of {', '.join(SEVERITY)}.")
    try:
        expression = re.compile(grep) if grep is not None else None
    except re.error as error:
        raise UsageError(f"{grep!r} is no regular expression: {error}.") from error

    def keep(row: dict[str, Any]) -> bool:
        if least is not None and (row.get("level") is None or SEVERITY[row["level"]] < SEVERITY[least]):
            return False
        return expression is None or expression.search(row.get("text") or "") is not None

    return keep
