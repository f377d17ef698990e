"""What really happened to connections, from the journals alone: who stood behind each one that a broker saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.lab.connections.pods import case_of

Row = dict[str, Any]
#: The client's journal comes after the handshake, for which it has 30 s, the broker's time before it.
_TOLERANCE = 35_000_000_000


@dataclass(frozen=True)
class Owned:
    """One connection as a broker sees it, and the client behind it.

    Attributes:
        rabbit_node: where it was.
        peer: address and port that the broker saw.
        opened_at: when the client had it (ns).
        pod: the client's pod, also behind a relay.
        pod_uid: its uid.
    """

    rabbit_node: str
    peer: tuple[str, int]
    opened_at: int
    pod: str
    pod_uid: str

    @property
    def case(self) -> str:
        """Name of the client's case."""
        return case_of(self.pod)


def owned(events: Iterable[Row]) -> list[Owned]:
    """Every connection of every journal.

    A client behind a relay knows its own end; the relay's journal says which end the broker saw instead. A relay that
    speaks the proxy protocol shows the client's own.
    """
    connected: list[Row] = []
    relayed: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in events:
        if row["event"] == "connected":
            connected.append(row)
        elif row["event"] == "relayed":
            relayed[_end(row["client"])].append(row)
    found = []
    for row in connected:
        seen, server = _end(row["local"]), _end(row["peer"])
        earlier = [one for one in relayed.get(seen, []) if one["at"] <= row["at"]]
        if server[1] > 7000 and earlier:
            relay = max(earlier, key=lambda one: one["at"])
            server = _end(relay["peer"])
            seen = seen if relay["case"] == "addressing" else _end(relay["local"])
        found.append(Owned(f"rabbit{server[1] - 5671}@localhost", seen, row["at"], row["pod"], row["uid"]))
    return found


def _end(written: list[Any]) -> tuple[str, int]:
    return str(written[0]), int(written[1])


class Truth:
    """Finds the truth of an answer's row."""

    def __init__(self, connections: list[Owned]) -> None:
        self.connections = connections
        self._by_peer: dict[tuple[str, tuple[str, int]], list[Owned]] = defaultdict(list)
        for one in connections:
            self._by_peer[one.rabbit_node, one.peer].append(one)

    def of(self, rabbit_node: str | None, host: str, port: int, connected_at: int | None) -> Owned | None:
        """The connection that a row tells of; None when no journal knows it (another program's, or a failed handshake)."""
        known = self._by_peer.get((str(rabbit_node), (host, port)), [])
        if connected_at is None:
            return known[0] if len(known) == 1 else None
        near = [one for one in known if abs(one.opened_at - connected_at) <= _TOLERANCE]
        return min(near, key=lambda one: abs(one.opened_at - connected_at)) if near else None
