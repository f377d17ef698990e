"""Every connection of an evidence with whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.correlate.pods.identity import lifetimes
from incident_kit.correlate.pods.ledger import Ledger, ip_ledger
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.connections import connection_intervals
from incident_kit.correlate.rabbitmq.match import Match
from incident_kit.correlate.rabbitmq.matcher import Matcher

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Matched:
    """A connection and whose it is."""

    connection: Connection
    match: Match

    def open_at(self, moment: int) -> bool:
        """Whether it may have been open then: not before its pod was there, where one pod is known to have opened it."""
        alive = not self.match.single or any(life.begin is None or life.begin <= moment for life in self.match.lives)
        return alive and self.connection.open_at(moment)


def matched_connections(evidence: Evidence) -> list[Matched]:
    """Every connection of the evidence with its match, in order of opening."""

    def build() -> list[Matched]:
        connections = connection_intervals(evidence)
        return match_connections(connections, lifetimes(evidence), ip_ledger(evidence))

    return evidence.memo("matched_connections", build)


def match_connections(connections: Sequence[Connection], lives: Sequence[Lifetime], ledger: Ledger) -> list[Matched]:
    """Connections with whose they are; the sure ones teach which workload uses which client name."""
    matcher = Matcher(lives, ledger, connections)
    first = [(connection, matcher.match(connection)) for connection in connections]
    matcher.learn(first)
    return [
        Matched(connection, match if match.kind != "none" else matcher.match(connection)) for connection, match in first
    ]


def hides_pods(evidence: Evidence) -> str | None:
    """Why addresses tell little here: most peers are node addresses (SNAT); None when they are not."""
    ledger = ip_ledger(evidence)
    # Without a user nobody logged in: a probe of a load balancer or of the kubelet, which comes from a node's address.
    peers = [c.peer_host for c in connection_intervals(evidence) if c.peer_host and c.user]
    nodes = sum(1 for peer in peers if ledger.node_of(peer) is not None)
    if len(peers) < 3 or nodes * 2 <= len(peers):
        return None
    return f"{nodes} of {len(peers)} peers are node addresses: the broker sees nodes instead of pods (SNAT)"
