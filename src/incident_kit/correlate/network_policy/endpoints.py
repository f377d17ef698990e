"""Endpoint: one side of a connection as NetworkPolicies see it; Services resolved to the pods behind them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from incident_kit.correlate.objects import Objects, labels_of, name_of, namespace_of
from incident_kit.nested import Document, listing, mapping

#: Set by the API server on every namespace since 1.21.
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One side of a connection.

    Attributes:
        name: what to call it.
        namespace: None for an address outside of the cluster.
        labels: of the pod.
        namespace_labels: of its namespace.
        addresses: its IP addresses; empty when not known.
        named_ports: port number by (name, protocol), for policies that name a port.
        host_network: it has its node's address, so policies cannot tell it from the node.
        unknown: nobody knows where it is: only what holds for every peer can be said.
    """

    name: str
    namespace: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    namespace_labels: dict[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    named_ports: dict[tuple[str, str], int] = field(default_factory=dict)
    host_network: bool = False
    unknown: bool = False

    @property
    def is_pod(self) -> bool:
        """Whether pod and namespace selectors can select it."""
        return self.namespace is not None and not self.host_network


def external(address: str, name: str | None = None) -> Endpoint:
    """An address outside of the cluster."""
    return Endpoint(name=name or address, addresses=(address,))


def endpoint_of_pod(pod: Document, objects: Objects) -> Endpoint:
    """A pod as an endpoint."""
    namespace = namespace_of(pod)
    status = mapping(pod, "status")
    addresses = [str(ip["ip"]) for ip in listing(status, "podIPs") if ip.get("ip")]
    if not addresses and isinstance(status.get("podIP"), str) and status["podIP"]:
        addresses = [status["podIP"]]
    ports = {
        (str(p["name"]), str(p.get("protocol") or "TCP")): p["containerPort"]
        for c in [*listing(pod, "spec", "containers"), *listing(pod, "spec", "initContainers")]
        for p in listing(c, "ports")
        if p.get("name") and isinstance(p.get("containerPort"), int)
    }
    return Endpoint(
        name=name_of(pod),
        namespace=namespace,
        labels=labels_of(pod),
        namespace_labels=namespace_labels(namespace, objects),
        addresses=tuple(addresses),
        named_ports=ports,
        host_network=mapping(pod, "spec").get("hostNetwork") is True,
    )


def namespace_labels(namespace: str | None, objects: Objects) -> dict[str, str]:
    """Labels of a namespace; its name is a label even where the Namespace object was not captured."""
    document = objects.get("Namespace", None, namespace) if namespace else None
    own = {_NAMESPACE_NAME: namespace} if namespace else {}
    return {**own, **(labels_of(document) if document else {})}


def service_targets(service: Document, port: Document, objects: Objects) -> Iterator[tuple[Endpoint, int]]:
    """Pods (or addresses) and port numbers that connections to a Service's port end at.

    Policies are evaluated on what the connection ends at, not on the Service's own address and port.
    """
    selector = mapping(service, "spec", "selector")
    protocol = str(port.get("protocol") or "TCP")
    target: Any = port.get("targetPort") or port.get("port")
    if not selector:
        yield from _slice_targets(service, port, objects)
        return
    for pod in objects.labelled("Pod", namespace_of(service), selector):
        if mapping(pod, "status").get("phase") in {"Succeeded", "Failed"}:
            continue
        endpoint = endpoint_of_pod(pod, objects)
        number = target if isinstance(target, int) else endpoint.named_ports.get((str(target), protocol))
        if number is not None:
            yield endpoint, number


def _slice_targets(service: Document, port: Document, objects: Objects) -> Iterator[tuple[Endpoint, int]]:
    """A Service without selector: its addresses stand in EndpointSlices that somebody wrote."""
    for part in objects.labelled(
        "EndpointSlice", namespace_of(service), {"kubernetes.io/service-name": name_of(service)}
    ):
        # The API writes the name of a nameless port as an empty one into slices, and leaves it out of Services.
        named = [p for p in listing(part, "ports") if (p.get("name") or "") == (port.get("name") or "")]
        numbers = [p["port"] for p in named if p.get("port")]
        for entry in listing(part, "endpoints"):
            for address in entry.get("addresses") or []:
                for number in numbers:
                    yield external(str(address), f"{name_of(service)} ({address})"), int(number)


def in_block(address: str, block: Document) -> bool:
    """Whether an address lies in an ipBlock's cidr and in none of its exceptions; families never mix."""
    return _inside(address, block.get("cidr")) and not any(_inside(address, e) for e in block.get("except") or [])


def _inside(address: str, cidr: object) -> bool:
    try:
        network = ipaddress.ip_network(str(cidr), strict=False)
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False
