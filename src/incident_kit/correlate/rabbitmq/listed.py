"""A connection that a later, whole list does not have any more was closed by then.

Without a broker's log nobody writes down when a connection ended; snapshots know it only so. With one its end may be
missing all the same: when thousands of clients leave at once, the broker drops records of its own log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from incident_kit.correlate.frames import instant, plain, records, rows
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.nested import whole
from incident_kit.tables.rabbitmq import CONNECTIONS, RABBIT_EVENTS, RABBIT_NODES
from incident_kit.window import SECOND, format_ns, parse_rfc3339

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: The statistics of a new connection come with the next round of the collector.
_COLLECTOR = 6 * SECOND
_HIDING = ("connection", "management API", "/api/", "overview", "nodes", "statistics")


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole list of connections: when it was asked for, and when the bundle was finished (ns)."""

    listed_at: int
    captured_at: int


def end_unlisted(connections: Iterable[Connection], evidences: Sequence[Evidence]) -> list[Connection]:
    """Connections, those closed that a later whole list has no more; the time is the latest possible.

    Args:
        connections: each once.
        evidences: one bundle, whose list may have less than its brokers' logs, or several.
    """
    lists = [listed for one in evidences if (listed := listed_connections(one)) is not None]
    if not lists:
        return list(connections)
    restored = _log_restored(evidences)
    return [_ended(connection, lists, restored.get(connection.rabbit_node or "", [])) for connection in connections]


def _ended(connection: Connection, lists: list[Listed], restored: list[int]) -> Connection:
    # A log that goes on without an end says nothing of a connection: only its beginning was seen.
    known = connection.begin if connection.source == "broker_log" else connection.latest
    if connection.closed_at is not None or known is None:
        return connection
    later = [listed.captured_at for listed in lists if listed.listed_at - _COLLECTOR > known]
    if not later:
        return connection
    listed_by = min(later)
    # Its end was logged unless the log dropped records: then it was before the log went on.
    dropped = [moment for moment in restored if known < moment <= listed_by]
    by = max(dropped) if dropped and connection.source == "broker_log" else listed_by
    reason = connection.close_reason or f"not in the list of connections at {format_ns(listed_by)} (inferred)"
    return replace(connection, closed_at=by, state="closed", observed=False, close_reason=reason)


def _log_restored(evidences: Iterable[Evidence]) -> dict[str, list[int]]:
    """When each broker's log went on after it had dropped records."""
    found: dict[str, list[int]] = {}
    for evidence in evidences:
        for event in records(evidence.table(RABBIT_EVENTS)):
            moment = instant(event["time"])
            if event["event"] == "log_restored" and moment is not None:
                found.setdefault(str(plain(event["rabbit_node"])), []).append(moment)
    return found


def listed_connections(evidence: Evidence) -> Listed | None:
    """When a bundle's list of connections was asked for; None where it may be a part.

    A user's own connections, one pod's and the list of a node without statistics are parts. A node that does not run has
    no connections: its gap hides nothing here. What people collected by hand is whole where the overview counts as many;
    it was asked for after the newest connection in it was opened, and nobody knows how long after.
    """
    nodes = records(evidence.table(RABBIT_NODES))
    if evidence.captured_at is None or not nodes:
        return None
    away = {str(node["rabbit_node"]) for node in nodes if plain(node["running"]) is False}
    if any(_hides(gap, away) for gap in evidence.manifest.gaps) or b'"narrowed_to"' in _overview(evidence):
        return None
    if evidence.manifest.imported:
        listed_at = _newest_of_whole(evidence)
    else:
        asked = [row for row in evidence.manifest.asked if row.get("what") == "rabbitmq"]
        listed_at = parse_rfc3339(str(asked[-1].get("at"))) if asked else None
    return Listed(listed_at, evidence.captured_at) if listed_at is not None else None


def _newest_of_whole(evidence: Evidence) -> int | None:
    """When the newest connection of an imported list was opened; None where the overview does not count just those."""
    told = [row for row in rows(evidence.table(CONNECTIONS)) if row["source"] == "management_api"]
    opened = [row["connected_at"] for row in told if row["connected_at"] is not None]
    if not opened or _counted(_overview(evidence)) != len(told):
        return None
    return int(max(opened))


def _counted(overview: bytes) -> int | None:
    """How many connections an overview counts."""
    try:
        answers = orjson.loads(overview)
    except orjson.JSONDecodeError:
        return None
    first = answers[0] if isinstance(answers, list) and answers else answers
    return whole(first, "object_totals", "connections")


def _hides(gap: dict[str, Any], away: set[str]) -> bool:
    what = str(gap.get("what"))
    if gap.get("source") != "rabbitmq" or any(what in (f"node {name}", f"connections of {name}") for name in away):
        return False
    return any(word in what for word in _HIDING)


def _overview(evidence: Evidence) -> bytes:
    path = evidence.raw.find("rabbitmq/overview.json")
    return evidence.raw.open(path).read() if path is not None else b""
