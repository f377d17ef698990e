"""logs: both sides of one pod merged by time, each line with its verdict."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from incident_kit.errors import UsageError
from incident_kit.normalise.logs.levels import SEVERITY, fold_level
from incident_kit.tables import Row
from incident_kit.tables.answers import GAPS, LOGS
from incident_kit.window import Window, format_ns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

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
        LOGS rows. An entry that is in Elasticsearch is one row and names its document. Its ``attrs["gaps"]`` (GAPS) says
        that more was asked for than the window holds.

    Raises:
        UsageError: no such level, a broken expression, or an ambiguous pod.
        NotFoundError: no source knows the pod.
    """
    from incident_kit.answers.reconciled import reconciled
    from incident_kit.correlate.pods.identity import resolve_pod

    identity = resolve_pod(pod, evidence)
    keep = _filter(level, grep)
    found = reconciled(evidence, LOGS, pod=str(identity), everything=True)
    frame = LOGS.to_pandas(found.filter(_kept(found, keep, start, end)))
    if beyond := _beyond(evidence.window, start, end):
        frame.attrs["gaps"] = GAPS.frame(beyond)
    return frame


def _beyond(window: Window, start: int | None, end: int | None) -> list[Row]:
    """GAPS rows where the times asked for reach out of the window."""
    if (start is None or start >= window.start) and (end is None or end <= window.end):
        return []
    asked = f"{format_ns(start) or 'its start'} to {format_ns(end) or 'its end'}"
    reason = f"only what lies in the window is judged and told: {window}"
    return [{"source": "bundle", "what": f"logs from {asked}", "from": start, "to": end, "reason": reason,
             "remedy": "Import or capture again with a window that holds these times."}]  # fmt: skip


def _kept(found: pa.Table, keep: Callable[[str | None, str | None], bool], start: int | None, end: int | None) -> Any:
    import numpy as np
    import pyarrow as pa

    time = np.asarray(found["time"].cast(pa.int64()))
    chosen = np.array([keep(*row) for row in zip(found["level"].to_pylist(), found["text"].to_pylist(), strict=True)])
    if start is not None:
        chosen &= time >= start
    if end is not None:
        chosen &= time < end
    return chosen.astype(bool)


def _filter(level: str | None, grep: str | None) -> Callable[[str | None, str | None], bool]:
    least = fold_level(level) if level is not None else None
    if level is not None and least is None:
        raise UsageError(f"{level!r} is no level. Write one of {', '.join(SEVERITY)}.")
    try:
        expression = re.compile(grep) if grep is not None else None
    except re.error as error:
        raise UsageError(f"{grep!r} is no regular expression: {error}.") from error

    def keep(level: str | None, text: str | None) -> bool:
        if least is not None and SEVERITY.get(level or "", -1) < SEVERITY[least]:
            return False
        return expression is None or expression.search(text or "") is not None

    return keep
