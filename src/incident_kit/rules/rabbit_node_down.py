"""rabbit-node-down: was a RabbitMQ node down, and which pods did it hit?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from incident_kit.correlate.frames import instant, records
from incident_kit.correlate.rabbitmq.downs import Down, node_downs
from incident_kit.correlate.rabbitmq.owners import Matched, matched_connections
from incident_kit.correlate.rabbitmq.rows import next_connections, nodes_not_looked_at
from incident_kit.counting import plural
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at
from incident_kit.tables.rabbitmq import RABBIT_EVENTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    blind = nodes_not_looked_at(evidence)
    if blind:
        yield DidNotApply(because=blind, remedy="Collect rabbitmq/nodes.json or the brokers' logs.")
        return
    for down in node_downs(evidence):
        begins_late = down.start is not None and down.start >= evidence.window.end
        if begins_late or (down.end is not None and down.end <= evidence.window.start):
            continue
        yield _finding(down, evidence)


def _hit(down: Down, evidence: Evidence) -> list[Matched]:
    """Connections that the node had when it went down."""
    if down.start is None:
        return []
    start = down.start
    return [
        matched
        for matched in matched_connections(evidence)
        if matched.connection.rabbit_node == down.rabbit_node
        and (matched.connection.begin or start) <= start
        and (matched.connection.closed_at is None or matched.connection.closed_at >= start - 5 * SECOND)
    ]


def _log_has_holes(down: Down, evidence: Evidence) -> bool:
    """Whether the node dropped records of its own log in the run that ended: ends of connections may be among them."""
    if down.start is None:
        return False
    events = sorted(
        (time, str(event["event"]))
        for event in records(evidence.table(RABBIT_EVENTS))
        if event["rabbit_node"] == down.rabbit_node
        and (time := instant(event["time"])) is not None
        and time <= down.start
    )
    holes = False
    for _, event in events:
        if event in ("started", "log_dropping"):
            holes = event == "log_dropping"
    return holes


def _finding(down: Down, evidence: Evidence) -> Finding:
    hit = _hit(down, evidence)
    following = next_connections(evidence)
    pods = sorted({matched.match.lives[0].key for matched in hit if matched.match.single})
    moves = []
    for matched in hit:
        after = following.after(matched)
        if after is not None:
            moves.append(f"{matched.match.lives[0].key} went to {after.rabbit_node} at {at(after.begin)}")
    until = f"until {at(down.end)}" if down.end is not None else "and was not seen up again"
    unsure = "" if down.certain else " as its peers saw it (frozen or cut off, perhaps not stopped)"
    counted = f"{plural(len(hit), 'connection')} of {plural(len(pods), 'pod')}"
    dropped = hit and _log_has_holes(down, evidence)
    had = f"at most {counted}, as it had dropped records of its log" if dropped else counted
    connected = (
        "connected when it went down, or gone before without a record" if dropped else "connected when it went down"
    )
    return RULE.finding(
        f"{down.rabbit_node} was down from {at(down.start)} {until}{unsure}; it had {had}",
        time=down.start,
        kind="RabbitMQNode",
        namespace=None,
        name=down.rabbit_node,
        evidence=[
            *down.words[:6],
            *(f"{connected}: {pod}" for pod in pods[:20]),
            *dict.fromkeys(moves[:20]),
        ],
        confidence=1.0 if down.certain else 0.7,
        severity="critical" if down.certain and hit else "warning",
        next_step=f"incident-kit rabbit-node {down.rabbit_node} BUNDLE --at {at(down.start)}"
        if down.start is not None
        else f"Read the log of {down.rabbit_node}.",
    )


RULE = Rule(
    name="rabbit-node-down",
    question="Was a RabbitMQ node down, and which pods did it hit?",
    severity="critical",
    refuted_by="The node's own log goes on without a break in that time.",
    judge=_judge,
)
