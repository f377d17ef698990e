"""Which RabbitMQ node a log file, a broker's pod or a host name stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# A start's banner, and what Erlang says of each application before 3.9; it quotes a name with a dash or a dot.
_OWN_NAME = re.compile(
    r"^(?:\s*node\s*: |Application \w+ started on node )'?(?P<node>[^\s']+@[^\s']+)'?\s*$", re.MULTILINE
)


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


def own_node(messages: Iterable[str]) -> str | None:
    """The node that the broker's own log names, in the banner of a start or as the place of its applications.

    None when it names none or several, as the mixed text of a cluster does.
    """
    named = {match["node"] for message in messages for match in _OWN_NAME.finditer(message)}
    return named.pop() if len(named) == 1 else None
