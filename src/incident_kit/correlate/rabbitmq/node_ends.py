"""When RabbitMQ nodes ended: no connection outlives its node."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from incident_kit.correlate.frames import instant, plain, records
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.downs import node_downs
from incident_kit.tables.rabbitmq import RABBIT_EVENTS, RABBIT_NODES

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


@dataclass(frozen=True, slots=True)
class NodeEnd:
    """One end of one life of a RabbitMQ node.

    Attributes:
        at: when it was last known to be up; None where nothing says.
        back_at: when it was started again; None where it was not.
    """

    at: int | None
    back_at: int | None


def node_ends(evidence: Evidence) -> dict[str, list[NodeEnd]]:
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


def ended_with_node(connection: Connection, ends: dict[str, list[NodeEnd]]) -> Connection:
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
