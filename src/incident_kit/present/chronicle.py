"""What happened, in order: changes, restarts, broker events and losses of one window as lines with a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incident_kit.present import gather
from incident_kit.present.cells import cell, readable
from incident_kit.present.clock import Clock
from incident_kit.present.material import short_image
from incident_kit.present.text import names, plural, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence

_MOST_EVENTS = 22
_LONGEST_VALUE, _LONGEST_SENTENCE = 60, 160
#: Changes that say little by themselves: what exists was created once, runs run, instances are told as restarts.
_QUIET = frozenset({"created", "job", "restart", "scale", "endpoints"})
_BROKER_EVENTS = {"stopping": "is asked to stop", "stopped": "stopped", "started": "started",
                  "alarm_set": "raises an alarm", "alarm_cleared": "clears its alarm"}  # fmt: skip


def chronicle(evidence: Evidence, changed: pd.DataFrame) -> list[str]:
    """Changes, restarts, broker events and losses of the window in time order; first deployments yield to the rest."""
    clock = Clock(evidence.window)
    first, later = _changes_told(changed, clock)
    told = [*later, *_restarts_told(evidence), *_broker_told(evidence), *_losses_told(gather.losses(evidence), clock)]
    chosen = [event for event in dict.fromkeys(told) if event[0] in evidence.window]
    spare = [event for event in dict.fromkeys(first) if event[0] in evidence.window]
    room = max(_MOST_EVENTS // 2 - len(chosen), 0)
    left_out = len(spare[room:]) + len(chosen[_MOST_EVENTS:])
    lines = [f"{clock(time)}  {words}" for time, words in sorted(sorted(chosen)[:_MOST_EVENTS] + spare[:room])]
    return lines + ([f"... and {plural(left_out, 'more event')}; see the timeline."] if left_out else [])


def _changes_told(changed: pd.DataFrame, clock: Clock) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Changes as sentences: first deployments, of which nothing was there before, and all others."""
    first: list[tuple[int, str]] = []
    later: list[tuple[int, str]] = []
    for row in changed[changed["time"].notna() & ~changed["what"].isin(_QUIET)].to_dict("records"):
        what, subject = cell(row["what"]).replace("_", " "), f"{cell(row['kind'])} {cell(row['name'])}"
        words = f"{subject} {what}" if what.endswith("ed") else f"{what} of {subject}"
        old, new = cell(row["old"]), cell(row["new"])
        shown = [shorten(value, _LONGEST_VALUE) for value in (old, new) if value]
        words += f": {' → '.join(shown)}" if new else ""
        words += f", by {cell(row['by'])}" if cell(row["by"]) else ""
        undone = shorten(readable(cell(row["undone_by"]), clock.day), _LONGEST_SENTENCE)
        words += f"; undone by {undone}" if undone else ""
        (first if row["what"] == "sync" and not old else later).append((row["time"].value, words))
    return first, later


def _restarts_told(evidence: Evidence) -> list[tuple[int, str]]:
    from incident_kit.answers import restarts

    ended = restarts(evidence)
    unwell = ended[ended["time"].notna() & ended["reason"].notna() & ended["reason"].ne("Completed")]
    return [
        (row["time"].value, f"{cell(row['pod'])}/{cell(row['container'])} ended: {_ending(row)}")
        for row in unwell.to_dict("records")
    ]


def _ending(row: dict[Any, Any]) -> str:
    image = cell(row["image"])
    code = cell(row["exit_code"])
    parts = [cell(row["reason"]) or "reason not recorded", f"exit code {code}" if code else ""]
    return ", ".join(filter(None, parts)) + (f" ({short_image(image)})" if image else "")


def _broker_told(evidence: Evidence) -> list[tuple[int, str]]:
    """First mention of each state of a RabbitMQ node; brokers repeat themselves."""
    from incident_kit.tables.rabbitmq import RABBIT_EVENTS

    events = evidence.table(RABBIT_EVENTS)
    chosen = events[events["event"].isin(list(_BROKER_EVENTS)) & events["time"].notna()]
    told: list[tuple[int, str]] = []
    state: dict[str, str] = {}
    for row in chosen.to_dict("records"):
        if state.get(row["rabbit_node"]) != row["event"]:
            state[row["rabbit_node"]] = row["event"]
            told.append((row["time"].value, f"RabbitMQ node {cell(row['rabbit_node'])} {_BROKER_EVENTS[row['event']]}"))
    return told


def _losses_told(lost: pd.DataFrame, clock: Clock) -> list[tuple[int, str]]:
    """Where each cause of loss begins."""
    told = []
    for cause, rows in lost.groupby(lost["cause"].fillna("unexplained")):
        first, last = rows["time"].min(), rows["time"].max()
        pods = names(list(dict.fromkeys(rows["pod"].dropna())))
        count = plural(len(rows), "entry", "entries")
        until = "" if first == last else f" until {clock(last.value)}"
        told.append((first.value, f"{count} of {pods} only on the console{until}: {visible(cause)}"))
    return told
