"""Network policies between services, RabbitMQ and Elasticsearch, as objects: the lab stores them and enforces nothing."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from tests.lab.deploys.manifests import LABEL, Manifest, deployment, network_policy, service
from tests.lab.deploys.world import World

SERVERS = "till-servers"
#: Client namespace -> which system its pods are configured for.
CLIENTS = {
    "till-open": "rabbit",
    "till-denied": "rabbit",
    "till-block": "rabbit",
    "till-named": "rabbit",
    "till-other": "rabbit",
    "till-spared": "rabbit",
    "till-reader": "elastic",
}
NAMESPACES = (SERVERS, *CLIENTS)
VARIABLE = {"rabbit": "RabbitMq__HostName", "elastic": "Elasticsearch__Url"}
DNS = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}


def _to_servers(*ports: object) -> Manifest:
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": SERVERS}}}]
    return {"to": peers, "ports": [{"protocol": "TCP", "port": port} for port in ports]}


def seed(world: World) -> None:
    """Servers, clients, and policies that let everybody through."""
    world.application("till-netpol", *_policies(), automated=True)
    for system, port, name in (("rabbitmq", 5672, "amqp"), ("elasticsearch", 9200, "http")):
        ports = {"ports": [{"name": name, "containerPort": port}]}
        made = deployment(system, namespace=SERVERS, container=ports)
        front = service(
            system, {"app": system}, namespace=SERVERS, ports=[{"name": name, "port": port, "targetPort": name}]
        )
        world.lab.apply(made, front)
    for namespace, system in CLIENTS.items():
        variable = {"env": [{"name": VARIABLE[system], "value": "server.example.test"}]}
        world.lab.apply(deployment("worker", namespace=namespace, container=variable))


def _policies(*, denied: list[Any] | None = None, block: list[Any] | None = None) -> list[Manifest]:
    """All policies; ``denied`` and ``block`` are egress rules of two of them, ``None`` for the first, open ones."""
    both = {"policyTypes": ["Ingress", "Egress"], "ingress": [{}]}
    out = {"policyTypes": ["Egress"]}
    open_rules = [_to_servers(5672, 9200), DNS]
    return [
        network_policy("out", "till-denied", {}, **both, egress=denied if denied is not None else open_rules),
        network_policy(
            "out", "till-block", {"app": "worker"}, **out, egress=block if block is not None else open_rules
        ),
        network_policy("out", "till-named", {}, **out, egress=[_to_servers("amqp", "http"), DNS]),
        network_policy("out", "till-other", {}, **out, egress=open_rules),
        network_policy("out", "till-spared", {"app": "somebody-else"}, **out),
    ]


def first_syncs(world: World) -> None:
    """Wait until the clients and servers run."""
    world.available("-A", "-l", f"{LABEL} in ({', '.join(NAMESPACES)})")


def play(world: World) -> None:
    """A default deny that forgets RabbitMQ, an exception that hits it, and a guard before Elasticsearch."""
    path = "jsonpath={.items[0].status.podIP}"
    address = world.lab.kubectl("-n", SERVERS, "get", "pods", "-l", "app=rabbitmq", "-o", path)
    but = [{"to": [{"ipBlock": {"cidr": "10.88.0.0/16", "except": [f"{address}/32"]}}]}, DNS]
    guard = network_policy(
        "guard", SERVERS, {"app": "elasticsearch"}, policyTypes=["Ingress"],
        ingress=[{"from": [{"namespaceSelector": {"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["till-reader"]}]}}],
            "ports": [{"port": "http"}]}],
    )  # fmt: skip
    world.git.write("apps/till-netpol/all.yaml", *_policies(denied=[DNS], block=but), guard)
    with ExitStack() as acts:  # one sync brings both: they share its time
        for namespace in ("till-denied", "till-block"):
            world.expect("netpol-denies", "NetworkPolicy", "out", "changed so that it denies", namespace=namespace)
            more: dict[str, Any] = {"application": "till-netpol", "automated": True, "told": "autosync of a policy"}
            acts.enter_context(
                world.act(("network_policy",), "NetworkPolicy", "out", None, namespace=namespace, **more)
            )
        revision = world.git.commit("Least privilege")
        world.arrives("till-netpol", revision, lambda: _exists(world, "guard"), "NetworkPolicy guard")
    world.expect("netpol-denies", "NetworkPolicy", "guard", "lets everybody but one namespace in", namespace=SERVERS)
    for namespace, why in (
        ("till-named", "allows it by the port's name"),
        ("till-other", "denies other places"),
        ("till-spared", "selects other pods"),
    ):
        world.spare("netpol-denies", "NetworkPolicy", "out", why, namespace=namespace)


def _exists(world: World, name: str) -> bool:
    return bool(
        world.lab.kubectl("-n", SERVERS, "get", "networkpolicy", name, "--ignore-not-found", "-o", "name").strip()
    )
