"""rabbit-alarm: did a memory or disk alarm block publishers?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from incident_kit.correlate.frames import instant, plain, records
from incident_kit.correlate.rabbitmq.owners import matched_connections
from incident_kit.correlate.rabbitmq.rows import nodes_not_looked_at
from incident_kit.counting import plural
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at
from incident_kit.tables.rabbitmq import RABBIT_EVENTS, RABBIT_NODES

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


@dataclass(slots=True)
class _Alarm:
    """One alarm of one node, from when to when (ns), as far as anybody says, and in whose words."""

    node: str
    start: int | None = None
    end: int | None = None
    words: list[str] = field(default_factory=list)


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    blind = nodes_not_looked_at(evidence)
    if blind:
        yield DidNotApply(because=blind, remedy="Collect rabbitmq/nodes.json or the brokers' logs.")
        return
    alarms = _logged(evidence)
    _add_standing(alarms, evidence)
    for alarm in alarms:
        if (alarm.start or 0) < evidence.window.end and (alarm.end is None or alarm.end > evidence.window.start):
            yield _finding(alarm, evidence)


def _logged(evidence: Evidence) -> list[_Alarm]:
    """Alarms from the brokers' logs; every node logs every node's alarm, so they are told apart by node and time."""
    still_set: dict[str, _Alarm] = {}
    alarms: list[_Alarm] = []
    for event in records(evidence.table(RABBIT_EVENTS)):
        node, time, detail = plain(event["rabbit_node"]), instant(event["time"]), str(event["detail"])
        if node is None or event["event"] not in ("alarm_set", "alarm_cleared"):
            continue
        if event["event"] == "alarm_cleared":
            if node in still_set:
                cleared = still_set.pop(node)
                cleared.end = time
                cleared.words.append(detail)
            continue
        if node not in still_set:
            still_set[node] = _Alarm(node, time)
            alarms.append(still_set[node])
        if detail not in still_set[node].words:
            still_set[node].words.append(detail)
    return alarms


def _add_standing(alarms: list[_Alarm], evidence: Evidence) -> None:
    """What the nodes themselves say at capture: of an alarm that is known, or of one that no log tells of."""
    for node in records(evidence.table(RABBIT_NODES)):
        name = str(node["rabbit_node"])
        told = [word for column, word in (("memory_alarm", "memory"), ("disk_alarm", "disk")) if plain(node[column])]
        if not told:
            continue
        standing = [alarm for alarm in alarms if alarm.node == name and alarm.end is None]
        if not standing:
            standing = [_Alarm(name)]
            alarms += standing
        for alarm in standing:
            alarm.words.append(f"GET /api/nodes: {' and '.join(told)} alarm at capture")


def _finding(alarm: _Alarm, evidence: Evidence) -> Finding:
    blocked = [m for m in matched_connections(evidence) if m.connection.state in ("blocked", "blocking")]
    pods = sorted({m.match.lives[0].key for m in blocked if m.match.single})
    until = f" until {at(alarm.end)}" if alarm.end is not None else ", not seen cleared"
    facts = [*alarm.words, *(f"blocked or blocking at capture: {pod}" for pod in pods[:20])]
    if blocked:
        facts.append(f"blocked or blocking at capture, on all nodes: {plural(len(blocked), 'connection')}")
    return RULE.finding(
        f"{alarm.node} raised a resource alarm from {at(alarm.start)}{until}: publishers on every node are blocked",
        time=alarm.start,
        kind="RabbitMQNode",
        namespace=None,
        name=alarm.node,
        evidence=facts,
        next_step=f"rabbitmq-diagnostics -n {alarm.node} alarms; see what fills its memory or disk.",
    )


RULE = Rule(
    name="rabbit-alarm",
    question="Did a memory or disk alarm block publishers?",
    severity="critical",
    refuted_by="The log shows the alarm cleared within moments, and no connection was blocked.",
    judge=_judge,
)
