"""What clients need to know of a node."""

from __future__ import annotations

from typing import Any

from tests.lab.servers.elasticsearch.settings import LOG_INDICES, USERS, VERSION, Node
from tests.lab.servers.folders import lab_command, password


def facts(node: Node) -> dict[str, Any]:
    """Addresses and credentials of one node."""
    known: dict[str, Any] = {
        "version": VERSION, "url": node.url, "pod_url": node.pod_url, "user": None, "password": None,
        "api_key": None, "log": str(node.process.log), "pid_file": str(node.process.pid_file),
        "start": lab_command("start", node.name), "stop": lab_command("stop", node.name),
    }  # fmt: skip
    if node.secured:
        known["users"] = {user: password(node.home, user) for user in USERS}
        known |= {"user": "admin", "password": known["users"]["admin"], "readable": LOG_INDICES}
        known["api_key"] = (node.home / "passwords" / "api-key").read_text()
    return known
