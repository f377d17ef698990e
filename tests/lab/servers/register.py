"""All servers of the lab, in the order of their start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.lab.servers.argocd import build as argocd_build
from tests.lab.servers.argocd import facts as argocd_facts
from tests.lab.servers.argocd import settings as argocd_settings
from tests.lab.servers.argocd import start as argocd_start
from tests.lab.servers.argocd import stop as argocd_stop
from tests.lab.servers.elasticsearch import build as elasticsearch_build
from tests.lab.servers.elasticsearch import facts as elasticsearch_facts
from tests.lab.servers.elasticsearch import settings as elasticsearch_settings
from tests.lab.servers.elasticsearch import start as elasticsearch_start
from tests.lab.servers.elasticsearch import stop as elasticsearch_stop
from tests.lab.servers.kubernetes import build as kubernetes_build
from tests.lab.servers.kubernetes import facts as kubernetes_facts
from tests.lab.servers.kubernetes import settings as kubernetes_settings
from tests.lab.servers.kubernetes import start as kubernetes_start
from tests.lab.servers.kubernetes import stop as kubernetes_stop
from tests.lab.servers.processes import LabError, Process
from tests.lab.servers.rabbitmq import build as rabbitmq_build
from tests.lab.servers.rabbitmq import facts as rabbitmq_facts
from tests.lab.servers.rabbitmq import settings as rabbitmq_settings
from tests.lab.servers.rabbitmq import start as rabbitmq_start
from tests.lab.servers.rabbitmq import stop as rabbitmq_stop


@dataclass(frozen=True)
class Server:
    """One server: how to build, start and stop it, and what clients need to know."""

    name: str
    build: Callable[[], None]
    start: Callable[[], None]
    stop: Callable[..., None]
    facts: Callable[[], dict[str, Any]]
    processes: tuple[Process, ...]
    needs: tuple[str, ...] = ()

    def runs(self) -> bool:
        """Whether all its processes live."""
        return all(process.pid() for process in self.processes)


def _elasticsearch(node: elasticsearch_settings.Node) -> Server:
    return Server(
        name=node.name,
        build=elasticsearch_build.build,
        start=partial(elasticsearch_start.start, node),
        stop=partial(elasticsearch_stop.stop, node),
        facts=partial(elasticsearch_facts.facts, node),
        processes=(node.process,),
    )


def _rabbitmq(name: str, *nodes: rabbitmq_settings.Node) -> Server:
    return Server(
        name=name,
        build=rabbitmq_build.build,
        start=partial(rabbitmq_start.start, nodes),
        stop=partial(rabbitmq_stop.stop, nodes),
        facts=rabbitmq_facts.facts,
        processes=tuple(node.process for node in nodes),
    )


SERVERS = (
    _elasticsearch(elasticsearch_settings.PLAIN),
    _rabbitmq("rabbitmq", *rabbitmq_settings.NODES),
    Server(
        name="kubernetes",
        build=kubernetes_build.build,
        start=kubernetes_start.start,
        stop=kubernetes_stop.stop,
        facts=kubernetes_facts.facts,
        processes=kubernetes_settings.PROCESSES,
    ),
    _elasticsearch(elasticsearch_settings.SECURE),
    Server(
        name="argocd",
        build=argocd_build.build,
        start=argocd_start.start,
        stop=argocd_stop.stop,
        facts=argocd_facts.facts,
        processes=argocd_settings.PROCESSES,
        needs=("kubernetes",),
    ),
)
# One node of a cluster, for incidents in which it is away.
PARTS = tuple(_rabbitmq(f"rabbitmq:{node.short_name}", node) for node in rabbitmq_settings.NODES)


def choose(names: list[str]) -> list[Server]:
    """The named servers in starting order; all when none is named."""
    known = {server.name: server for server in (*SERVERS, *PARTS)}
    if unknown := [name for name in names if name not in known]:
        raise LabError(f"no such server: {', '.join(unknown)}; there are {', '.join(known)}")
    return [server for server in known.values() if server.name in names] if names else list(SERVERS)


def with_needs(servers: list[Server]) -> list[Server]:
    """The servers and those they cannot run without, in starting order."""
    names = {server.name for server in servers} | {name for server in servers for name in server.needs}
    return choose(sorted(names))
