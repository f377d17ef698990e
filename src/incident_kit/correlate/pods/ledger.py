"""IP ledger: which pod held which address from when to when, and what else an address may be.

An answer is none, one or several with the reason. It is never one for an address of a node, a proxy or of pods that
share their node's network, because behind these stands anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.pods.gone import objects_of_kind
from incident_kit.correlate.pods.holdings import Holding, ended_when_taken, holdings_of
from incident_kit.correlate.pods.identity import lifetimes
from incident_kit.nested import listing, mapping, text
from incident_kit.normalise.rabbitmq.endpoints import is_address, plain_address

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


class Ledger:
    """All holdings of one evidence, and the addresses of nodes and Services."""

    def __init__(
        self,
        holdings: Iterable[Holding],
        nodes: dict[str, str] | None = None,
        services: dict[str, str] | None = None,
        pod_ranges: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.holdings = sorted(ended_when_taken(list(holdings)), key=lambda h: (h.ip, h.begin or 0, h.life.key))
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
        """Pods that may have had the address then, though nothing says so."""
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
