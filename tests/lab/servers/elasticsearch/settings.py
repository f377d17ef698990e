"""Elasticsearch in the lab: one build, two nodes of their own clusters: plain, and with security."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.lab.servers import bridge
from tests.lab.servers.folders import LAB
from tests.lab.servers.processes import Process

VERSION = "9.5.3"
FOLDER = LAB / "elasticsearch"
SHARED = FOLDER / "shared"  # jars, launcher, Java: the same for both nodes
LOG_INDICES = "logs-*"


@dataclass(frozen=True)
class Node:
    """One node: its own home, data, ports, heap and further settings."""

    name: str
    http_port: int
    transport_port: int
    heap: str
    secured: bool
    more: tuple[str, ...] = ()

    @property
    def home(self) -> Path:
        """Modules, configuration, data."""
        return FOLDER / self.name

    @property
    def process(self) -> Process:
        """The Java process."""
        return Process(self.name, FOLDER / "state")

    @property
    def url(self) -> str:
        """The node as the host reaches it."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def pod_url(self) -> str:
        """The node as pods reach it."""
        return f"http://{bridge.HOST_ADDRESS}:{self.http_port}"


# One writer with room for twelve more requests: a batch for an index of many shards is refused in part (429).
SMALL_QUEUE = ("thread_pool.write.size=1", "thread_pool.write.queue_size=12")
PLAIN = Node("elasticsearch", 9200, 9300, "1g", secured=False, more=SMALL_QUEUE)
SECURE = Node("elasticsearch-secure", 9201, 9301, "512m", secured=True)
# Users of the file realm in the secured node, with their roles.
USERS = {"admin": "superuser", "reader": "log_reader", "nobody": ""}
