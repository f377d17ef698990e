"""Rows of RABBIT: connections with what they consume, and where their pods went."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.frames import plain, records
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.match import Match
from incident_kit.correlate.rabbitmq.owners import Matched, matched_connections
from incident_kit.tables import Row
from incident_kit.tables.rabbitmq import CHANNELS, CONNECTIONS, CONSUMERS, QUEUES, RABBIT_EVENTS, RABBIT_NODES

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Usage:
    """What the management API told of connections at capture.

    Attributes:
        consumes: ``vhost/queue`` with the queue's leader, by connection.
        unacknowledged: deliveries not yet acknowledged over the channels, by connection.
        consumers_counted: consumers that the channels count, by connection.
    """

    consumes: dict[str, list[str]]
    unacknowledged: dict[str, int]
    consumers_counted: dict[str, int]

    def consumed_by(self, connection: Connection) -> list[str] | None:
        """What a connection consumes; empty only where its channels count no consumer, None where nobody tells.

        Consumers of AMQP 1.0 do not say whose they are; MQTT and streams have no channels that would count them.
        """
        found = self.consumes.get(connection.connection)
        nothing = connection.channel_count == 0 or self.consumers_counted.get(connection.connection) == 0
        return found or ([] if nothing else None)


def usage(evidence: Evidence) -> Usage:
    """Consumers, queue leaders and unacknowledged deliveries by connection name."""

    def build() -> Usage:
        leaders = {(plain(q["vhost"]), plain(q["queue"])): plain(q["leader"]) for q in records(evidence.table(QUEUES))}
        consumes: dict[str, list[str]] = {}
        for consumer in records(evidence.table(CONSUMERS)):
            connection, vhost, queue = (plain(consumer[name]) for name in ("connection", "vhost", "queue"))
            if connection is None or queue is None:
                continue
            leader = leaders.get((vhost, queue))
            told = f"{vhost}/{queue}" + (f" (leader {leader})" if leader else "")
            if told not in consumes.setdefault(connection, []):
                consumes[connection].append(told)
        counts: dict[str, dict[str, int]] = {"messages_unacknowledged": {}, "consumer_count": {}}
        for channel in records(evidence.table(CHANNELS)):
            connection = plain(channel["connection"])
            for name, counted in counts.items():
                if connection is not None and (count := plain(channel[name])) is not None:
                    counted[connection] = counted.get(connection, 0) + int(count)
        return Usage(consumes, counts["messages_unacknowledged"], counts["consumer_count"])

    return evidence.memo("rabbit_usage", build)


def rabbit_row(matched: Matched, evidence: Evidence, *, following: Connection | None = None) -> Row:
    """The RABBIT row of one connection.

    Args:
        matched: the connection and whose it is.
        evidence: for what it consumes at capture.
        following: the pod's next connection after this one ended.
    """
    connection, match = matched.connection, matched.match
    used = usage(evidence)
    # A name may be used again; only a connection that is open at capture is the one the API tells of.
    current = connection.closed_at is None and "management_api" in connection.source
    return {
        "namespace": match.lives[0].namespace if match.single else None,
        "pod": match.lives[0].pod if match.single else None,
        "pod_uid": match.pod_uid,
        "rabbit_node": connection.rabbit_node,
        "connection": connection.connection,
        "peer_host": connection.peer_host,
        "peer_port": connection.peer_port,
        "connected_at": connection.connected_at,
        "closed_at": connection.closed_at,
        "user_provided_name": connection.user_provided_name,
        "vhost": connection.vhost,
        "user": connection.user,
        "match": match.kind,
        "candidates": match.candidates,
        "reason": match.reason,
        "state": connection.state,
        "channel_count": connection.channel_count,
        "consumes": used.consumed_by(connection) if current else None,
        "messages_unacknowledged": used.unacknowledged.get(connection.connection) if current else None,
        "close_reason": connection.close_reason,
        "observed": connection.observed,
        "moved_to": following.rabbit_node if following else None,
        "moved_at": following.begin if following else None,
        "source": connection.source,
    }


def none_row(reason: str, **known: Any) -> Row:
    """The one row that says why there is no connection."""
    return {**known, "match": "none", "candidates": [], "reason": reason}


def why_none(lives: Sequence[Lifetime], matched: Iterable[Matched], when: str) -> str:
    """Why a pod has no connection; of one whose address nobody recorded that only means that nobody can tell.

    Args:
        lives: the pod's.
        matched: every connection that was asked about.
        when: what was asked, as the end of "no connection of this pod ...".
    """
    addressed = not lives or any(life.value("pod_ips") for life in lives)
    strangers = 0 if addressed else sum(1 for one in matched if one.match.kind == "none" and _may_be_of(one, lives))
    if not strangers:
        return f"no connection of this pod {when}"
    return (
        f"no connection that {when} is known to be this pod's, but nobody recorded its address: {strangers} from "
        "addresses of nobody may be its"
    )


def _may_be_of(matched: Matched, lives: Sequence[Lifetime]) -> bool:
    begin = matched.connection.begin
    return begin is None or any(life.may_live_at(begin) for life in lives)


def could_not_look(evidence: Evidence) -> str | None:
    """Why absence of a connection means nothing here; None when RabbitMQ was read."""
    if len(evidence.table(CONNECTIONS)) or len(evidence.table(RABBIT_NODES)):
        return None
    return "RabbitMQ could not be looked at: the evidence holds no connections, from no source"


def nodes_not_looked_at(evidence: Evidence) -> str | None:
    """Why it means nothing here that no node is said to be down or in alarm; None when a list or a log tells of nodes."""
    return None if len(evidence.table(RABBIT_EVENTS)) else could_not_look(evidence)


class NextConnections:
    """For a connection that ended: the next one of the same pod."""

    def __init__(self, matched: list[Matched]) -> None:
        self._by_pod: dict[tuple[str | None, str], list[tuple[int, Connection]]] = {}
        for item in matched:
            if item.match.single and item.connection.begin is not None:
                key = _pod(item.match)
                self._by_pod.setdefault(key, []).append((item.connection.begin, item.connection))
        for rows in self._by_pod.values():
            rows.sort(key=lambda pair: pair[0])

    def after(self, matched: Matched) -> Connection | None:
        """The pod's first connection opened after this one ended; None while open or where the pod is not known."""
        closed = matched.connection.closed_at
        if closed is None or not matched.match.single:
            return None
        rows = self._by_pod.get(_pod(matched.match), [])
        # Clients notice before the broker does: a second earlier is still "after".
        position = bisect_left(rows, closed - 1_000_000_000, key=lambda pair: pair[0])
        for begin, connection in rows[position:]:
            if connection is not matched.connection and begin > (matched.connection.begin or 0):
                return connection
        return None


def next_connections(evidence: Evidence) -> NextConnections:
    """The index of one evidence."""
    return evidence.memo("next_connections", lambda: NextConnections(matched_connections(evidence)))


def _pod(match: Match) -> tuple[str | None, str]:
    return match.lives[0].namespace, match.lives[0].pod


def rabbit_nodes(evidence: Evidence) -> list[str]:
    """Every RabbitMQ node that any source names."""
    found: set[str] = set()
    for table in (RABBIT_NODES, CONNECTIONS, RABBIT_EVENTS):
        found |= {str(name) for name in evidence.table(table)["rabbit_node"].dropna()}
    return sorted(found)
