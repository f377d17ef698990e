"""Starts and stops the 4.0 cluster, node by node or whole."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
from collections.abc import Iterable
from contextlib import AbstractContextManager

from tests.lab.rabbitmq4.build import build
from tests.lab.rabbitmq4.settings import (
    NAME_SERVICE,
    NAME_SERVICE_PORT,
    NODES,
    PROTOCOLS,
    ROOT,
    STATE,
    USERS,
    VHOSTS,
    Node,
    within,
)
from tests.lab.servers import processes
from tests.lab.servers.folders import password, write_private
from tests.lab.servers.processes import answers, is_taken

PLUGINS = (
    "[rabbitmq_management,rabbitmq_management_agent,rabbitmq_mqtt,rabbitmq_stomp,rabbitmq_stream,"
    "rabbitmq_stream_management]."
)


def _write_settings(node: Node) -> None:
    peers = "".join(f"cluster_formation.classic_config.nodes.{other.number} = {other.name}\n" for other in NODES)
    ports = "".join(
        f"{'listeners' if protocol == 'amqp' else f'{protocol}.listeners'}.tcp.1 = 127.0.0.1:{node.port(protocol)}\n"
        for protocol in PROTOCOLS
    )
    (STATE / "nodes" / f"{node.short_name}.conf").write_text(
        f"""{ports}management.tcp.ip = 127.0.0.1
management.tcp.port = {node.port("management")}
distribution.listener.interface = 127.0.0.1
cluster_formation.peer_discovery_backend = classic_config
{peers}log.file.level = info
log.connection.level = info
{"log.file.formatter = json" if node == NODES[-1] else ""}
handshake_timeout = 3000
mqtt.vhost = /
stream.advertised_host = 127.0.0.1
stream.advertised_port = {node.port("stream")}
"""
    )


def _prepare() -> None:
    for folder in ("home", "nodes", "data", "log", "pids"):
        (STATE / folder).mkdir(parents=True, exist_ok=True)
    (ROOT / "etc" / "hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n::1 localhost\n")
    (STATE / "nodes" / "environment.conf").touch()
    (STATE / "nodes" / "plugins").write_text(PLUGINS)
    cookie = STATE / "home" / ".erlang.cookie"
    if not cookie.exists():
        write_private(cookie, secrets.token_hex(20))
        cookie.chmod(0o400)


def _start_name_service() -> None:
    [program] = ROOT.glob("usr/lib/erlang/erts-*/bin/epmd")
    command = within(f"/{program.relative_to(ROOT)}", "-port", NAME_SERVICE_PORT, "-address", "127.0.0.1")
    NAME_SERVICE.spawn(*command, port=NAME_SERVICE_PORT)
    NAME_SERVICE.wait(lambda: is_taken(NAME_SERVICE_PORT), seconds=10, what="listens")


def spawn(node: Node) -> None:
    """Start one node without waiting for it."""
    _write_settings(node)
    command = within("/usr/lib/rabbitmq/bin/rabbitmq-server")
    node.process.spawn(*command, port=node.port("amqp"), environment=node.environment())


def wait(node: Node) -> None:
    """Wait until a node serves."""
    node.process.wait(lambda: answers(node.management_url), seconds=120, what="its management API answers")
    node.control("await_startup", "--timeout", "120", seconds=150)


def start() -> None:
    """Build, start all nodes and, the first time, cluster them and make virtual hosts and users."""
    build()
    _prepare()
    _start_name_service()
    seeded = STATE / "seeded"
    for node in NODES:  # together: a new node asks all others for a cluster to join, a restarted one waits for them
        spawn(node)
    for node in NODES:
        wait(node)
    if seeded.exists():
        return
    _make_users()
    seeded.touch()


def _make_users() -> None:
    """Virtual hosts, users, permissions; one call of the command line for all, each costs seconds."""
    first, quoted = NODES[0], [f'<<"{vhost}">>' for vhost in VHOSTS]
    first.control("eval", f'[rabbit_vhost:add(V, <<"lab">>) || V <- [{", ".join(quoted[1:])}]].', seconds=120)
    for user, tag in USERS.items():
        first.control("add_user", user, password(STATE, user))
        if tag:
            first.control("set_user_tags", user, tag)
    grant = 'rabbit_auth_backend_internal:set_permissions(<<"{}">>, V, <<"{}">>, <<"{}">>, <<"{}">>, <<"lab">>)'
    everything, nothing = (".*",) * 3, ("^$",) * 3
    calls = [grant.format("app", *everything), grant.format("admin", *everything), grant.format("mon", *nothing)]
    first.control("eval", f"[begin {', '.join(calls)} end || V <- [{', '.join(quoted)}]].", seconds=120)
    first.control("set_permissions", "-p", "shop", "mgmt", *everything)
    first.control("delete_user", "guest")


def stop(nodes: Iterable[Node] = NODES, *, clean: bool = False) -> None:
    """Stop nodes, the last started first, and their name service with the last of them."""
    for node in reversed(tuple(nodes)):
        node.process.stop(seconds=40)
    if any(node.process.pid() for node in NODES):
        return
    NAME_SERVICE.stop()
    if clean:
        shutil.rmtree(STATE, ignore_errors=True)


def erlang_pid(node: Node) -> int:
    """The process that is the broker."""
    return int((STATE / "pids" / f"{node.short_name}.beam").read_text())


def kill(node: Node) -> None:
    """``kill -9``: the node logs nothing of its end."""
    os.kill(erlang_pid(node), signal.SIGKILL)
    node.process.stop(seconds=5)


def frozen(node: Node, *, seconds: float) -> AbstractContextManager[None]:
    """SIGSTOP for the length of the block, at most so long: peers give a node up after 45 to 75 seconds."""
    return processes.frozen(erlang_pid(node), seconds=seconds)
