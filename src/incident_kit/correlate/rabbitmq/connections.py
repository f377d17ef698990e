"""Every connection of the evidence as one interval: merged over the sources, ended with its node or by a later list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incident_kit.correlate.frames import instant, plain, records
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.listed import end_unlisted
from incident_kit.correlate.rabbitmq.merging import by_opening, merge_connections
from incident_kit.correlate.rabbitmq.node_ends import ended_with_node, node_ends
from incident_kit.tables.rabbitmq import CONNECTIONS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def connection_intervals(evidence: Evidence) -> list[Connection]:
    """Every connection of the evidence, once, in order of opening."""

    def build() -> list[Connection]:
        rows = [_from_row(row) for row in records(evidence.table(CONNECTIONS))]
        merged = merge_connections(rows)
        ends = node_ends(evidence)
        ended = [ended_with_node(connection, ends) for connection in merged]
        return sorted(end_unlisted(ended, [evidence]), key=by_opening)

    return evidence.memo("connection_intervals", build)


def _from_row(row: dict[str, Any]) -> Connection:
    times = ("connected_at", "closed_at", "first_seen_at", "last_seen_at")
    values: dict[str, Any] = {name: instant(row[name]) for name in times}
    for name in Connection.__slots__:
        if name not in values:
            values[name] = plain(row[name])
    for flag in ("observed", "zone_known"):
        values[flag] = values[flag] is not False
    return Connection(**values)
