"""The story of an incident in words: every sentence is computed from the answers, none is written in advance.

Used by the demo in the terminal and at the top of the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incident_kit.present import gather
from incident_kit.present.columns import instant
from incident_kit.present.material import keys_of, short_image
from incident_kit.present.text import plural, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence

CONCLUSIONS, NOT_SHOWN = "What the rules conclude", "What this does not show"
_MOST_EVENTS, _MOST_FINDINGS, _MOST_NAMES = 22, 12, 2
_SEVERITIES = ("critical", "warning", "info")
#: Changes that say little by themselves: what exists was created once, runs run, instances are told as restarts.
_QUIET = frozenset({"created", "job", "restart", "scale", "endpoints"})
_BROKER_EVENTS = {"stopping": "is asked to stop", "stopped": "stopped", "started": "started",
                  "alarm_set": "raises an alarm", "alarm_cleared": "clears its alarm"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One part of the story.

    Attributes:
        title: what it answers.
        sentences: the answer, a sentence each; visible text.
    """

    title: str
    sentences: tuple[str, ...]


def tell(evidence: Evidence) -> list[Chapter]:
    """The story of one bundle."""
    from incident_kit.answers import findings

    found = findings(evidence)
    changed = gather.changes_of(evidence)
    chapters = {
        "What was looked at": looked_at(evidence),
        "What happened, in order": chronicle(evidence, changed),
        CONCLUSIONS: conclusions(found),
        "What never reached Elasticsearch, and why": losses(gather.verdicts(evidence)),
        "Which RabbitMQ node": rabbit(evidence),
        "What changed": change_summary(changed, evidence.window.start, evidence.window.end),
        NOT_SHOWN: not_shown(evidence),
    }
    return [Chapter(title=title, sentences=tuple(sentences)) for title, sentences in chapters.items()]


def looked_at(evidence: Evidence) -> list[str]:
    """Cluster, window, and how much was read."""
    from incident_kit.window import format_ns

    pods = gather.known_pods(evidence)
    rows = evidence.manifest.rows
    seconds = (evidence.window.end - evidence.window.start) / 1e9
    start = (format_ns(evidence.window.start) or "")[:19].replace("T", " ")
    workloads = pods["workload"].nunique()
    counted = [
        plural(rows.get("console_entries", 0), "console entry", "console entries"),
        plural(rows.get("elastic_documents", 0), "Elasticsearch document"),
        plural(rows.get("connections", 0), "sighting of RabbitMQ connections", "sightings of RabbitMQ connections"),
        plural(rows.get("events", 0), "Kubernetes event"),
    ]
    return [
        f"Cluster {visible(evidence.cluster)}, {_duration(seconds)} from {start} UTC.",
        f"{plural(len(pods), 'pod')} of {plural(workloads, 'workload')}; {', '.join(counted)}.",
    ]


