"""Which pod a connection is of, with the reason; or who it may be; or nobody. Never a wrong single answer.

The order of the evidence: the client-provided name equals a pod's name; else the peer's address is one pod's in the
IP ledger when the connection was opened; else the candidates. What contradicts itself is ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from incident_kit.correlate.pods.ledger import Holding, Ledger
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.normalise.kubernetes.names import ALPHABET
from incident_kit.normalise.rabbitmq.endpoints import is_address
from incident_kit.window import MAX_NS, SECOND, format_ns

_TOKEN = re.compile(r"[a-z0-9][a-z0-9.-]*")
#: A name that only a generator makes: it may stand between dashes in a longer client name.
_DISTINCTIVE = re.compile(rf"-[{ALPHABET}]{{5}}$")
_PROXY = re.compile(
    r"(?:^|[-_/.:@])(?:proxy|haproxy|envoy|nginx|traefik|amqproxy|socat|kong)(?:$|[-_/.:@])|haproxy|amqproxy"
)
_DASHED_ADDRESS = re.compile(r"^(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})\.")
#: A dead pod's half-open connection lives until two heartbeats were missed.
_HALF_OPEN = 180 * SECOND


@dataclass(frozen=True, slots=True)
class Match:
    """Whose a connection is.

    Attributes:
        kind: client_name, pod_ip, ambiguous or none.
        lives: the pod's life (several where one name's lives cannot be told apart), or the candidates.
        reason: why, in one sentence.
    """

    kind: str
    lives: tuple[Lifetime, ...]
    reason: str

    @property
    def single(self) -> bool:
        """Whether one pod is named."""
        return self.kind in ("client_name", "pod_ip")

    @property
    def pod_uid(self) -> str | None:
        """Uid of the pod; None unless exactly one life fits."""
        return self.lives[0].pod_uid if self.single and len(self.lives) == 1 else None

    @property
    def candidates(self) -> list[str]:
        """``namespace/pod`` of each candidate when ambiguous."""
        return sorted({life.key for life in self.lives}) if self.kind == "ambiguous" else []

    def concerns(self, namespace: str | None, pod: str) -> bool:
        """Whether the pod is the answer or one of the candidates."""
        return any(
            life.pod == pod and (None in (namespace, life.namespace) or life.namespace == namespace)
            for life in self.lives
        )


class Matcher:
    """Matches connections of one evidence to its pods."""

    def __init__(self, lives: Sequence[Lifetime], ledger: Ledger, connections: Iterable[Connection] = ()) -> None:
        self.ledger = ledger
        self._by_name: dict[str, list[Lifetime]] = {}
        for life in lives:
            self._by_name.setdefault(life.pod, []).append(life)
        self._claims: dict[int, set[str]] = {}
        self._homeless = [life for life in lives if not life.value("pod_ips")]
        self._workloads_by_client_name: dict[str, set[tuple[str | None, str | None]]] = {}
        for connection in connections:
            self._note_claim(connection)

    def _note_claim(self, connection: Connection) -> None:
        """Remember which pods' names other pods' addresses carry: such a pod is a proxy, or its names lie.

        By pod and not by address, which several pods have one after the other, each rightly with its own name.
        """
        name = (connection.user_provided_name or "").strip()
        # A common word within a longer name claims nothing.
        named = [life for life in self._named(connection)[0] if life.pod == name or _DISTINCTIVE.search(life.pod)]
        if not named:
            return
        holders, _ = self._holders(connection)
        if any(holding.life is life for holding in holders for life in named):
            return
        for holding in holders:
            self._claims.setdefault(id(holding.life), set()).update(life.key for life in named)

    def match(self, connection: Connection) -> Match:
        """Whose the connection is."""
        named, how = self._named(connection)
        holders, shared = self._holders(connection)
        if named:
            return self._by_client_name(connection, named, how, holders, shared)
        return self._by_address(connection, holders, shared)

    def _named(self, connection: Connection) -> tuple[list[Lifetime], str]:
        """Lives that the client-provided name names and that were alive when the connection was opened."""
        name = (connection.user_provided_name or "").strip()
        if not name:
            return [], ""
        exact = self._alive(self._by_name.get(name, []), connection)
        if exact:
            return exact, f"the client-provided name {name!r} is the pod's name"
        found: dict[int, Lifetime] = {}
        for candidate in _names_within(name):
            for life in self._alive(self._by_name.get(candidate, []), connection):
                found[id(life)] = life
        pods = {life.pod for life in found.values()}
        if len(pods) != 1:
            return [], ""  # nobody's name, or names of several: it tells nothing
        return list(found.values()), f"the client-provided name {name!r} holds the pod's name"

    def _alive(self, lives: Iterable[Lifetime], connection: Connection) -> list[Lifetime]:
        begin = connection.begin
        return [life for life in lives if begin is None or life.may_live_at(begin)]

    def _holders(self, connection: Connection) -> tuple[list[Holding], str | None]:
        """Who had the peer's address when the connection was opened, and why the address may be shared."""
        address = self._address(connection)
        if address is None:
            return [], None
        node = self.ledger.node_of(address)
        begin = connection.begin
        if begin is None:
            holders = self.ledger.of(address)
        elif connection.connected_at is None:
            holders = [h for h in self.ledger.of(address) if h.overlaps(begin - _HALF_OPEN, begin + 1)]
        else:
            holders = self.ledger.holders(address, begin)
        if node is not None:
            return holders, f"{address} is the address of node {node}"
        if any(holding.host_network for holding in holders):
            return holders, f"{address} is shared by pods on its node's network"
        return holders, None

    def _address(self, connection: Connection) -> str | None:
        """The peer's address; also out of the cluster's own reverse DNS names."""
        host = connection.peer_host
        if host is None or is_address(host):
            return host
        dashed = _DASHED_ADDRESS.match(host)
        if dashed:
            return ".".join(dashed.groups())
        for address, node in self.ledger.nodes.items():
            if host in (node, node.split(".", 1)[0]) or host.startswith(f"{node}."):
                return address
        return None

    def _by_client_name(
        self, connection: Connection, named: list[Lifetime], how: str, holders: list[Holding], shared: str | None
    ) -> Match:
        spaces = {life.namespace for life in named}
        agreeing = [holding.life for holding in holders if any(holding.life is life for life in named)]
        if agreeing:
            return Match("client_name", tuple(agreeing), f"{how}, and {connection.peer_host} was its address")
        if len(spaces) > 1:
            return Match("ambiguous", tuple(named), f"{how}, but pods of several namespaces have that name")
        if shared is not None:
            return Match("client_name", tuple(named), f"{how}; {shared}, which hides the pod's own")
        if not holders:
            other = self.ledger.what_else(connection.peer_host or "")
            hidden = (
                f"; the peer {connection.peer_host} is {other}"
                if other
                else f"; no pod is known to have had {connection.peer_host}"
            )
            if self._contradicts_known_address(named, connection):
                hidden += " (a proxy or NAT between them)"
            return Match("client_name", tuple(named), how + hidden)
        proxies = [holding for holding in holders if self._is_proxy(holding)]
        if proxies and len(proxies) == len(holders):
            return Match("client_name", tuple(named), f"{how}; it came through the proxy {proxies[0].life.key}")
        others = ", ".join(sorted(holding.life.key for holding in holders))
        return Match(
            "ambiguous",
            (*named, *(holding.life for holding in holders)),
            f"{how}, but {connection.peer_host} was the address of {others}: the name may be copied, or {others} a proxy",
        )

    def _contradicts_known_address(self, named: list[Lifetime], connection: Connection) -> bool:
        known = [ip for life in named for ip in life.value("pod_ips") or []]
        return bool(known) and connection.peer_host not in known

    def _is_proxy(self, holding: Holding) -> bool:
        """Whether the holder speaks for others: by its name or image, or by the names that its address carries."""
        life = holding.life
        texts = [life.pod, str(life.value("workload") or ""), *(life.value("images") or [])]
        if any(_PROXY.search(text) for text in texts):
            return True
        return len(self._claims.get(id(life), ())) >= 2

    def _by_address(self, connection: Connection, holders: list[Holding], shared: str | None) -> Match:
        when = format_ns(connection.begin)
        if shared is not None:
            sharing = tuple(holding.life for holding in holders)
            if not sharing:
                return Match("none", (), f"{shared}: any pod behind it may have opened the connection")
            return Match("ambiguous", sharing, f"{shared}: its hostNetwork pods share it, and pods behind it may too")
        if not holders:
            return self._nobody(connection, when)
        lives = tuple({id(h.life): h.life for h in holders}.values())
        if len({(life.namespace, life.pod) for life in lives}) > 1:
            return Match("ambiguous", lives, f"several pods may have had {connection.peer_host} at {when}")
        holding = holders[0]
        begin = connection.begin or 0
        if (holding.begin is not None and begin < holding.begin + SECOND) or (holding.end or MAX_NS) - SECOND <= begin:
            # Whole seconds: in its first and last one the pod before or after it may have had the address.
            return Match("ambiguous", lives, f"{connection.peer_host} changed hands in that very second")
        if self._is_proxy(holding) or self._claims.get(id(holding.life)):
            return Match("ambiguous", lives, f"{holding.life.key} had {connection.peer_host} at {when}, but connections "
                         "from there carry other pods' names or it is a proxy: who was behind it is not known")  # fmt: skip
        opened = "when it was opened" if connection.connected_at is not None else "when it was first seen"
        return Match(
            "pod_ip", lives, f"{connection.peer_host} was the pod's address {opened} ({when}; {holding.source})"
        )

    def _nobody(self, connection: Connection, when: str | None) -> Match:
        host = connection.peer_host
        if host is None:
            return Match("none", (), "the broker told no peer address")
        if self._address(connection) is None:
            return self._by_host_name(connection, host)
        everybody = self.ledger.of(self._address(connection) or host)
        if everybody:
            names = ", ".join(sorted({holding.life.key for holding in everybody}))
            return Match(
                "none", (), f"nobody is known to have had {host} at {when}; at other times it was held by {names}"
            )
        return self._by_workload(connection, host)

    def _by_workload(self, connection: Connection, host: str) -> Match:
        """An address that nobody is known to have had: who lived then and left without a recorded address?

        Only a client name that ties the connection to one workload makes its gone pods candidates; otherwise any pod
        that is gone may have had the address, and none is named.
        """
        other = self.ledger.what_else(host)
        reason = f"no pod or node in the evidence had {host}" + (f"; it is {other}" if other else "")
        homeless = [life for life in self._alive(self._homeless, connection) if _lived_around(life, connection)]
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

    def learn_client_names(self, matched: Iterable[tuple[Connection, Match]]) -> None:
        """Remember which workloads' pods use which client names, from connections of one pod each."""
        for connection, match in matched:
            name = connection.user_provided_name
            if name and match.single:
                life = match.lives[0]
                self._workloads_by_client_name.setdefault(name, set()).add((life.namespace, life.value("workload")))

    def _by_host_name(self, connection: Connection, host: str) -> Match:
        """A reverse DNS name: a StatefulSet's pod stands in it with its namespace; anything else is nobody's."""
        first, _, rest = host.partition(".")
        labels = rest.split(".")
        fitting = [life for life in self._alive(self._by_name.get(first, []), connection) if life.namespace in labels]
        if len({life.namespace for life in fitting}) == 1:
            return Match(
                "ambiguous",
                tuple(fitting),
                f"the broker saw the reverse DNS name {host}, not an address; it looks like this pod's",
            )
        return Match("none", (), f"the broker saw the reverse DNS name {host}, not an address")


def _lived_around(life: Lifetime, connection: Connection) -> bool:
    """Whether a pod that is gone was there when the connection was opened, as far as its sightings tell."""
    begin, last = connection.begin, life.last_seen
    if begin is None or life.begin is None or last is None:
        return False
    return life.begin - SECOND <= begin <= last[0] + SECOND


def _names_within(text: str) -> list[str]:
    """Pod names that a longer client name may hold: whole tokens, and generated names between dashes."""
    found: list[str] = []
    for token in _TOKEN.findall(text):
        whole = token.strip("-.")
        found.append(whole)
        parts = re.split(r"(?<=[-.])", whole)
        for start in range(min(len(parts), 12)):
            for end in range(len(parts), start, -1):
                piece = "".join(parts[start:end]).strip("-.")
                if piece != whole and len(piece) >= 12 and _DISTINCTIVE.search(piece):
                    found.append(piece)
    return list(dict.fromkeys(found))
