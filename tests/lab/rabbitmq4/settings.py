"""Three RabbitMQ 4 nodes of a newer Debian in a root of their own; other names and ports than the lab's 3.10."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.lab.servers.folders import LAB
from tests.lab.servers.processes import Process, run

#: Suite of Debian: trixie has RabbitMQ 4.0, the one after it, forky, a later one.
SUITE = os.environ.get("INCIDENT_KIT_LAB_SUITE") or "trixie"
FOLDER = LAB / f"rabbitmq4-{SUITE}"
ROOT = FOLDER / "root"
STATE = FOLDER / "state"
VENV = LAB / "rabbitmq4-clients"
#: Where the nodes keep everything, seen from within the root.
INSIDE = Path("/broker")
NAME_SERVICE_PORT = 14370
#: Virtual hosts: the default one, one whose name is hostile to patterns, and a crowd.
ODD_VHOST = "it's, user: 'x' (1)"
VHOSTS = ("/", "shop", ODD_VHOST, *(f"team-{number:02}" for number in range(1, 25)))
#: User names and their tags; `app` is what clients use, `mon` what a capture uses.
USERS = {"admin": "administrator", "mon": "monitoring", "mgmt": "management", "app": "", "plain": ""}


def within(*command: object) -> list[str]:
    """The words that run a command in the root; its mounts are the command's own and end with it."""
    words = shlex.join(str(word) for word in command)
    script = (
        f"mount -t proc proc {ROOT}/proc && mount --rbind /dev {ROOT}/dev && mount --bind {STATE} {ROOT}{INSIDE} "
        f"&& exec chroot {ROOT} {words}"
    )
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]


@dataclass(frozen=True)
class Node:
    """One node: its number gives all its ports."""

    number: int

    @property
    def short_name(self) -> str:
        """Name without host."""
        return f"hare{self.number}"

    @property
    def name(self) -> str:
        """Name as the cluster knows it."""
        return f"{self.short_name}@localhost"

    def port(self, protocol: str) -> int:
        """Its port for a protocol, on loopback."""
        return _FIRST_PORT[protocol] + self.number

    @property
    def management_url(self) -> str:
        """HTTP API."""
        return f"http://127.0.0.1:{self.port('management')}"

    @property
    def process(self) -> Process:
        """The Erlang process, with the shell around it."""
        return Process(self.short_name, STATE)

    @property
    def log(self) -> Path:
        """The broker's own log."""
        return STATE / "log" / f"{self.name}.log"

    def environment(self) -> dict[str, str]:
        """What RabbitMQ's programs read."""
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(INSIDE / "home"),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(NAME_SERVICE_PORT),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": str(INSIDE / "nodes" / "environment.conf"),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(self.port("distribution")),
            "RABBITMQ_CONFIG_FILE": str(INSIDE / "nodes" / f"{self.short_name}.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(INSIDE / "nodes" / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(INSIDE / "data"),
            "RABBITMQ_LOG_BASE": str(INSIDE / "log"),
            "RABBITMQ_PID_FILE": str(INSIDE / "pids" / f"{self.short_name}.beam"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def control(self, *arguments: object, program: str = "rabbitmqctl", seconds: float = 60, check: bool = True) -> str:
        """Run one of RabbitMQ's command lines against this node."""
        command = within(f"/usr/lib/rabbitmq/bin/{program}", "-q", "-n", self.name, *arguments)
        return run(*command, seconds=seconds, check=check, environment=self.environment())


_FIRST_PORT = {
    "amqp": 5771,
    "management": 15771,
    "distribution": 25771,
    "mqtt": 1981,
    "stomp": 61711,
    "stream": 5651,
}
#: Protocols that clients speak.
PROTOCOLS = ("amqp", "mqtt", "stomp", "stream")
NODES = tuple(Node(number) for number in (1, 2, 3))
NAME_SERVICE = Process("epmd", STATE)