def chronicle(evidence: Evidence, changed: pd.DataFrame) -> list[str]:
    """Changes, restarts, broker events and losses of the window in time order; first deployments yield to the rest."""
    first, later = _changes_told(changed)
    told = [*later, *_restarts_told(evidence), *_broker_told(evidence), *_losses_told(gather.verdicts(evidence))]
    chosen = [event for event in dict.fromkeys(told) if event[0] in evidence.window]
    spare = [event for event in dict.fromkeys(first) if event[0] in evidence.window]
    room = max(_MOST_EVENTS // 2 - len(chosen), 0)
    left_out = len(spare[room:]) + len(chosen[_MOST_EVENTS:])
    lines = [f"{_clock(time)}  {words}" for time, words in sorted(sorted(chosen)[:_MOST_EVENTS] + spare[:room])]
    return lines + ([f"... and {plural(left_out, 'more event')}; see the timeline."] if left_out else [])


def _changes_told(changed: pd.DataFrame) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Changes as sentences: first deployments, of which nothing was there before, and all others."""
    first: list[tuple[int, str]] = []
    later: list[tuple[int, str]] = []
    for row in changed[changed["time"].notna() & ~changed["what"].isin(_QUIET)].to_dict("records"):
        what, subject = _text(row["what"]).replace("_", " "), f"{_text(row['kind'])} {_text(row['name'])}"
        words = f"{subject} {what}" if what.endswith("ed") else f"{what} of {subject}"
        old, new = _text(row["old"]), _text(row["new"])
        words += f": {shorten(old, 40)} → {shorten(new, 40)}" if old and new else f": {shorten(new, 60)}" if new else ""
        words += f", by {_text(row['by'])}" if _text(row["by"]) else ""
        words += f"; undone by {shorten(row['undone_by'], 60)}" if _text(row["undone_by"]) else ""
        (first if row["what"] == "sync" and not old else later).append((row["time"].value, words))
    return first, later


def _restarts_told(evidence: Evidence) -> list[tuple[int, str]]:
    from incident_kit.answers import restarts

    ended = restarts(evidence)
    unwell = ended[ended["time"].notna() & ended["reason"].notna() & ended["reason"].ne("Completed")]
    return [
        (row["time"].value, f"{_text(row['pod'])}/{_text(row['container'])} ended: {_ending(row)}")
        for row in unwell.to_dict("records")
    ]


def _ending(row: dict[Any, Any]) -> str:
    image = _text(row["image"])
    code = _text(row["exit_code"])
    parts = [_text(row["reason"]) or "reason not recorded", f"exit code {code}" if code else ""]
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
            told.append(
                (row["time"].value, f"RabbitMQ node {_text(row['rabbit_node'])} {_BROKER_EVENTS[row['event']]}")
            )
    return told


def _losses_told(verdicts: pd.DataFrame) -> list[tuple[int, str]]:
    """Where each cause of loss begins."""
    lost = verdicts[(verdicts["verdict"] == "console_only") & verdicts["time"].notna()]
    told = []
    for cause, rows in lost.groupby(lost["cause"].fillna("unexplained")):
        first, last = rows["time"].min(), rows["time"].max()
        pods = _names(list(dict.fromkeys(rows["pod"].dropna())))
        count = plural(len(rows), "entry", "entries")
        until = "" if first == last else f" until {_clock(last.value)}"
        told.append((first.value, f"{count} of {pods} only on the console{until}: {visible(cause)}"))
    return told


def conclusions(found: pd.DataFrame) -> list[str]:
    """Findings, the worst first, each with its next step; several of one rule are told together."""
    if not len(found):
        return ["No rule found anything in what was captured."]
    rank = {severity: place for place, severity in enumerate(_SEVERITIES)}
    ordered = found.assign(rank=found["severity"].map(rank).fillna(len(rank))).sort_values(
        ["rank", "time"], kind="stable", na_position="last"
    )
    sentences = []
    for _, rows in ordered.groupby("rule", sort=False):
        first = rows.iloc[0]
        more = f" (and {plural(len(rows) - 1, 'more finding')} of this rule)" if len(rows) > 1 else ""
        step = f" Next: {_text(first['next_step'])}" if _text(first["next_step"]) else ""
        title = _text(first["title"]).rstrip(".")
        sentences.append(f"{_text(first['severity']):<8}  {_text(first['rule'])}: {title}{more}.{step}")
    more_rules = len(sentences) - _MOST_FINDINGS
    told = sentences[:_MOST_FINDINGS]
    return told + ([f"... and findings of {plural(more_rules, 'more rule')}."] if more_rules > 0 else [])


def losses(verdicts: pd.DataFrame) -> list[str]:
    """How many console entries never arrived, by cause, and what could not be judged."""
    console = verdicts[verdicts["side"] == "console"]
    if not len(console):
        return ["No console entry was captured, so nothing can be said."]
    lost = console[console["verdict"] == "console_only"]
    unknown = int((console["verdict"] == "unknown").sum())
    sentences = [
        f"{len(lost):,} of {plural(len(console), 'console entry', 'console entries')} never reached Elasticsearch."
    ]
    for cause, rows in _by_size(lost, lost["cause"].fillna("unexplained")):
        pods = _names(list(dict.fromkeys(rows["pod"].dropna())))
        span = f"{_clock(rows['time'].min().value)} to {_clock(rows['time'].max().value)}"
        sentences.append(f"{visible(cause)}: {len(rows):,}, of {pods}, {span}.")
    if unknown:
        sentences.append(f"{plural(unknown, 'entry', 'entries')} could not be judged: outside what both sides cover.")
    return sentences


def rabbit(evidence: Evidence) -> list[str]:
    """Connections by node, and where each pod that lost one went."""
    nodes = gather.rabbit_nodes(evidence)
    if not nodes:
        return ["No RabbitMQ was captured."]
    links = gather.connections(evidence, nodes)
    own = links[links["pod"].notna()]
    sentences = []
    for node in nodes:
        open_now = own[(own["rabbit_node"] == node) & own["closed_at"].isna()]
        pods = list(dict.fromkeys(open_now["pod"]))
        held = f"{plural(len(open_now), 'connection')} of {_names(pods)}" if pods else "no connection of a known pod"
        sentences.append(f"{visible(node)}: {held} open at the end.")
    sentences.extend(_moves(own))
    unclear = int((links["match"] == "ambiguous").sum())
    if unclear:
        sentences.append(f"{plural(unclear, 'connection')} could belong to several pods; the candidates are named.")
    return sentences


def _moves(own: pd.DataFrame) -> list[str]:
    """Pods that were on more than one node in the window."""
    told = []
    for pod, rows in own.sort_values("connected_at", kind="stable").groupby(keys_of(own), sort=False):
        order = list(dict.fromkeys(rows["rabbit_node"].dropna()))
        if len(order) > 1:
            told.append(f"{visible(pod)} was on {visible(order[0])}, then on {', '.join(map(visible, order[1:]))}.")
    more = len(told) - 6
    return told[:6] + ([f"... and {plural(more, 'more pod')} on several nodes."] if more > 0 else [])


def change_summary(changed: pd.DataFrame, start: int, end: int) -> list[str]:
    """How many changes of which sort in the window, by whom, and what was undone."""
    times = changed["time"].to_numpy("datetime64[ns]").view("int64")
    inside = changed[(times >= start) & (times < end)]
    if not len(inside):
        return ["No change is recorded in the window."]
    sorts = ", ".join(
        f"{count:,} {visible(what).replace('_', ' ')}" for what, count in inside["what"].value_counts().items()
    )
    sentences = [f"{plural(len(inside), 'change')} in the window: {sorts}."]
    people = inside["by"].dropna().value_counts()
    if len(people):
        sentences.append(
            "By " + ", ".join(f"{visible(name)} ({count:,})" for name, count in people.head(6).items()) + "."
        )
    sentences.extend(
        f"{_text(row['what'])} of {_text(row['name'])} at {_clock(row['time'].value)} was undone by {_text(row['undone_by'])}."
        for row in inside[inside["undone_by"].notna()].to_dict("records")
    )
    return sentences


def not_shown(evidence: Evidence) -> list[str]:
    """What was asked for and not obtained."""
    gaps = evidence.gaps
    if not len(gaps):
        return ["No read failed and none is known to be incomplete."]
    told = [
        f"{_text(gap['source'])}: {shorten(gap['what'], 70)}: {shorten(gap['reason'], 120)}"
        for gap in gaps.head(8).to_dict("records")
    ]
    return told + ([f"... and {plural(len(gaps) - 8, 'more gap')}."] if len(gaps) > 8 else [])


def _by_size(frame: pd.DataFrame, key: pd.Series[Any]) -> list[tuple[Any, pd.DataFrame]]:
    return sorted(frame.groupby(key), key=lambda pair: -len(pair[1]))


def _names(pods: list[str]) -> str:
    shown = ", ".join(map(visible, pods[:_MOST_NAMES]))
    return shown + (f" and {plural(len(pods) - _MOST_NAMES, 'more pod')}" if len(pods) > _MOST_NAMES else "")


def _text(value: object) -> str:
    import pandas as pd

    return "" if value is None or value is pd.NA or value != value else visible(value)


def _clock(time: int) -> str:
    import pandas as pd

    return instant(pd.Timestamp(time, tz="UTC"))[11:19]


def _duration(seconds: float) -> str:
    if seconds < 120:
        return plural(round(seconds), "second")
    return plural(round(seconds / 60), "minute") if seconds < 7200 else f"{seconds / 3600:.1f} hours"
