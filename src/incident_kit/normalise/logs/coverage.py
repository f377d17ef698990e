"""From when to when each side was read: the COVERAGE rows that every verdict rests on."""

from __future__ import annotations

from typing import Any

from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.console import ContainerConsole, InstanceLines
from incident_kit.normalise.logs.documents import DocumentFacts
from incident_kit.normalise.logs.hits import Reading
from incident_kit.normalise.logs.known_instances import KnownInstance, of_instance
from incident_kit.normalise.logs.times import time_value
from incident_kit.normalise.raw import RawFolder
from incident_kit.window import SECOND

#: A console whose first line comes this long after the container's start may have been rotated.
_QUIET_START_NS = 30 * SECOND


def console_coverage(
    console: ContainerConsole, instances: list[InstanceLines], known: list[KnownInstance], context: Context
) -> list[dict[str, Any]]:
    """One row for each instance that could be read."""
    rows = []
    kept = any(file.restart_count is not None for file in console.files)
    for one in instances:
        if not len(one.lines):
            continue
        first, last = int(one.lines.time[0]), int(one.lines.time[-1])
        started, finished = _times(known, one.restart_count)
        whole = (started is not None and first - started <= _QUIET_START_NS) or kept
        begin = min(started, first) if started is not None and whole else first
        end = (
            max(finished + SECOND, last)
            if finished is not None
            else max(last, context.captured_at or context.window.end)
        )
        torn = _is_torn(console, context)
        end = last if torn else end
        reason = (
            "the console's first line follows the container's start"
            if whole
            else "what was written before the first line is not known (rotated, or not collected)"
        )
        if torn:
            whole, reason = False, "a file is torn: what was written after the last line is not known"
        rows.append(
            {
                "source": "console",
                "namespace": console.namespace,
                "pod": console.pod,
                "container": console.container,
                "from": begin,
                "to": end,
                "complete": bool(whole),
                "reason": reason if one.restart_count is None else f"instance {one.restart_count}: {reason}",
            }
        )
    return rows


def _is_torn(console: ContainerConsole, context: Context) -> bool:
    """Whether a file of the console could not be read to its end, as the copying of the folder found."""
    torn = {gap["what"] for gap in context.gaps if gap["source"] == "console" and "is torn" in gap["reason"]}
    return any(file.path.as_posix().endswith(f"/{name}") for file in console.files for name in torn)


def _times(known: list[KnownInstance], restart_count: int | None) -> tuple[int | None, int | None]:
    rows = of_instance(known, restart_count)
    return (rows[-1].started_at, rows[-1].finished_at) if rows else (None, None)


def elastic_coverage(raw: RawFolder, context: Context, reading: Reading, facts: DocumentFacts) -> list[dict[str, Any]]:
    """Rows with pod null hold for all pods; with pods named in query.json, one row for each of them instead."""
    start, end = context.window.start, context.window.end
    if not reading.files:
        return [_row(None, start, end, complete=False, reason="no Elasticsearch files")]
    query = raw.json("elasticsearch/query.json", context, "elasticsearch")
    if not facts.count and (not isinstance(query, dict) or reading.incomplete):
        context.gap(
            "elasticsearch",
            "elasticsearch/",
            "no document could be read",
            "Collect the hits of the window.",
            start=start,
            end=end,
        )
        return [_row(None, start, end, complete=False, reason="no document could be read")]
    if reading.incomplete:
        return [_row(None, start, end, complete=False, reason="; ".join(dict.fromkeys(reading.incomplete))[:500])]
    if not isinstance(query, dict):
        return [
            _row(
                None, start, end, complete=True, reason="an import with documents is taken as read for the whole window"
            )
        ]
    since, until = time_value(query.get("from") or query.get("start")), time_value(query.get("to") or query.get("end"))
    bounds = (since if since is not None else start, until if until is not None else end)
    asked = query.get("pods")
    names = [asked] if isinstance(asked, str) else [str(one) for one in asked] if isinstance(asked, list) else []
    if bounds[0] > start or bounds[1] < end:
        context.gap(
            "elasticsearch",
            "query.json",
            "the query is narrower than the window",
            "Fetch the whole window and import again.",
            start=start if bounds[0] > start else bounds[1],
            end=bounds[0] if bounds[0] > start else end,
        )
    if not names:
        return [_row(None, *bounds, complete=True, reason="what query.json says was asked")]
    return [_row(pod.rpartition("/")[2], *bounds, complete=True, reason="query.json names the pod") for pod in names]


def _row(pod: str | None, start: int, end: int, *, complete: bool, reason: str) -> dict[str, Any]:
    return {
        "source": "elasticsearch",
        "namespace": None,
        "pod": pod,
        "container": None,
        "from": start,
        "to": end,
        "complete": complete,
        "reason": reason,
    }
