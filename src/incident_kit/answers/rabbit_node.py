"""rabbit-node: which pods were connected to a RabbitMQ node, and where they went when it went down."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from incident_kit.answers.instants import unseen_instants
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.downs import down_at
from incident_kit.correlate.rabbitmq.owners import matched_connections
from incident_kit.correlate.rabbitmq.rows import could_not_look, next_connections, none_row, rabbit_nodes, rabbit_row
from incident_kit.errors import NotFoundError, UsageError
from incident_kit.tables.answers import GAPS, RABBIT
from incident_kit.window import SECOND, format_ns

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence

#: Connections closed this long before a node's "down" were closed by it.
_BEFORE_DOWN = 5 * SECOND


def rabbit_node(node: str, evidence: Evidence, at: int | None = None) -> pd.DataFrame:
    """Connections on a RabbitMQ node that overlap the window, of whichever pod; or those open at an instant.

    When the node was down at that instant: the connections it had when it went down, with ``moved_to`` and
    ``moved_at``, where their pods connected next.

    Args:
        node: ``rabbit@host``, or an unambiguous part of it (``rabbit1``, the host).
        evidence: the opened bundle.
        at: an instant (ns); one outside of what was looked at is said in ``attrs["gaps"]`` (GAPS).

    Raises:
        UsageError: the name fits several nodes.
        NotFoundError: no source knows the node.
    """
    name = resolve_rabbit_node(node, evidence)
    down = down_at(evidence, name, at) if at is not None else None
    following = next_connections(evidence)

    def asked(connection: Connection) -> bool:
        if at is None:
            return connection.overlaps(evidence.window.start, evidence.window.end)
        if down is None or down.start is None:
            return connection.open_at(at)
        ended = connection.closed_at is None or connection.closed_at >= down.start - _BEFORE_DOWN
        return ended and (connection.begin is None or connection.begin <= down.start)

    rows = [
        rabbit_row(matched, evidence, following=following.after(matched))
        for matched in matched_connections(evidence)
        if matched.connection.rabbit_node == name and asked(matched.connection)
    ]
    if down is not None:
        for row in rows:
            said = "the node was down" if down.certain else "its peers saw the node down (frozen or cut off, perhaps)"
            row["reason"] = f"{row['reason']}; {said} from {format_ns(down.start)}"
    if not rows:
        when = f"at {format_ns(at)}" if at is not None else "in the window"
        reason = could_not_look(evidence) or f"no connection on this node {when}"
        rows = [none_row(reason, rabbit_node=name)]
    frame = RABBIT.frame(rows)
    if unseen := unseen_instants(evidence, at):
        frame.attrs["gaps"] = GAPS.frame(unseen)
    return frame


def resolve_rabbit_node(text: str, evidence: Evidence) -> str:
    """The node that a name or a part of it means.

    Raises:
        UsageError: it fits several nodes.
        NotFoundError: it fits none.
    """
    known = rabbit_nodes(evidence)
    if text in known:
        return text
    fitting = [node for node in known if text in _spellings(node)] or [node for node in known if text and text in node]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{text!r} fits several RabbitMQ nodes: {', '.join(fitting)}. Write one of these.")
    near = get_close_matches(text, known, 3, 0.3) or known[:5]
    raise NotFoundError(f"No source knows a RabbitMQ node {text!r}.", near)


def _spellings(node: str) -> set[str]:
    name, _, host = node.partition("@")
    return {name, host, host.split(".", 1)[0]}
