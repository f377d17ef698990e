"""Which RabbitMQ node a log file, a broker's pod or a host name stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_BANNER = re.compile(r"^\s*node\s*: (?P<node>\S+@\S+)\s*$")


def node_of(hint: str, known: Sequence[str]) -> tuple[str | None, bool]:
    """The node that a file name, pod name or host name stands for.

    Args:
        hint: e.g. ``rabbit1@localhost``, ``rabbit-0``, ``rabbit-0.rabbit-nodes.shop``.
        known: node names that the management API told.

    Returns:
        The node, and whether it is known rather than made up from the hint. None when the hint fits several.
    """
    if hint in known:
        return hint, True
    for parts in (_host_labels, _hosts, _names):
        fitting = {node for node in known if hint in parts(node)}
        if len(fitting) == 1:
            return fitting.pop(), True
        if fitting:
            return None, False
    if "@" in hint:
        return hint, True
    return f"rabbit@{hint}", False


def _host_labels(node: str) -> set[str]:
    return {node.partition("@")[2].split(".", 1)[0]}


def _hosts(node: str) -> set[str]:
    return {node.partition("@")[2]}


def _names(node: str) -> set[str]:
    return {node.partition("@")[0]}


def banner_node(messages: Iterable[str]) -> str | None:
    """The node that the broker's own start banner names."""
    return next((match["node"] for message in messages if (match := _BANNER.match(message))), None)
