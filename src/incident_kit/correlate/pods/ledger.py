"""IP ledger: which pod held which address from when to when, and what else an address may be.

An answer is none, one or several with the reason. It is never one for an address of a node, a proxy or of pods that
share their node's network, because behind these stands anybody.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.pods.gone import objects_of_kind
from incident_kit.correlate.pods.identity import lifetimes
from incident_kit.correlate.pods.lifetimes import Fact, Lifetime
from incident_kit.nested import listing, mapping, text
from incident_kit.normalise.rabbitmq.endpoints import is_address, plain_address
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


#: A pod that is told to end keeps its address for its grace period, which nobody recorded for a pod that is gone.
_GRACE = 60 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One pod's hold of one address.

    Attributes:
        ip: the address in its shortest spelling.
        life: the pod.
        begin: earliest instant it is known to have had the address (ns); None where unknown.
        possible_from: earlier instant from which it may have had it, when its sandbox was made anew at ``begin``: which
            address it had before nobody recorded.
        end: first instant it cannot have it any more; None while it has it, or where unknown.
        host_network: whether it shares its node's address.
        source: what the interval rests on.
        open_ended: whether nobody knows when it ended (a pod that is gone).
    """

    ip: str
    life: Lifetime
    begin: int | None
    end: int | None
    host_network: bool
    source: str
    open_ended: bool = False
    possible_from: int | None = None

    def covers(self, instant: int) -> bool:
        """Whether the pod may have had the address then."""
        return (self.begin is None or self.begin <= instant) and (self.end is None or instant < self.end)

    def overlaps(self, start: int, end: int) -> bool:
        """Whether the pod may have had the address at some instant of ``[start, end)``."""
        return (self.begin is None or self.begin < end) and (self.end is None or self.end > start)

    def possibly_covers(self, instant: int) -> bool:
        """Whether the pod lived then in an earlier sandbox, which may have had the address or another one."""
        return self.possible_from is not None and self.begin is not None and self.possible_from <= instant < self.begin


