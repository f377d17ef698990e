"""Three RabbitMQ nodes on this machine, one cluster; AMQP also on the pods' bridge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.lab.servers.folders import LAB
from tests.lab.servers.processes import Process, run

FOLDER = LAB / "rabbitmq"
STATE = FOLDER / "state"
PROGRAMS = Path("/usr/lib/rabbitmq/bin")
# A name service of our own: Debian's shared one would outlive the lab.
NAME_SERVICE_PORT = 14369
VHOSTS = ("/", "shop", "billing")
# User names and their tags; `app` is what services use, `mon` what a capture uses.
USERS = {"admin": "administrator", "mon": "monitoring", "mgmt": "management", "app": ""}


@dataclass(frozen=True)
class Node:
    """One node: its number gives all its ports."""

    number: int

    @property
    def short_name(self) -> str:
        """Name without host."""
        return f"rabbit{self.number}"

    @property
    def name(self) -> str:
        """Name as the cluster knows it."""
        return f"{self.short_name}@localhost"

    @property
    def amqp_port(self) -> int:
        """AMQP, on loopback and on the pods' bridge."""
        return 5671 + self.number

    @property
    def management_port(self) -> int:
        """HTTP API, on loopback."""
        return 15671 + self.number

    @property
    def distribution_port(self) -> int:
        """Between the nodes, on loopback."""
        return 25671 + self.number

    @property
    def prometheus_port(self) -> int:
        """Metrics, on loopback."""
        return 15691 + self.number

    @property
    def process(self) -> Process:
        """The Erlang process."""
        return Process(self.short_name, STATE)

    @property
    def log(self) -> Path:
        """The broker's own log."""
        return STATE / "log" / f"{self.name}.log"

    def environment(self) -> dict[str, str]:
        """What RabbitMQ's programs read."""
        return {
            "HOME": str(STATE / "home"),
            "ERL_EPMD_PORT": str(NAME_SERVICE_PORT),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": str(STATE / "nodes" / "environment.conf"),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_CONFIG_FILE": str(STATE / "nodes" / f"{self.short_name}.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(STATE / "nodes" / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(STATE / "data"),
            "RABBITMQ_LOG_BASE": str(STATE / "log"),
            "RABBITMQ_PID_FILE": str(STATE / "pids" / f"{self.short_name}.beam"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def control(self, *arguments: object, seconds: float = 60, check: bool = True) -> str:
        """Run rabbitmqctl against this node."""
        program = PROGRAMS / "rabbitmqctl"
        return run(
            program, "-q", "-n", self.name, *arguments, seconds=seconds, check=check, environment=self.environment()
        )


NODES = tuple(Node(number) for number in (1, 2, 3))
NAME_SERVICE = Process("epmd", STATE)
