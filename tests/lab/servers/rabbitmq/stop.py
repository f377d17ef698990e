"""Stops the nodes, and their name service with the last of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from tests.lab.servers.rabbitmq.settings import NAME_SERVICE, NODES, STATE, Node


def stop(nodes: Iterable[Node] = NODES, *, clean: bool = False) -> None:
    """Stop the given nodes, the last started first; ``clean`` also forgets the cluster."""
    for node in reversed(tuple(nodes)):
        node.process.stop(seconds=40)
    if any(node.process.pid() for node in NODES):
        return
    NAME_SERVICE.stop()
    if clean:
        shutil.rmtree(STATE, ignore_errors=True)
