"""Which pod a connection is of, with the reason; or who it may be; or nobody. Never a wrong single answer.

The order of the evidence: the client-provided name equals a pod's name; else the peer's address is one pod's in the
IP ledger when the connection was opened; else the candidates. What contradicts itself is ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from incident_kit.correlate.pods.holdings import Holding
from incident_kit.correlate.pods.ledger import Ledger
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.match import Match, alive, peer_address
from incident_kit.correlate.rabbitmq.unheld import Unheld
from incident_kit.normalise.kubernetes.names import ALPHABET
from incident_kit.window import MAX_NS, SECOND, format_ns

_TOKEN = re.compile(r"[a-z0-9][a-z0-9.-]*")
#: A name that only a generator makes: it may stand between dashes in a longer client name.
_DISTINCTIVE = re.compile(rf"-[{ALPHABET}]{{5}}$")
_PROXY = re.compile(
    r"(?:^|[-_/.:@])(?:proxy|haproxy|envoy|nginx|traefik|amqproxy|socat|kong)(?:$|[-_/.:@])|haproxy|amqproxy"
)
#: A dead pod's half-open connection lives until two heartbeats were missed.
_HALF_OPEN = 180 * SECOND


@dataclass(frozen=True, slots=True)
class _Named:
    """Lives of one pod that a client-provided name names, how, and what an address has to speak against, if anything."""

    lives: list[Lifetime]
    how: str
    doubt: str | None = None


class Matcher:
    """Matches connections of one evidence to its pods."""

    def __init__(self, lives: Sequence[Lifetime], ledger: Ledger, connections: Iterable[Connection] = ()) -> None:
        self.ledger = ledger
        self._by_name: dict[str, list[Lifetime]] = {}
        self._by_cut_name: dict[str, list[Lifetime]] = {}
        for life in lives:
            self._by_name.setdefault(life.pod, []).append(life)
            if (host_name := host_name_of(life.pod)) != life.pod:
                self._by_cut_name.setdefault(host_name, []).append(life)
        self._workloads = {life.value("workload") for life in lives if life.value("workload") not in (None, life.pod)}
        self._claims: dict[int, set[str]] = {}
        self._unheld = Unheld(lives, ledger, self._by_name)
        for connection in connections:
            self._note_claim(connection)

    def _note_claim(self, connection: Connection) -> None:
        """Remember which pods' names other pods' addresses carry: such a pod is a proxy, or its names lie.

        By pod and not by address, which several pods have one after the other, each rightly with its own name.
        """
        name = (connection.user_provided_name or "").strip()
        # A common word within a longer name claims nothing.
        by_name = self._named(connection)
        lives = by_name.lives if by_name is not None else []
        named = [life for life in lives if life.pod == name or _DISTINCTIVE.search(life.pod)]
        if not named:
            return
        holders, _ = self._holders(connection)
        if any(holding.life is life for holding in holders for life in named):
            return
        for holding in holders:
            self._claims.setdefault(id(holding.life), set()).update(life.key for life in named)

    def learn(self, matched: Iterable[tuple[Connection, Match]]) -> None:
        """Remember what connections of one pod each tell of those that nobody is known to have opened."""
        self._unheld.learn(matched)

    def match(self, connection: Connection) -> Match:
        """Whose the connection is."""
        if not connection.zone_known:
            # Hours may lie between what the log says and when it was: only what holds at any time may be concluded.
            connection = replace(connection, connected_at=None, first_seen_at=None, last_seen_at=None)
        named = self._named(connection)
        holders, shared = self._holders(connection)
        if named is not None:
            return self._by_client_name(connection, named, holders, shared)
        return self._by_address(connection, holders, shared)

    def _named(self, connection: Connection) -> _Named | None:
        """Lives that the client-provided name names and that were alive when the connection was opened."""
        name = (connection.user_provided_name or "").strip()
        if not name:
            return None
        exact = alive(self._by_name.get(name, []), connection)
        if exact:
            doubt = "a workload is called so, too" if name in self._workloads else None
            return _Named(exact, f"the client-provided name {name!r} is the pod's name", doubt)
        hosts = alive(self._by_cut_name.get(name, []), connection)
        if len({life.pod for life in hosts}) == 1:
            how = f"the client-provided name {name!r} is the pod's host name, its name cut at 63 characters"
            return _Named(hosts, how)
        found: dict[int, Lifetime] = {}
        for candidate in _names_within(name):
            for life in alive(self._by_name.get(candidate, []), connection):
                found[id(life)] = life
        found = {key: life for key, life in found.items() if not _of_another_namespace(name, life)}
        pods = {life.pod for life in found.values()}
        if len(pods) != 1:
            return None  # nobody's name, or names of several: it tells nothing
        lives = list(found.values())
        told = _DISTINCTIVE.search(lives[0].pod) or any(f"{life.namespace}/{life.pod}" in name for life in lives)
        doubt = None if told else "other clients' names may hold that word, too"
        return _Named(lives, f"the client-provided name {name!r} holds the pod's name", doubt)

    def _holders(self, connection: Connection) -> tuple[list[Holding], str | None]:
        """Who had the peer's address when the connection was opened, and why the address may be shared."""
        address = peer_address(connection, self.ledger)
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

    def _by_client_name(
        self, connection: Connection, by_name: _Named, holders: list[Holding], shared: str | None
    ) -> Match:
        named, how = by_name.lives, by_name.how
        spaces = {life.namespace for life in named}
        agreeing = [holding.life for holding in holders if any(holding.life is life for life in named)]
        if agreeing:
            return Match("client_name", tuple(agreeing), f"{how}, and {connection.peer_host} was its address")
        if len(spaces) > 1:
            return Match("ambiguous", tuple(named), f"{how}, but pods of several namespaces have that name")
        if by_name.doubt is not None and (not holders or shared is not None):
            return Match("ambiguous", tuple(named), f"{how}, but {by_name.doubt}, and no address speaks for it")
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
            return self._unheld.match(connection)
        lives = tuple({id(h.life): h.life for h in holders}.values())
        if len({(life.namespace, life.pod) for life in lives}) > 1:
            return Match("ambiguous", lives, f"several pods may have had {connection.peer_host} at {when}")
        if not connection.zone_known:
            return Match("ambiguous", lives, f"the broker's log carries no zone: when {connection.peer_host} opened it is "
                         "not known")  # fmt: skip
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


def _of_another_namespace(name: str, life: Lifetime) -> bool:
    """Whether ``NAMESPACE/POD`` in a client name speaks of another namespace's pod of the same name.

    What stands before the slash may be a service's name as well; a generated name is no other pod's anyway.
    """
    before = re.search(rf"([a-z0-9][a-z0-9-]*)/{re.escape(life.pod)}(?![a-z0-9-])", name)
    own = (life.namespace, life.value("workload"), life.value("application"), None)
    return before is not None and before[1] not in own and not _DISTINCTIVE.search(life.pod)


def host_name_of(pod: str) -> str:
    """The host name that a pod's container sees: its name, which the kubelet cuts at 63 characters."""
    return pod[:63].rstrip("-.")


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
