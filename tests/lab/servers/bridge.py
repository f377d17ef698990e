"""The pods' network: a bridge of this machine with one address for the host, and no way out.

Elasticsearch and RabbitMQ listen on that address, so that pods reach them and RabbitMQ sees each
pod's own IP. The bridge exists before any pod does; the CNI plugin joins pods to it.
"""

from __future__ import annotations

from tests.lab.servers.processes import run, succeeds

NAME = "lab0"
HOST_ADDRESS = "10.88.0.1"
POD_RANGE = "10.88.0.0/24"
SERVICE_RANGE = "10.96.0.0/24"


def up() -> None:
    """Make the bridge, give the host its address, and keep pod traffic off the host's default route."""
    if not succeeds("ip", "link", "show", NAME):
        run("ip", "link", "add", NAME, "type", "bridge")
    run("ip", "address", "replace", f"{HOST_ADDRESS}/24", "dev", NAME)
    run("ip", "link", "set", NAME, "up")
    for unreachable in (POD_RANGE, SERVICE_RANGE):
        run("ip", "route", "replace", "unreachable", unreachable, "metric", "4000")


def down() -> None:
    """Remove the bridge and the routes."""
    for unreachable in (POD_RANGE, SERVICE_RANGE):
        run("ip", "route", "del", "unreachable", unreachable, "metric", "4000", check=False)
    run("ip", "link", "del", NAME, check=False)
