"""A connection from an address that nobody is known to have had then: who it may have been, or nobody, with the reason.

Nothing here is ever a single answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from incident_kit.correlate.pods.ledger import Ledger
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.match import Match, alive, peer_address
from incident_kit.window import MAX_NS, SECOND, format_ns


class Unheld:
    """Answers for connections from addresses without a known holder."""

    def __init__(self, lives: Sequence[Lifetime], ledger: Ledger, by_name: Mapping[str, list[Lifetime]]) -> None:
        self.ledger = ledger
        self._by_name = by_name
        self._homeless = [life for life in lives if not life.value("pod_ips")]
        self._named_from: dict[str, list[tuple[Connection, Lifetime]]] = {}
        self._workloads_by_client_name: dict[str, set[tuple[str | None, str | None]]] = {}

    def match(self, connection: Connection) -> Match:
        """Who it may have been, or nobody, with the reason."""
        host, when = connection.peer_host, format_ns(connection.begin)
        if host is None:
            return Match("none", (), "the broker told no peer address")
        if peer_address(connection, self.ledger) is None:
            return self._by_host_name(connection, host)
        possible = self.ledger.possible_holders(peer_address(connection, self.ledger) or host, connection.begin or 0)
        if possible:
            reasons = "; ".join(f"{one.life.key}: {one.why_not_known(connection.begin or 0)}" for one in possible)
            return Match(
                "ambiguous",
                tuple(holding.life for holding in possible),
                f"nobody is known to have had {host} at {when}, but it may have been a pod's. {reasons}",
            )
        if told := self._by_old_name(connection) or self._beside_named(connection, host):
            return told
        everybody = self.ledger.of(peer_address(connection, self.ledger) or host)
        if everybody:
            names = ", ".join(sorted({holding.life.key for holding in everybody}))
            return Match(
                "none", (), f"nobody is known to have had {host} at {when}; at other times it was held by {names}"
            )
        return self._by_workload(connection, host)

    def _by_old_name(self, connection: Connection) -> Match | None:
        """A name that a known pod has, but not at that time: a StatefulSet gives its names to one pod after another."""
        name = (connection.user_provided_name or "").strip()
        lives = self._by_name.get(name, [])
        if not lives or alive(lives, connection):
            return None
        return Match(
            "ambiguous",
            tuple(lives),
            f"the client-provided name {name!r} is the pod's name, but the known pod was not there at "
            f"{format_ns(connection.begin)}: an earlier or later one of that name, or a copied name",
        )

    def _beside_named(self, connection: Connection, host: str) -> Match | None:
        """An address that nobody recorded, from which a pod's named connections came at that time: its own, or a proxy's."""
        lives = {
            id(life): life
            for other, life in self._named_from.get(peer_address(connection, self.ledger) or host, [])
            if _overlap(other, connection)
        }
        if not lives:
            return None
        names = ", ".join(sorted(life.key for life in lives.values()))
        return Match(
            "ambiguous",
            tuple(lives.values()),
            f"nobody recorded who had {host}; connections named after {names} came from there at that time",
        )

    def _by_workload(self, connection: Connection, host: str) -> Match:
        """An address that nobody is known to have had: who lived then and left without a recorded address?

        Only a client name that ties the connection to one workload makes its gone pods candidates; otherwise any pod
        that is gone may have had the address, and none is named.
        """
        other = self.ledger.what_else(host)
        reason = f"no pod or node in the evidence had {host}" + (f"; it is {other}" if other else "")
        homeless = [life for life in alive(self._homeless, connection) if _lived_around(life, connection)]
        workloads = self._workloads_by_client_name.get(connection.user_provided_name or "", set())
        gone = [life for life in homeless if (life.namespace, life.value("workload")) in workloads]
        if len(workloads) == 1 and gone:
            return Match(
                "ambiguous",
                tuple(gone),
                f"{reason}; pods of this workload name their connections {connection.user_provided_name!r}, and the "
                "candidates were gone before anybody recorded their addresses",
            )
        if homeless:
            names = ", ".join(sorted({life.key for life in homeless})[:5])
            reason += f"; pods that are gone and whose addresses nobody recorded: {names}"
        return Match("none", (), reason)

    def learn(self, matched: Iterable[tuple[Connection, Match]]) -> None:
        """Remember client names by workload, and addresses by named gone pod, from connections of one pod each."""
        for connection, match in matched:
            name = connection.user_provided_name
            if name and match.single:
                life = match.lives[0]
                address = peer_address(connection, self.ledger)
                if match.kind == "client_name" and address is not None and not life.value("pod_ips"):
                    self._named_from.setdefault(address, []).append((connection, life))
                self._workloads_by_client_name.setdefault(name, set()).add((life.namespace, life.value("workload")))

    def _by_host_name(self, connection: Connection, host: str) -> Match:
        """A reverse DNS name: a StatefulSet's pod stands in it with its namespace; anything else is nobody's."""
        first, _, rest = host.partition(".")
        labels = rest.split(".")
        fitting = [life for life in alive(self._by_name.get(first, []), connection) if life.namespace in labels]
        if len({life.namespace for life in fitting}) == 1:
            return Match(
                "ambiguous",
                tuple(fitting),
                f"the broker saw the reverse DNS name {host}, not an address; it looks like this pod's",
            )
        return Match("none", (), f"the broker saw the reverse DNS name {host}, not an address")


def _overlap(one: Connection, other: Connection) -> bool:
    begin = max(one.begin or 0, other.begin or 0)
    return begin < min(one.closed_at or MAX_NS, other.closed_at or MAX_NS)


def _lived_around(life: Lifetime, connection: Connection) -> bool:
    """Whether a pod that is gone was there when the connection was opened, as far as its sightings tell."""
    begin, last = connection.begin, life.last_seen
    if begin is None or life.begin is None or last is None:
        return False
    return life.begin - SECOND <= begin <= last[0] + SECOND
