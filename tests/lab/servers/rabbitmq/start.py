"""Starts the nodes; the first time, clusters them and makes vhosts and users."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from tests.lab.servers import bridge
from tests.lab.servers.folders import password, write_private
from tests.lab.servers.processes import LabError, answers, is_taken, supervise
from tests.lab.servers.rabbitmq.settings import (
    NAME_SERVICE,
    NAME_SERVICE_PORT,
    NODES,
    PROGRAMS,
    STATE,
    USERS,
    VHOSTS,
    Node,
)

PLUGINS = "[rabbitmq_management,rabbitmq_management_agent,rabbitmq_prometheus,rabbitmq_event_exchange]."


def _write_settings(node: Node) -> None:
    peers = "".join(f"cluster_formation.classic_config.nodes.{other.number} = {other.name}\n" for other in NODES)
    (STATE / "nodes" / f"{node.short_name}.conf").write_text(
        f"""listeners.tcp.1 = 127.0.0.1:{node.amqp_port}
listeners.tcp.2 = {bridge.HOST_ADDRESS}:{node.amqp_port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {node.management_port}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {node.prometheus_port}
distribution.listener.interface = 127.0.0.1
cluster_formation.peer_discovery_backend = classic_config
{peers}log.file.level = info
log.connection.level = info
"""
    )


def _prepare() -> None:
    for folder in ("home", "nodes", "data", "log", "pids"):
        (STATE / folder).mkdir(parents=True, exist_ok=True)
    (STATE / "nodes" / "environment.conf").touch()
    (STATE / "nodes" / "plugins").write_text(PLUGINS)
    cookie = STATE / "home" / ".erlang.cookie"
    if not cookie.exists():
        write_private(cookie, secrets.token_hex(20))
        cookie.chmod(0o400)


def _start_name_service() -> None:
    found = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
    if not found:
        raise LabError("Erlang's epmd is not under /usr/lib/erlang")
    NAME_SERVICE.spawn(found[-1], "-port", NAME_SERVICE_PORT, "-address", "127.0.0.1", port=NAME_SERVICE_PORT)
    NAME_SERVICE.wait(lambda: is_taken(NAME_SERVICE_PORT), seconds=10, what="listens")


def _spawn(node: Node) -> None:
    _write_settings(node)
    node.process.spawn(PROGRAMS / "rabbitmq-server", port=node.amqp_port, environment=node.environment())


def _await(node: Node) -> None:
    management = f"http://127.0.0.1:{node.management_port}/"
    node.process.wait(lambda: answers(management), seconds=240, what="its management API answers")
    node.control("await_startup", "--timeout", "120", seconds=150)


def _make_users() -> None:
    """Vhosts, users, permissions; `mon` gets empty ones, without which it sees no queues."""
    first = NODES[0]
    for vhost in VHOSTS[1:]:
        first.control("add_vhost", vhost)
    for user, tag in USERS.items():
        first.control("add_user", user, password(STATE, user))
        if tag:
            first.control("set_user_tags", user, tag)
    everything, nothing = (".*",) * 3, ("^$",) * 3
    for vhost in VHOSTS:
        for user in ("admin", "app"):
            first.control("set_permissions", "-p", vhost, user, *everything)
        first.control("set_permissions", "-p", vhost, "mon", *nothing)
    first.control("set_permissions", "-p", "shop", "mgmt", *everything)
    first.control("delete_user", "guest")


def start(nodes: Iterable[Node] = NODES) -> None:
    """Start the given nodes; nothing to do for those that run."""
    nodes = tuple(nodes)
    bridge.up()
    _prepare()
    _start_name_service()
    starting = [node for node in nodes if not node.process.pid()]
    seeded = STATE / "seeded"
    if seeded.exists():
        for node in starting:  # together: a restarted node waits for its peers
            _spawn(node)
        for node in starting:
            # RabbitMQ 3.10 ends a booting node with ``incompatible_feature_flags ... {badmap,undefined}`` when it asks a
            # peer that is just as young and has not read its own flags yet.
            supervise(node.process, partial(_spawn, node), partial(_await, node))
        return
    if nodes != NODES:
        raise LabError("start all RabbitMQ nodes once before starting one of them")
    for node in starting:  # one after another: each joins the cluster that is there
        _spawn(node)
        _await(node)
    _make_users()
    seeded.touch()
