"""Whose connections are there: pods with an address each, their client's protocol, and how it names itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.lab.credentials import instant
from tests.lab.rabbitmq4.settings import ODD_VHOST

NAMESPACE = "shop"
NODE_NAME, NODE_ADDRESS = "worker-1", "127.4.0.250"
ONE, ANY = "one pod", "several or nobody"
_RANDOM_NAMES = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True)
class Client:
    """One pod and its client.

    Attributes:
        case: what it is for; also its workload.
        protocol: amqp091, amqp10, mqtt, stomp, stream, silent, probe.
        node: number of the broker node it goes to first.
        name: how it names itself; ``{pod}`` stands for the pod's name, ``{other}`` for another's, None for nothing.
        honest: whether an honest answer names exactly one pod.
        address: last part of its address; None for one of its own.
        settings: more for the client.
    """

    case: str
    protocol: str = "amqp091"
    node: int = 1
    name: str | None = "{pod}"
    honest: str = ONE
    address: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """Its place among the clients."""
        return CLIENTS.index(self)

    @property
    def pod(self) -> str:
        """The pod's name, as a ReplicaSet makes them."""
        letters = "".join(_RANDOM_NAMES[(self.number * step + step) % len(_RANDOM_NAMES)] for step in (1, 3, 5, 7, 11))
        return f"{self.case}-6d4cf56db6-{letters}"

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.pod))

    @property
    def ip(self) -> str:
        """Where it connects from."""
        return NODE_ADDRESS if self.address == 250 else f"127.4.1.{self.address or self.number + 10}"

    @property
    def client_name(self) -> str | None:
        """How it names itself."""
        return self.name.format(pod=self.pod, other=CLIENTS[0].pod) if self.name else None


_STAYS = {"returns": True}
CLIENTS: tuple[Client, ...] = (
    *(Client(f"orders{node}", node=node, settings={**_STAYS, "publishes": True}) for node in (1, 2, 3)),
    *(Client(f"quiet{node}", node=node, name=None, settings={**_STAYS, "vhost": "team-07"}) for node in (1, 2, 3)),
    Client("within", node=2, name="orders-worker/{pod}", settings=_STAYS),
    Client("word", node=1, name="worker", settings=_STAYS),
    Client("oddvhost", node=2, settings={**_STAYS, "vhost": ODD_VHOST}),
    Client("oddname", node=1, name="it's, vhost: 'y' -> (1)\nsecond line", settings=_STAYS),
    Client("classic", node=3, settings={**_STAYS, "queue": "classic", "queue_type": "classic", "publishes": True}),
    Client("liar", node=2, name="{other}", honest=ANY, settings=_STAYS),
    Client("forgets", node=1, settings={"queue": "forgotten", "acknowledges": False, "publishes": True}),
    *(Client(f"ledger{node}", "amqp10", node, settings={**_STAYS, "publishes": True}) for node in (1, 2, 3)),
    Client("ledgerless", "amqp10", 1, name=None, settings=_STAYS),
    Client("ledgerteam", "amqp10", 3, settings={**_STAYS, "vhost": "team-07"}),
    Client("sends", "amqp10", 2, settings={**_STAYS, "publishes": True, "consumes": False}),
    *(Client(f"till{node}", "mqtt", node, settings={**_STAYS, "version": node + 2}) for node in (1, 2, 3)),
    Client("tillless", "mqtt", 1, name=None, settings=_STAYS),
    *(Client(f"desk{node}", "stomp", node, name=None, settings={**_STAYS, "heartbeat": 5}) for node in (1, 3)),
    *(Client(f"journal{node}", "stream", node, settings=_STAYS) for node in (1, 2, 3)),
    Client("journalless", "stream", 3, name=None, settings=_STAYS),
    Client("hostnamed", node=1, address=250, settings=_STAYS),
    Client("hostquiet", node=2, name=None, honest=ANY, address=250, settings=_STAYS),
    Client("hostledger", "amqp10", 3, honest=ANY, name=None, address=250, settings=_STAYS),
    # What comes to a bad end by itself or by the player's hand.
    *(Client(f"dies-{protocol}", protocol, 1) for protocol in ("amqp091", "amqp10", "mqtt", "stomp", "stream")),
    *(
        Client(f"stalls-{protocol}", protocol, 2, settings={"heartbeat": 3})
        for protocol in ("amqp091", "amqp10", "mqtt", "stomp")
    ),
    *(
        Client(f"leaves-{protocol}", protocol, 3, name="{pod}")
        for protocol in ("amqp091", "amqp10", "mqtt", "stomp", "stream")
    ),
    Client("leaves-textlog", "amqp10", 1),
    *(Client(f"forced-{protocol}", protocol, 2) for protocol in ("amqp091", "amqp10", "mqtt", "stomp", "stream")),
    *(Client(f"begins{node}", "silent", node, name=None) for node in (1, 3)),
    *(Client(f"looks{node}", "probe", node, name=None) for node in (1, 3)),
    *(
        Client(f"refused-{protocol}", protocol, 1, settings={"user": "plain"})
        for protocol in ("amqp091", "amqp10", "mqtt", "stomp", "stream")
    ),
    Client("wrongword", node=1, settings={"password": "wrong"}),
    Client("novhost", node=1, settings={"vhost": "nowhere"}),
)
BY_CASE = {client.case: client for client in CLIENTS}


def objects(started: int) -> dict[str, list[dict[str, Any]]]:
    """Kubernetes' objects of these pods, as its API lists them, by plural."""
    made = instant(started - started % 1_000_000_000 - 60_000_000_000)
    return {"pods": [_pod(client, made) for client in CLIENTS], "nodes": [_node(made)]}


def _pod(client: Client, made: str) -> dict[str, Any]:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{client.case}-6d4cf56db6", "uid": client.uid[::-1],
             "controller": True}  # fmt: skip
    container = {"name": client.protocol, "image": f"registry/{client.case}:1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": client.pod, "namespace": NAMESPACE, "uid": client.uid, "creationTimestamp": made,
            "labels": {"app": client.case, "pod-template-hash": "6d4cf56db6"}, "ownerReferences": [owner],
        },
        "spec": {"nodeName": NODE_NAME, "hostNetwork": client.ip == NODE_ADDRESS, "containers": [container]},
        "status": {
            "phase": "Running", "startTime": made, "hostIP": NODE_ADDRESS, "podIP": client.ip,
            "podIPs": [{"ip": client.ip}],
            "containerStatuses": [
                {**container, "restartCount": 0, "ready": True, "imageID": "", "state": {"running": {"startedAt": made}}}
            ],
        },
    }  # fmt: skip


def _node(made: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": NODE_NAME,
            "uid": str(uuid.uuid5(uuid.NAMESPACE_DNS, NODE_NAME)),
            "creationTimestamp": made,
        },
        "spec": {"podCIDR": "127.4.1.0/24", "podCIDRs": ["127.4.1.0/24"]},
        "status": {"addresses": [{"type": "InternalIP", "address": NODE_ADDRESS}]},
    }
