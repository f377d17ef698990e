"""Three namespaces x, y, z with pods a, b, c each, as the Kubernetes e2e tests of NetworkPolicies use them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from incident_kit.correlate.network_policy import Endpoint, may_connect

NAMESPACES, PODS = "xyz", "abc"
Policy = dict[str, Any]
Pair = tuple[str, str]

#: Serving ports are named as in the e2e tests.
_PORTS = {(f"serve-{port}-{protocol.lower()}", protocol): port for port in (80, 81) for protocol in ("TCP", "UDP")}


def endpoint(name: str, **labels: str) -> Endpoint:
    """The pod ``x/a``."""
    namespace, pod = name.split("/")
    number = NAMESPACES.index(namespace) * 10 + PODS.index(pod) + 1
    return Endpoint(
        name=pod,
        namespace=namespace,
        labels={"pod": pod, **labels},
        namespace_labels={"kubernetes.io/metadata.name": namespace, "ns": namespace},
        addresses=(f"10.0.0.{number}",),
        named_ports=dict(_PORTS),
    )


EVERY = [f"{namespace}/{pod}" for namespace in NAMESPACES for pod in PODS]


def policy(
    namespace: str = "x",
    pod: str | None = None,
    *,
    ingress: list[Any] | None = None,
    egress: list[Any] | None = None,
    types: list[str] | None = None,
    selector: dict[str, Any] | None = None,
    name: str = "policy",
) -> Policy:
    """A NetworkPolicy; a direction given as a list is one of its types."""
    chosen = selector if selector is not None else ({"matchLabels": {"pod": pod}} if pod else {})
    spec: dict[str, Any] = {"podSelector": chosen}
    if ingress is not None:
        spec["ingress"] = ingress
    if egress is not None:
        spec["egress"] = egress
    given = [t for t, rules in (("Ingress", ingress), ("Egress", egress)) if rules is not None]
    spec["policyTypes"] = types if types is not None else given
    return {"kind": "NetworkPolicy", "metadata": {"namespace": namespace, "name": name}, "spec": spec}


def denied(
    policies: Iterable[Policy], port: int = 80, protocol: str = "TCP", changed: dict[str, Endpoint] | None = None
) -> set[Pair]:
    """Pairs (source, target) of different pods between which the policies deny the port."""
    known = {name: endpoint(name) for name in EVERY} | (changed or {})
    found = list(policies)
    return {
        (source, target)
        for source in EVERY
        for target in EVERY
        if source != target and not may_connect(known[source], known[target], port, found, protocol).allowed
    }


def pairs(source: str = "*", target: str = "*") -> set[Pair]:
    """Pairs of different pods; ``*``, a namespace ``x/*`` or a pod ``x/a`` on each side."""

    def fits(name: str, pattern: str) -> bool:
        return pattern == "*" or name == pattern or (pattern.endswith("/*") and name[0] == pattern[0])

    return {(s, t) for s in EVERY for t in EVERY if s != t and fits(s, source) and fits(t, target)}


def namespaces(**labels: str) -> dict[str, Any]:
    """A namespaceSelector by labels."""
    return {"namespaceSelector": {"matchLabels": labels}}


def pods(name: str) -> dict[str, Any]:
    """A podSelector by the label pod."""
    return {"podSelector": {"matchLabels": {"pod": name}}}
