"""Servers that pods need: RabbitMQ and Elasticsearch as Services of the cluster, and which pods use them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from incident_kit.correlate.network_policy.endpoints import Endpoint, endpoint_of_pod, external, service_targets
from incident_kit.correlate.objects import Objects, name_of, namespace_of
from incident_kit.nested import Document, listing, mapping, whole

#: Registered ports: AMQP and AMQPS; Elasticsearch's HTTP.
_PORTS = {5672: "RabbitMQ", 5671: "RabbitMQ", 9200: "Elasticsearch"}
#: Ports to try where no server is known: also those of hosted ones.
_USUAL_PORTS = {"RabbitMQ": (5672, 5671), "Elasticsearch": (9200, 9243, 443)}
_SERVER_SIDE = re.compile(r"-> \[?(?P<address>[0-9a-fA-F.:]+?)\]?:(?P<port>\d+)$")
_NAMES = {"RabbitMQ": re.compile(r"rabbit|amqp", re.IGNORECASE), "Elasticsearch": re.compile(r"elastic", re.IGNORECASE)}


@dataclass(frozen=True, kw_only=True)
class Server:
    """One port of a Service that is RabbitMQ's or Elasticsearch's.

    Attributes:
        system: RabbitMQ or Elasticsearch.
        service: ``namespace/name`` of the Service.
        targets: what connections to it end at, with port numbers.
        certain: whether its place is known.
        protocol: TCP, UDP or SCTP.
    """

    system: str
    service: str
    targets: tuple[tuple[Endpoint, int], ...]
    certain: bool = True
    protocol: str = "TCP"


def servers(objects: Objects, connections: Iterable[str] = ()) -> list[Server]:
    """Where RabbitMQ and Elasticsearch are, as far as the evidence tells.

    Args:
        objects: Services with their registered ports.
        connections: names of RabbitMQ connections, ``10.2.3.4:40631 -> 10.0.0.5:5672``: they end at the broker's address.

    Returns:
        Servers of both systems. For one that the evidence does not place, a server at an unknown address: what keeps a pod
        from every peer keeps it from that one too.
    """
    found = list(_services(objects))
    if not any(s.system == "RabbitMQ" for s in found):
        found += _connected(connections, objects)
    for system, ports in _USUAL_PORTS.items():
        if not any(s.system == system for s in found):
            nowhere = Endpoint(name=f"{system} at an unknown address", unknown=True)
            found.append(
                Server(system=system, service=nowhere.name, targets=tuple((nowhere, p) for p in ports), certain=False)
            )
    return found


def _connected(connections: Iterable[str], objects: Objects) -> Iterator[Server]:
    ends = {(m["address"], int(m["port"])) for name in connections if (m := _SERVER_SIDE.search(name))}
    pods = {address: p for p in objects.of("Pod") for address in endpoint_of_pod(p, objects).addresses}
    targets = [
        (endpoint_of_pod(pods[address], objects) if address in pods else external(address, f"broker {address}"), port)
        for address, port in sorted(ends)
        if not address.startswith("127.")
    ]
    if targets:
        yield Server(system="RabbitMQ", service="the broker its connections end at", targets=tuple(targets))


def _services(objects: Objects) -> Iterator[Server]:
    """RabbitMQ and Elasticsearch among the cluster's Services, by their registered ports."""
    for service in objects.of("Service"):
        for port in listing(service, "spec", "ports"):
            system = _PORTS.get(whole(port, "port") or 0) or _PORTS.get(whole(port, "targetPort") or 0)
            if system is None:
                continue
            targets = tuple(service_targets(service, port, objects))
            if targets:
                yield Server(system=system, service=f"{namespace_of(service)}/{name_of(service)}", targets=targets)


def uses(pod: Document, system: str, objects: Objects) -> str | None:
    """What shows that a pod uses a system: names of its variables and of the data keys it reads; None when nothing."""
    pattern = _NAMES[system]
    for container in listing(pod, "spec", "containers"):
        for variable in listing(container, "env"):
            if pattern.search(str(variable.get("name"))):
                return f"variable {variable['name']}"
        for source in listing(container, "envFrom"):
            for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                name = mapping(source, key).get("name")
                config = objects.get(kind, namespace_of(pod), str(name)) if name else None
                for data_key in mapping(config, "data"):
                    if pattern.search(data_key):
                        return f"key {data_key} of {kind} {name}"
    return None
