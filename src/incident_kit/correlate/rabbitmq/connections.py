"""Connection intervals: API, broker log and Metricbeat sightings of one connection merged into one row.

The merge is a function of the set of rows: their order does not matter, and merging again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.frames import instant, plain, records
from incident_kit.correlate.rabbitmq.downs import node_downs
from incident_kit.correlate.rabbitmq.listed import end_unlisted
from incident_kit.tables.rabbitmq import CONNECTIONS, RABBIT_EVENTS, RABBIT_NODES
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: The API's connected_at and the log's accept differ by milliseconds; a busy broker's log by a second or two.
_SAME_INSTANT = 2 * SECOND
#: A stale list or a metrics period may show a connection this long after its end.
_SHOWN_AFTER_END = 180 * SECOND
#: Two sightings without a known beginning are of one connection only when this close.
_LONGEST_SILENCE = 15 * 60 * SECOND
_RANK = {"management_api": 0, "event_exchange": 1, "broker_log": 2, "metricbeat": 3}
_ATTRIBUTES = ("peer_host", "peer_port", "user_provided_name", "vhost", "user", "channel_count", "close_reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection interval; times in ns.

    Attributes are those of the table CONNECTIONS; ``source`` joins several sources with ``+``.
    """

    connection: str
    rabbit_node: str | None = None
    peer_host: str | None = None
    peer_port: int | None = None
    connected_at: int | None = None
    closed_at: int | None = None
    first_seen_at: int | None = None
    last_seen_at: int | None = None
    user_provided_name: str | None = None
    vhost: str | None = None
    user: str | None = None
    state: str | None = None
    channel_count: int | None = None
    close_reason: str | None = None
    observed: bool = True
    source: str = "management_api"

    @property
    def begin(self) -> int | None:
        """Opened, else first seen."""
        return self.connected_at if self.connected_at is not None else self.first_seen_at

    @property
    def latest(self) -> int | None:
        """Latest instant at which it is known to have existed."""
        known = [t for t in (self.last_seen_at, self.first_seen_at, self.connected_at) if t is not None]
        return max(known) if known else None

    def overlaps(self, start: int, end: int) -> bool:
        """Whether it may have been open at some instant of ``[start, end)``.

        A list that leaves out when a connection was opened was read of a connection that was open before.
        """
        unknown = self.begin is None or (self.connected_at is None and "management_api" in self.source)
        return (unknown or (self.begin or 0) < end) and (self.closed_at is None or self.closed_at > start)

    def open_at(self, moment: int) -> bool:
        """Whether it may have been open then."""
        return (self.begin is None or self.begin <= moment) and (self.closed_at is None or moment < self.closed_at)


def connection_intervals(evidence: Evidence) -> list[Connection]:
    """Every connection of the evidence, once, in order of opening."""

    def build() -> list[Connection]:
        rows = [_from_row(row) for row in records(evidence.table(CONNECTIONS))]
        merged = merge_connections(rows)
        ends = _node_ends(evidence)
        ended = [_ended_with_node(connection, ends) for connection in merged]
        return sorted(end_unlisted(ended, [evidence]), key=_order)

    return evidence.memo("connection_intervals", build)


def _from_row(row: dict[str, Any]) -> Connection:
    times = ("connected_at", "closed_at", "first_seen_at", "last_seen_at")
    values: dict[str, Any] = {name: instant(row[name]) for name in times}
    for name in Connection.__slots__:
        if name not in values:
            values[name] = plain(row[name])
    values["observed"] = values["observed"] is not False
    return Connection(**values)


def merge_connections(rows: Iterable[Connection]) -> list[Connection]:
    """One row per connection, from rows of any number of sources in any order."""
    by_name: dict[str, set[Connection]] = {}
    for row in rows:
        by_name.setdefault(row.connection, set()).add(row)
    merged = [connection for group in by_name.values() for connection in _merge_group(group)]
    return sorted(merged, key=_order)


def _merge_group(group: set[Connection]) -> list[Connection]:
    if len(group) == 1:
        return list(group)
    current = sorted(group, key=_order)
    while True:
        following = sorted({_joined(part) for part in _components(current)}, key=_order)
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
    ranked = sorted(rows, key=lambda row: (_rank(row.source), _order(row)))
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


def _order(row: Connection) -> tuple[Any, ...]:
    return (
        row.begin if row.begin is not None else -1,
        row.connection,
        *(str(getattr(row, n)) for n in Connection.__slots__),
    )


@dataclass(frozen=True, slots=True)
class NodeEnd:
    """One end of one life of a RabbitMQ node.

    Attributes:
        at: when it was last known to be up; None where nothing says.
        back_at: when it was started again; None where it was not.
    """

    at: int | None
    back_at: int | None


def _node_ends(evidence: Evidence) -> dict[str, list[NodeEnd]]:
    """When each node ended: before it started again, by not running at capture, or by its own word without a start after it.

    Peers say "down" of a node that is only frozen or cut off, so their word alone ends no connection.
    """
    downs = node_downs(evidence)
    starts: list[tuple[str, int]] = []
    found: dict[str, list[NodeEnd]] = {}
    listed = {str(node["rabbit_node"]) for node in records(evidence.table(RABBIT_NODES))}
    for down in downs:
        if down.certain and down.end is None and down.start is not None and down.rabbit_node not in listed:
            found.setdefault(down.rabbit_node, []).append(NodeEnd(down.start, None))
    for node in records(evidence.table(RABBIT_NODES)):
        name, started = str(node["rabbit_node"]), instant(node["started_at"])
        if plain(node["running"]) is False:
            last = [down.start for down in downs if down.rabbit_node == name and down.end is None]
            found.setdefault(name, []).append(NodeEnd(last[-1] if last else None, None))
        elif started is not None:
            starts.append((name, started))
    for event in records(evidence.table(RABBIT_EVENTS)):
        moment, name = instant(event["time"]), plain(event["rabbit_node"])
        if event["event"] == "started" and moment is not None and name is not None:
            starts.append((name, moment))
    for name, started in starts:
        before = [d.start for d in downs if d.rabbit_node == name and d.start is not None and d.start <= started]
        found.setdefault(name, []).append(NodeEnd(max(before) if before else None, started))
    return found


def _ended_with_node(connection: Connection, ends: dict[str, list[NodeEnd]]) -> Connection:
    """No connection outlives its node: one not seen closed ended with it."""
    if connection.closed_at is not None or connection.begin is None:
        return connection
    for end in sorted(ends.get(connection.rabbit_node or "", []), key=lambda e: (e.back_at is None, e.back_at or 0)):
        if end.back_at is not None and (end.back_at <= connection.begin or (connection.latest or 0) > end.back_at):
            continue
        if end.back_at is None and end.at is not None and end.at < connection.begin:
            continue
        closed = end.at if end.at is not None and end.at >= connection.begin else end.back_at
        if closed is None:
            return replace(
                connection, state="closed", close_reason=f"{connection.rabbit_node} is not running", observed=False
            )
        return replace(
            connection,
            closed_at=closed,
            state="closed",
            observed=False,
            close_reason=connection.close_reason or f"{connection.rabbit_node} went down (inferred)",
        )
    return connection
