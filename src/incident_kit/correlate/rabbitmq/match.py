"""Whose a connection is: the answer of the matcher, and what it asks of every life."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from incident_kit.correlate.pods.ledger import Ledger
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.normalise.rabbitmq.endpoints import is_address

_DASHED_ADDRESS = re.compile(r"^(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})\.")


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


def alive(lives: Iterable[Lifetime], connection: Connection) -> list[Lifetime]:
    """Lives that may have been there when the connection was opened."""
    begin = connection.begin
    return [life for life in lives if begin is None or life.may_live_at(begin)]


def peer_address(connection: Connection, ledger: Ledger) -> str | None:
    """The peer's address; also out of the cluster's own reverse DNS names."""
    host = connection.peer_host
    if host is None or is_address(host):
        return host
    dashed = _DASHED_ADDRESS.match(host)
    if dashed:
        return ".".join(dashed.groups())
    for address, node in ledger.nodes.items():
        if host in (node, node.split(".", 1)[0]) or host.startswith(f"{node}."):
            return address
    return None
