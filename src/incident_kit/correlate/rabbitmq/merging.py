"""API, broker log and Metricbeat sightings of one connection merged into one row.

The merge is a function of the set of rows: their order does not matter, and merging again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.window import SECOND

#: The API's connected_at and the log's accept differ by milliseconds; a busy broker's log by a second or two.
_SAME_INSTANT = 2 * SECOND
#: A stale list or a metrics period may show a connection this long after its end.
_SHOWN_AFTER_END = 180 * SECOND
#: Two sightings without a known beginning are of one connection only when this close.
_LONGEST_SILENCE = 15 * 60 * SECOND
_RANK = {"management_api": 0, "event_exchange": 1, "broker_log": 2, "metricbeat": 3}
_ATTRIBUTES = ("peer_host", "peer_port", "user_provided_name", "vhost", "user", "channel_count", "close_reason")


def merge_connections(rows: Iterable[Connection]) -> list[Connection]:
    """One row per connection, from rows of any number of sources in any order."""
    by_name: dict[str, set[Connection]] = {}
    for row in rows:
        by_name.setdefault(row.connection, set()).add(row)
    merged = [connection for group in by_name.values() for connection in _merge_group(group)]
    return sorted(merged, key=by_opening)


def _merge_group(group: set[Connection]) -> list[Connection]:
    if len(group) == 1:
        return list(group)
    current = sorted(group, key=by_opening)
    while True:
        following = sorted({_joined(part) for part in _components(current)}, key=by_opening)
        if following == current:
            return following
        current = following


def _components(rows: Sequence[Connection]) -> list[list[Connection]]:
    """Rows that may be the same connection, directly or through others."""
    parent = list(range(len(rows)))

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    for one, other in combinations(range(len(rows)), 2):
        if is_same_connection(rows[one], rows[other]):
            parent[root(one)] = root(other)
    groups: dict[int, list[Connection]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(root(index), []).append(row)
    return list(groups.values())


def is_same_connection(one: Connection, other: Connection) -> bool:
    """Whether two rows can tell of one connection: one name, one node, and times that one interval can have."""
    if one.connection != other.connection:
        return False
    if None not in (one.rabbit_node, other.rabbit_node) and one.rabbit_node != other.rabbit_node:
        return False
    if one.connected_at is not None and other.connected_at is not None:
        return abs(one.connected_at - other.connected_at) <= _SAME_INSTANT
    if not (_begins_before(one, other) and _begins_before(other, one)):
        return False
    silent = _ends_by_silence(one) or _ends_by_silence(other)
    if one.closed_at is not None and other.closed_at is not None and not silent:
        return abs(one.closed_at - other.closed_at) <= _SAME_INSTANT
    if not (_seen_before_end(one, other) and _seen_before_end(other, one)):
        return False
    return one.connected_at is not None or other.connected_at is not None or _silence(one, other) <= _LONGEST_SILENCE


def _begins_before(one: Connection, other: Connection) -> bool:
    """A sighting is never before the opening."""
    earliest = other.first_seen_at if other.first_seen_at is not None else other.closed_at
    return one.connected_at is None or earliest is None or earliest >= one.connected_at - _SAME_INSTANT


def _ends_by_silence(row: Connection) -> bool:
    """Whether its end is only that Metricbeat stopped telling of it; any other source knows better."""
    return row.source == "metricbeat"


def _seen_before_end(one: Connection, other: Connection) -> bool:
    """A sighting is hardly after the end."""
    if _ends_by_silence(one) and not _ends_by_silence(other):
        return True
    return one.closed_at is None or other.latest is None or other.latest <= one.closed_at + _SHOWN_AFTER_END


def _silence(one: Connection, other: Connection) -> int:
    starts = max(one.begin or 0, other.begin or 0)
    ends = min(one.closed_at or one.latest or 0, other.closed_at or other.latest or 0)
    return max(0, starts - ends)


def _joined(rows: list[Connection]) -> Connection:
    """One row out of several of one connection; a function of their set."""
    if len(rows) == 1:
        return rows[0]
    ranked = sorted(rows, key=lambda row: (_rank(row.source), row.order))
    openings = [row.connected_at for row in ranked if row.connected_at is not None and row.observed]
    inferred = [row.connected_at for row in ranked if row.connected_at is not None]
    closings = [row.closed_at for row in ranked if row.closed_at is not None and row.observed]
    told = [row.closed_at for row in ranked if not _ends_by_silence(row)]
    closed_at = _least(closings) or _least(told) or _end_by_silence(ranked)
    attributes: dict[str, Any] = {
        name: next((value for row in ranked if (value := getattr(row, name)) is not None), None) for name in _ATTRIBUTES
    }
    newest = max(ranked, key=lambda row: (row.latest or 0, row.state or "", -_rank(row.source)))
    return Connection(
        connection=ranked[0].connection,
        rabbit_node=next((row.rabbit_node for row in ranked if row.rabbit_node is not None), None),
        connected_at=_least(openings) or _least(inferred),
        closed_at=closed_at,
        first_seen_at=_least([row.first_seen_at for row in ranked]),
        last_seen_at=_most([row.last_seen_at for row in ranked]),
        state="closed" if closed_at is not None else newest.state,
        observed=any(row.observed for row in ranked),
        zone_known=any(row.zone_known for row in ranked),
        source="+".join(sorted({part for row in ranked for part in row.source.split("+")}, key=_rank)),
        **attributes,
    )


def _end_by_silence(rows: list[Connection]) -> int | None:
    """When Metricbeat stopped telling of a connection that nobody else saw afterwards."""
    ends = [row.closed_at for row in rows if _ends_by_silence(row)]
    latest = max((row.latest or 0 for row in rows), default=0)
    return max((end for end in ends if end is not None and end > latest), default=None) if None not in ends else None


def _least(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return min(known) if known else None


def _most(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None


def _rank(source: str) -> int:
    return min(_RANK.get(part, 9) for part in source.split("+"))


def by_opening(connection: Connection) -> tuple[Any, ...]:
    """Sorts connections by opening."""
    return connection.order
