"""What happened, in order: changes, restarts, broker events and losses of one window as lines with a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incident_kit.counting import plural
from incident_kit.present import gather
from incident_kit.present.cells import cell, readable
from incident_kit.present.clock import Clock
from incident_kit.present.material import short_image
from incident_kit.present.text import names, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence

_MOST_EVENTS = 22
_LONGEST_VALUE, _LONGEST_SENTENCE = 60, 160
#: Changes that say little by themselves: what exists was created once, runs run, instances are told as restarts.
_QUIET = frozenset({"created", "job", "restart", "scale", "endpoints"})
#: How a change is told whose name does not read well before "of Job orders-jobs".
_TOLD_AS = dict.fromkeys(("config", "network_policy", "service", "ingress", "autoscaler"), "change") | {
    "manual_job": "start by hand"
}
_BROKER_EVENTS = {"stopping": "is asked to stop", "stopped": "stopped", "started": "started",
                  "alarm_set": "raises an alarm", "alarm_cleared": "clears its alarm",
                  "drained": "goes into maintenance and sends its clients away", "revived": "leaves maintenance"}  # fmt: skip


#: Where not everything fits, higher weights are told and lower ones counted.
_TROUBLE, _CHANGE, _FIRST = 3, 2, 1
_TROUBLESOME = frozenset({"rollback", "failed_sync", "eviction", "node_condition"})
#: More ends than this of one kind are told together.
_MOST_ALIKE = 3


@dataclass(frozen=True, slots=True, order=True)
class _Event:
    """One line of the chronicle."""

    time: int
    words: str
    weight: int


def chronicle(evidence: Evidence, changed: pd.DataFrame) -> list[str]:
    """Changes, restarts, broker events and losses of the window in time order.

    Where there are too many, trouble goes before other changes, and those before first deployments.
    """
    clock = Clock(evidence.window)
    told = [
        *_changes_told(changed, clock), *_restarts_told(evidence, clock), *_broker_told(evidence),
        *_losses_told(gather.losses(evidence), clock),
    ]  # fmt: skip
    inside = sorted(
        dict.fromkeys(event for event in told if event.time in evidence.window), key=lambda e: (-e.weight, e)
    )
    ranked = [event for event in inside if event.weight > _FIRST][:_MOST_EVENTS]
    room = max(_MOST_EVENTS // 2 - len(ranked), 0)
    shown = [*ranked, *[event for event in inside if event.weight == _FIRST][:room]]
    lines = [f"{clock(event.time)}  {event.words}" for event in sorted(shown)]
    left_out = len(inside) - len(shown)
    return lines + ([f"... and {plural(left_out, 'more event')}; see the timeline."] if left_out else [])


def _changes_told(changed: pd.DataFrame, clock: Clock) -> list[_Event]:
    """Changes as sentences; a first deployment is a sync before which nothing was there."""
    told = []
    for row in changed[changed["time"].notna() & ~changed["what"].isin(_QUIET)].to_dict("records"):
        what = _TOLD_AS.get(row["what"], cell(row["what"]).replace("_", " "))
        subject = f"{cell(row['kind'])} {cell(row['name'])}"
        words = f"{subject} {what}" if what.endswith("ed") else f"{what} of {subject}"
        old, new = cell(row["old"]), cell(row["new"])
        shown = [shorten(value, _LONGEST_VALUE) for value in (old, new) if value]
        words += f": {' → '.join(shown)}" if new else ""
        words += f", by {cell(row['by'])}" if cell(row["by"]) else ""
        undone = shorten(readable(cell(row["undone_by"]), clock.day), _LONGEST_SENTENCE)
        words += f"; undone by {undone}" if undone else ""
        first = row["what"] == "sync" and not old
        weight = _TROUBLE if undone or row["what"] in _TROUBLESOME else _FIRST if first else _CHANGE
        told.append(_Event(row["time"].value, words, weight))
    return told


def _restarts_told(evidence: Evidence, clock: Clock) -> list[_Event]:
    """Containers that ended badly; many that ended alike are one line."""
    from incident_kit.answers.restarts import restarts

    ended = restarts(evidence)
    unwell = ended[ended["time"].notna() & ended["reason"].notna() & ended["reason"].ne("Completed")]
    unwell = unwell[[time.value in evidence.window for time in unwell["time"]]]
    alike: dict[str, list[dict[Any, Any]]] = {}
    for row in unwell.to_dict("records"):
        alike.setdefault(_ending(row), []).append(row)
    told = []
    for ending, rows in alike.items():
        if len(rows) <= _MOST_ALIKE:
            for row in rows:
                image = f" ({short_image(row['image'])})" if cell(row["image"]) else ""
                words = f"{cell(row['pod'])}/{cell(row['container'])} ended: {ending}{image}"
                told.append(_Event(row["time"].value, words, _TROUBLE))
            continue
        pods = names(list(dict.fromkeys(cell(row["pod"]) for row in rows)))
        first, last = rows[0]["time"].value, rows[-1]["time"].value
        until = f" until {clock(last)}" if clock(last) != clock(first) else ""
        told.append(_Event(first, f"{plural(len(rows), 'container')} of {pods} ended{until}: {ending}", _TROUBLE))
    return told


def _ending(row: dict[Any, Any]) -> str:
    code = cell(row["exit_code"])
    return f"{cell(row['reason'])}, exit code {code}" if code else cell(row["reason"])


def _broker_told(evidence: Evidence) -> list[_Event]:
    """First mention of each state of a RabbitMQ node; brokers repeat themselves."""
    from incident_kit.tables.rabbitmq import RABBIT_EVENTS

    events = evidence.table(RABBIT_EVENTS)
    chosen = events[events["event"].isin(list(_BROKER_EVENTS)) & events["time"].notna()]
    told = []
    state: dict[str, str] = {}
    for row in chosen.to_dict("records"):
        if state.get(row["rabbit_node"]) != row["event"]:
            state[row["rabbit_node"]] = row["event"]
            words = f"RabbitMQ node {cell(row['rabbit_node'])} {_BROKER_EVENTS[row['event']]}"
            told.append(_Event(row["time"].value, words, _TROUBLE))
    return told


def _losses_told(lost: pd.DataFrame, clock: Clock) -> list[_Event]:
    """Where each cause of loss begins."""
    told = []
    for cause, rows in lost.groupby(lost["cause"].fillna("unexplained")):
        first, last = rows["time"].min(), rows["time"].max()
        pods = names(list(dict.fromkeys(rows["pod"].dropna())))
        count = plural(len(rows), "entry", "entries")
        until = "" if first == last else f" until {clock(last.value)}"
        words = f"{count} of {pods} only on the console{until}: {visible(cause)}"
        told.append(_Event(first.value, words, _TROUBLE))
    return told
