"""rabbit-alarm: did a memory or disk alarm block publishers?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.frames import instant, plain, records
from incident_kit.correlate.rabbitmq.owners import matched_connections
from incident_kit.correlate.rabbitmq.rows import nodes_not_looked_at
from incident_kit.rules.rule import DidNotApply, Outcome, Rule, at
from incident_kit.tables.rabbitmq import RABBIT_EVENTS, RABBIT_NODES

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    blind = nodes_not_looked_at(evidence)
    if blind:
        yield DidNotApply(because=blind, remedy="Collect rabbitmq/nodes.json or the brokers' logs.")
        return
    spans = _spans(evidence)
    for node in records(evidence.table(RABBIT_NODES)):
        name = str(node["rabbit_node"])
        told = [word for column, word in (("memory_alarm", "memory"), ("disk_alarm", "disk")) if plain(node[column])]
        if told and not any(span["node"] == name and span["end"] is None for span in spans):
            spans.append({"node": name, "start": None, "end": None, "words": []})
        for span in spans:
            if span["node"] == name and span["end"] is None and told:
                span["words"].append(f"GET /api/nodes: {' and '.join(told)} alarm at capture")
    for span in spans:
        if (span["start"] or 0) < evidence.window.end and (span["end"] is None or span["end"] > evidence.window.start):
            yield _finding(span, evidence)


def _spans(evidence: Evidence) -> list[dict[str, Any]]:
    """Alarms from the brokers' logs; every node logs every node's alarm, so they are told apart by node and time."""
    still_set: dict[str, dict[str, Any]] = {}
    spans: list[dict[str, Any]] = []
    for event in records(evidence.table(RABBIT_EVENTS)):
        node, time = plain(event["rabbit_node"]), instant(event["time"])
        if node is None or event["event"] not in ("alarm_set", "alarm_cleared"):
            continue
        if event["event"] == "alarm_set":
            if node not in still_set:
                still_set[node] = {"node": node, "start": time, "end": None, "words": []}
                spans.append(still_set[node])
        elif node in still_set:
            still_set[node]["end"] = time
            still_set[node]["words"].append(str(event["detail"]))
            del still_set[node]
            continue
        if node in still_set and str(event["detail"]) not in still_set[node]["words"]:
            still_set[node]["words"].append(str(event["detail"]))
    return spans


def _finding(span: dict[str, Any], evidence: Evidence) -> dict[str, Any]:
    blocked = [m for m in matched_connections(evidence) if m.connection.state in ("blocked", "blocking")]
    pods = sorted({m.match.lives[0].key for m in blocked if m.match.single})
    until = f" until {at(span['end'])}" if span["end"] is not None else ", not seen cleared"
    facts = [*span["words"], *(f"blocked or blocking at capture: {pod}" for pod in pods[:20])]
    if blocked:
        facts.append(f"{len(blocked)} connections on all nodes are blocked or blocking at capture")
    return RULE.finding(
        f"{span['node']} raised a resource alarm from {at(span['start'])}{until}: publishers on every node are blocked",
        time=span["start"],
        kind="RabbitMQNode",
        namespace=None,
        name=span["node"],
        evidence=facts,
        next_step=f"rabbitmq-diagnostics -n {span['node']} alarms; see what fills its memory or disk.",
    )


RULE = Rule(
    name="rabbit-alarm",
    question="Did a memory or disk alarm block publishers?",
    severity="critical",
    refuted_by="The log shows the alarm cleared within moments, and no connection was blocked.",
    judge=_judge,
)
