"""consumer-lost: is a pod's connection up but without any channel, so that it consumes nothing?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.frames import instant, plain, records
from incident_kit.correlate.rabbitmq.owners import Matched, matched_connections
from incident_kit.correlate.rabbitmq.rows import could_not_look
from incident_kit.counting import plural
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at
from incident_kit.tables.rabbitmq import CHANNELS, CONSUMERS, RABBIT_EVENTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


#: Channels show up to 5 s after they were opened, and are opened moments after their connection.
_LAG = 10 * SECOND


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    blind = could_not_look(evidence)
    if blind:
        yield DidNotApply(because=blind, remedy="Collect rabbitmq/connections.json or the brokers' logs.")
        return
    errors = _channel_errors(evidence)
    siblings = _workloads_with_channels(evidence)
    carrying = _connections_with_channels(evidence)
    by_pod: dict[str, list[tuple[Matched, tuple[int, str] | None]]] = {}
    for matched in matched_connections(evidence):
        connection = matched.connection
        if not matched.match.single or connection.closed_at is not None:
            continue
        error = errors.get(connection.connection)
        if error is not None and (connection.begin or 0) > error[0]:
            error = None  # of an earlier connection of the same name
        age = (connection.latest or 0) - (connection.connected_at or 0)
        counted = connection.channel_count == 0 and "management_api" in connection.source and age > _LAG
        without = counted and connection.connection not in carrying
        timed_out = error is not None and "delivery acknowledgement" in error[1]
        if without or (timed_out and connection.channel_count is None):
            by_pod.setdefault(matched.match.lives[0].key, []).append((matched, error))
    for lost in by_pod.values():
        yield _finding(lost, siblings=_workload(lost[0][0]) in siblings)


def _connections_with_channels(evidence: Evidence) -> set[str]:
    """Names of connections that a channel or consumer names.

    The count in the list of connections is cached by its node and can be much older than the list of channels.
    """
    named = (plain(row["connection"]) for table in (CHANNELS, CONSUMERS) for row in records(evidence.table(table)))
    return {str(name) for name in named if name is not None}


def _channel_errors(evidence: Evidence) -> dict[str, tuple[int, str]]:
    """The last channel error by connection name."""
    found: dict[str, tuple[int, str]] = {}
    for event in records(evidence.table(RABBIT_EVENTS)):
        time, detail = instant(event["time"]), str(plain(event["detail"]) or "")
        if event["event"] != "channel_error" or time is None or "(" not in detail:
            continue
        name = detail.partition("(")[2].split(", vhost:", 1)[0].split(" - ", 1)[0]
        if name not in found or time > found[name][0]:
            found[name] = (time, detail)
    return found


def _workload(matched: Matched) -> tuple[Any, Any]:
    life = matched.match.lives[0]
    return life.namespace, life.value("workload")


def _workloads_with_channels(evidence: Evidence) -> set[tuple[Any, Any]]:
    return {
        _workload(matched)
        for matched in matched_connections(evidence)
        if matched.match.single and matched.connection.channel_count
    }


def _finding(lost: list[tuple[Matched, tuple[int, str] | None]], *, siblings: bool) -> Finding:
    """One finding per pod, over all its connections that carry nothing."""
    life = lost[0][0].match.lives[0]
    facts: list[str] = []
    for matched, error in lost[:10]:
        connection = matched.connection
        facts.append(
            f"{connection.connection} on {connection.rabbit_node}: {connection.state or 'open'}, "
            f"channels {connection.channel_count}"
        )
        if error is not None:
            facts.append(f"{at(error[0])}: {error[1]}")
    confidence = 0.4
    if siblings:
        facts.append("other connections of its workload have channels")
        confidence = 0.7
    errors = [error for _, error in lost if error is not None]
    if errors:
        confidence = 0.95
    nodes = ", ".join(sorted({str(matched.connection.rabbit_node) for matched, _ in lost}))
    count = "a connection" if len(lost) == 1 else plural(len(lost), "connection")
    return RULE.finding(
        f"{life.pod} holds {count} to {nodes} without any channel: connected, consuming nothing",
        time=min(error[0] for error in errors) if errors else lost[0][0].connection.begin,
        kind="Pod",
        namespace=life.namespace,
        name=life.pod,
        evidence=facts,
        confidence=confidence,
        severity="warning" if confidence >= 0.5 else "info",
        next_step="Look for a closed channel in the pod's log; restart the consumer, and handle the channel's shutdown.",
    )


RULE = Rule(
    name="consumer-lost",
    question="Is a pod's connection up but without any channel, so that it consumes nothing?",
    severity="warning",
    refuted_by="The pod only publishes and opens a channel for each message, or had just connected.",
    judge=_judge,
)
