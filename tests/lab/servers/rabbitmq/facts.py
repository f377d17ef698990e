"""What clients need to know of the cluster."""

from __future__ import annotations

from typing import Any

from tests.lab.servers import bridge
from tests.lab.servers.folders import lab_command, password
from tests.lab.servers.rabbitmq.settings import NODES, STATE, USERS, VHOSTS, Node


def _node(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "host": "127.0.0.1",
        "pod_host": bridge.HOST_ADDRESS,
        "amqp_port": node.amqp_port,
        "management_url": f"http://127.0.0.1:{node.management_port}",
        "log": str(node.log),
        "pid_file": str(node.process.pid_file),
        "start": lab_command("start", f"rabbitmq:{node.short_name}"),
        "stop": lab_command("stop", f"rabbitmq:{node.short_name}"),
    }


def facts() -> dict[str, Any]:
    """Addresses of each node, users with their passwords."""
    return {
        "nodes": [_node(node) for node in NODES],
        "vhosts": list(VHOSTS),
        "users": {user: password(STATE, user) for user in USERS},
    }
