"""RabbitMQ comes whole from Debian."""

from __future__ import annotations

from tests.lab.servers.processes import LabError
from tests.lab.servers.rabbitmq.settings import PROGRAMS


def build() -> None:
    """Nothing to build; says so if the package is not as expected."""
    if not (PROGRAMS / "rabbitmq-server").exists():
        raise LabError(f"rabbitmq-server is installed, but not in {PROGRAMS}")