class Ledger:
    """All holdings of one evidence, and the addresses of nodes and Services."""

    def __init__(
        self,
        holdings: Iterable[Holding],
        nodes: dict[str, str] | None = None,
        services: dict[str, str] | None = None,
        pod_ranges: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.holdings = sorted(_cut(list(holdings)), key=lambda h: (h.ip, h.begin or 0, h.life.key))
        self.nodes, self.services = nodes or {}, services or {}
        self.pod_ranges = tuple(pod_ranges)
        self._ranges = [(ip_network(cidr, strict=False), node) for cidr, node in self.pod_ranges]
        self._by_ip: dict[str, list[Holding]] = {}
        for holding in self.holdings:
            self._by_ip.setdefault(holding.ip, []).append(holding)

    def of(self, ip: str) -> list[Holding]:
        """Every holding of an address, in time order."""
        return self._by_ip.get(plain_address(ip) or ip, [])

    def holders(self, ip: str, instant: int) -> list[Holding]:
        """Who may have had the address then."""
        return [holding for holding in self.of(ip) if holding.covers(instant)]

    def possible_holders(self, ip: str, instant: int) -> list[Holding]:
        """Pods that have the address since, and lived in an earlier sandbox then."""
        return [holding for holding in self.of(ip) if holding.possibly_covers(instant)]

    def single(self, ip: str, instant: int) -> Holding | None:
        """The one pod that had the address of its own then; None for none, several, nodes and shared addresses."""
        if self.node_of(ip) is not None:
            return None
        holders = self.holders(ip, instant)
        return holders[0] if len(holders) == 1 and not holders[0].host_network else None

    def node_of(self, ip: str) -> str | None:
        """The Kubernetes node that has the address."""
        return self.nodes.get(plain_address(ip) or ip)

    def what_else(self, ip: str) -> str | None:
        """What an address is that no pod holds: a Service's, in a node's pod range; None when nothing is known."""
        address = plain_address(ip) or ip
        if address in self.services:
            return f"the address of Service {self.services[address]}"
        if not is_address(address):
            return None
        for network, node in self._ranges:
            if _contains(network, address):
                return f"in the pod range {network} of node {node}: a pod that was gone before capture, or the node's bridge"
        return None


def _contains(network: Any, address: str) -> bool:
    from ipaddress import ip_address

    parsed = ip_address(address)
    return bool(parsed.version == network.version and parsed in network)


def ip_ledger(evidence: Evidence) -> Ledger:
    """The ledger of one bundle."""

    def build() -> Ledger:
        lives = lifetimes(evidence)
        nodes, ranges = _nodes(evidence)
        for life in lives:
            host_ip, node = plain_address(life.value("host_ip")), life.value("node")
            if host_ip and node:
                nodes.setdefault(host_ip, node)
        return Ledger(holdings_of(lives), nodes, _services(evidence), ranges)

    return evidence.memo("ip_ledger", build)


def holdings_of(lives: Iterable[Lifetime]) -> list[Holding]:
    """What each life had: from the kubelet's start of the pod to the end of its last container.

    A finished pod goes on showing its address, which another pod may own by then, so its hold ends with the second
    in which its last container ended (the API's times are whole seconds).
    """
    found: list[Holding] = []
    for life in lives:
        found += _held_before(life)
        fact = life.facts.get("pod_ips")
        if fact is None and life.value("host_network") is True and life.value("host_ip"):
            fact = Fact([life.value("host_ip")], True, "its node's address (hostNetwork)")
        if fact is None:
            continue
        begin = life.value("started_at") or life.value("scheduled_at") or life.begin
        end = life.end
        possible_from, sandbox_at = None, life.value("sandbox_at")
        if sandbox_at is not None and (begin is None or begin < sandbox_at) and (end is None or sandbox_at < end):
            possible_from, begin = begin, sandbox_at
        if end is not None:
            end = end - end % SECOND + SECOND
        gone = not life.captured
        if gone and end is not None:
            end += _GRACE
        absent_at = life.value("absent_at")
        if end is None and absent_at is not None:
            end, gone = absent_at, True
        for ip in fact.value:
            address = plain_address(ip)
            if address is None:
                continue
            found.append(
                Holding(
                    ip=address,
                    life=life,
                    begin=begin,
                    end=end,
                    host_network=life.value("host_network") is True,
                    source=fact.source if fact.observed else f"{fact.source} (inferred)",
                    open_ended=gone,
                    possible_from=None if life.value("host_network") is True else possible_from,
                )
            )
    return found


def _held_before(life: Lifetime) -> list[Holding]:
    """Addresses of the pod's earlier sandboxes."""
    return [
        Holding(
            ip=address,
            life=life,
            begin=held.begin,
            end=held.end,
            host_network=life.value("host_network") is True,
            source=held.source,
        )
        for held in life.held
        for ip in held.pod_ips
        if (address := plain_address(ip)) is not None
    ]


def _cut(holdings: list[Holding]) -> list[Holding]:
    """Holds of pods that are gone, ended where the next pod took the address.

    Nobody recorded when they ended; a live pod's hold is never cut, so a true clash stays visible as several.
    """
    begins: dict[str, list[int]] = {}
    for holding in holdings:
        if holding.begin is not None and not holding.host_network:
            begins.setdefault(holding.ip, []).append(holding.begin)
    for starts in begins.values():
        starts.sort()
    cut: list[Holding] = []
    for holding in holdings:
        starts = begins.get(holding.ip, [])
        position = bisect_right(starts, holding.begin or 0)
        if holding.open_ended and not holding.host_network and position < len(starts):
            last = holding.life.last_seen[0] if holding.life.last_seen else None
            taken = starts[position]
            if (last is None or last < taken) and (holding.end is None or holding.end > taken):
                holding = replace(holding, end=taken, source=f"{holding.source}; ended when the address was taken")
        cut.append(holding)
    return cut


def _nodes(evidence: Evidence) -> tuple[dict[str, str], list[tuple[str, str]]]:
    addresses: dict[str, str] = {}
    ranges: list[tuple[str, str]] = []
    for node in objects_of_kind(evidence, "Node"):
        name = text(node, "metadata", "name") or ""
        for address in listing(node, "status", "addresses"):
            value = plain_address(text(address, "address"))
            if value:
                addresses[value] = name
        cidrs = mapping(node, "spec").get("podCIDRs") or [mapping(node, "spec").get("podCIDR")]
        ranges += [(cidr, name) for cidr in cidrs if isinstance(cidr, str) and _is_network(cidr)]
    return addresses, ranges


def _is_network(cidr: str) -> bool:
    try:
        ip_network(cidr, strict=False)
    except ValueError:
        return False
    return True


def _services(evidence: Evidence) -> dict[str, str]:
    found: dict[str, str] = {}
    for service in objects_of_kind(evidence, "Service"):
        key = f"{text(service, 'metadata', 'namespace')}/{text(service, 'metadata', 'name')}"
        spec = mapping(service, "spec")
        addresses = [spec.get("clusterIP"), spec.get("loadBalancerIP")]
        for field in ("clusterIPs", "externalIPs"):
            value = spec.get(field)
            addresses += value if isinstance(value, list) else []
        addresses += [text(i, "ip") for i in listing(service, "status", "loadBalancer", "ingress")]
        for address in addresses:
            if isinstance(address, str) and address not in ("", "None"):
                found[plain_address(address) or address] = key
    return found
