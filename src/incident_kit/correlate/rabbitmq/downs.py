"""When a RabbitMQ node was down: from peers' and its own log, and from the list of nodes at capture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from incident_kit.correlate.frames import instant, plain, records
from incident_kit.tables.rabbitmq import RABBIT_EVENTS, RABBIT_NODES

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_DOWN = ("stopping", "stopped", "peer_down")
_UP = ("started", "peer_up")
#: A node that starts is seen up, down and up again by its peers before it says a word (4.3); it was not up in between.
_MOMENTS = 3_000_000_000
_NOT_RUNNING = "GET /api/nodes: running is false at capture"


@dataclass(frozen=True, slots=True)
class Down:
    """One time in which a node was down, or its peers could not reach it.

    Attributes:
        rabbit_node: the node.
        start: first word of it; None where only the list of nodes at capture tells.
        end: when it was up again; None when it was not.
        words: the log lines or the list it rests on.
        certain: False where only peers say so: the node may have been frozen or cut off, and its clients too.
    """

    rabbit_node: str
    start: int | None
    end: int | None
    words: tuple[str, ...]
    certain: bool


def node_downs(evidence: Evidence) -> list[Down]:
    """Every time a node was down, in order."""
    by_node: dict[str, list[tuple[int, str, str, str]]] = {}
    for event in records(evidence.table(RABBIT_EVENTS)):
        time, node = instant(event["time"]), plain(event["rabbit_node"])
        if time is not None and node is not None and event["event"] in (*_DOWN, *_UP):
            told = f"{plain(event['reported_by']) or 'a broker'} logged: {str(event['detail'])[:160]}"
            by_node.setdefault(node, []).append((time, event["event"], told, plain(event["reported_by"]) or ""))
    downs: list[Down] = []
    for node, events in by_node.items():
        downs += _of_node(node, sorted(events))
    stopped = {
        str(row["rabbit_node"]) for row in records(evidence.table(RABBIT_NODES)) if plain(row["running"]) is False
    }
    open_ended = {down.rabbit_node for down in downs if down.end is None}
    downs = [
        replace(down, words=(*down.words, _NOT_RUNNING), certain=True)
        if down.end is None and down.rabbit_node in stopped
        else down
        for down in downs
    ]
    downs += [Down(node, None, None, (_NOT_RUNNING,), True) for node in stopped - open_ended]
    return sorted(downs, key=lambda down: (down.start or 0, down.rabbit_node))


def _of_node(node: str, events: list[tuple[int, str, str, str]]) -> list[Down]:
    downs: list[Down] = []
    start: int | None = None
    words: list[str] = []
    certain = False
    falls = [time for time, event, *_ in events if event == "peer_down"]
    for time, event, told, _ in events:
        if event == "peer_up" and any(time <= fall < time + _MOMENTS for fall in falls):
            continue
        if event in _DOWN:
            start = time if start is None else start
            words.append(told)
            certain = certain or event != "peer_down"
        elif start is not None:
            downs.append(Down(node, start, time, (*words, told), certain or event == "started"))
            start, words, certain = None, [], False
        elif event == "started" and downs and downs[-1].end is not None and time - downs[-1].end < 120_000_000_000:
            # Peers see it up a moment before or after it says so itself: still the same end.
            last = downs[-1]
            downs[-1] = Down(node, last.start, last.end, (*last.words, told), True)
    if start is not None:
        downs.append(Down(node, start, None, tuple(words), certain))
    return downs


def down_at(evidence: Evidence, node: str, moment: int) -> Down | None:
    """The time in which the node was down at that instant."""
    for down in node_downs(evidence):
        if (
            down.rabbit_node == node
            and down.start is not None
            and down.start <= moment
            and (down.end is None or moment < down.end)
        ):
            return down
    return None
