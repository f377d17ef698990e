"""The story of an incident in words: every sentence is computed from the answers, none is written in advance.

Used by the demo in the terminal and at the top of the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from incident_kit.counting import plural
from incident_kit.present import gather
from incident_kit.present.causes import meaning_of
from incident_kit.present.cells import cell
from incident_kit.present.chronicle import chronicle
from incident_kit.present.clock import Clock
from incident_kit.present.material import keys_of
from incident_kit.present.severity import worst_first
from incident_kit.present.text import names, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence
    from incident_kit.window import Window

IN_ORDER, CONCLUSIONS, NOT_SHOWN = "What happened, in order", "What the rules conclude", "What this does not show"
_MOST_FINDINGS, _MOST_GAPS, _MOST_MOVES = 12, 12, 4


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
    from incident_kit.answers.findings import findings

    clock = Clock(evidence.window)
    changed = gather.changes_of(evidence)
    chapters = {
        "What was looked at": looked_at(evidence),
        IN_ORDER: [*(chronicle(evidence, changed) or ["Nothing is recorded in the window."]), *hidden(evidence)],
        CONCLUSIONS: conclusions(findings(evidence), clock.day),
        "What never reached Elasticsearch, and why": losses(gather.counts(evidence), gather.losses(evidence), clock),
        "Which RabbitMQ node": rabbit(evidence),
        "What changed": [*change_summary(changed, evidence.window), *hidden(evidence, "kubernetes", "argocd")],
        NOT_SHOWN: not_shown(evidence),
    }
    return [Chapter(title=title, sentences=tuple(sentences)) for title, sentences in chapters.items()]


def looked_at(evidence: Evidence) -> list[str]:
    """Cluster, window, and how much was read; log entries are also read from around the window."""
    pods = gather.known_pods(evidence)
    rows = evidence.manifest.rows
    counts = gather.counts(evidence)
    inside = int(counts.loc[counts["side"] == "console", "count"].sum())
    entries = plural(rows.get("console_entries", 0), "console entry", "console entries")
    window, clock = evidence.window, Clock(evidence.window)
    workloads = pods["workload"].nunique()
    of = f" of {plural(workloads, 'workload')}" if workloads else ""
    counted = [
        entries if inside == rows.get("console_entries", 0) else f"{entries} ({inside:,} of them in the window)",
        plural(rows.get("elastic_documents", 0), "Elasticsearch document"),
        plural(len(gather.connections(evidence, gather.rabbit_nodes(evidence))), "RabbitMQ connection"),
        plural(rows.get("events", 0), "Kubernetes event"),
    ]
    return [
        f"Cluster {visible(evidence.cluster)}, {clock.span(window)} ({_duration((window.end - window.start) / 1e9)}). All times are UTC.",
        f"{plural(len(pods), 'pod')}{of}; {', '.join(counted)}.",
    ]


def conclusions(found: pd.DataFrame, day: str = "") -> list[str]:
    """Findings, the worst first, each with its next step; several of one rule are told together.

    Args:
        found: FINDINGS rows.
        day: the day that is told elsewhere and left out of times.
    """
    judged_not = len(found.attrs.get("gaps", ()))
    silent = [f"{plural(judged_not, 'rule')} could not judge for want of evidence."] if judged_not else []
    if not len(found):
        return ["No rule found anything in what was captured.", *silent]
    sentences = []
    for _, rows in worst_first(found).groupby("rule", sort=False):
        first = rows.iloc[0]
        more = f" (and {plural(len(rows) - 1, 'more finding')} of this rule)" if len(rows) > 1 else ""
        step = f" Next: {cell(first['next_step'])}" if cell(first["next_step"]) else ""
        title = cell(first["title"], "title", day).rstrip(".")
        sentences.append(f"{cell(first['severity']):<8}  {cell(first['rule'])}: {title}{more}.{step}")
    more_rules = len(sentences) - _MOST_FINDINGS
    told = sentences[:_MOST_FINDINGS]
    more_told = [f"... and findings of {plural(more_rules, 'more rule')}."] if more_rules > 0 else []
    return [*told, *more_told, *silent]


def losses(counts: pd.DataFrame, lost: pd.DataFrame, clock: Clock) -> list[str]:
    """How many console entries never arrived, by cause, and what could not be judged.

    Args:
        counts: COUNTS rows.
        lost: CONSOLE_ONLY rows of what never arrived.
        clock: how times are told.
    """
    console = counts[counts["side"] == "console"]
    if not len(console):
        return ["No console entry was captured, so nothing can be said."]
    total = int(console["count"].sum())
    unknown = int(console.loc[console["verdict"] == "unknown", "count"].sum())
    entries = plural(total, "console entry", "console entries")
    if unknown == total:
        return [f"None of {entries} could be judged: outside what both sides cover."]
    sentences = [f"{len(lost):,} of {entries} never reached Elasticsearch."]
    for cause, rows in _by_size(lost, lost["cause"].fillna("unexplained")):
        pods = names(list(dict.fromkeys(rows["pod"].dropna())))
        times = rows["time"].dropna()
        span = f", {_span(times.min().value, times.max().value, clock)}" if len(times) else ""
        sentences.append(f"{visible(cause)} ({meaning_of(cause)}): {len(rows):,}, of {pods}{span}.")
    if unknown:
        sentences.append(
            f"{plural(unknown, 'more entry', 'more entries')} could not be judged: outside what both sides cover."
        )
    return sentences


def _span(first: int, last: int, clock: Clock) -> str:
    return f"{clock(first)} to {clock(last)}" if clock(first) != clock(last) else f"at {clock(first)}"


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
        held = f"{plural(len(open_now), 'connection')} of {names(pods)}" if pods else "no connection of a known pod"
        sentences.append(f"{visible(node)}: {held} open at the end.")
    sentences.extend(_moves(own))
    unclear = int((links["match"] == "ambiguous").sum())
    if unclear:
        sentences.append(f"{plural(unclear, 'connection')} could belong to several pods; the candidates are named.")
    return sentences


def _moves(own: pd.DataFrame) -> list[str]:
    """Pods that were on more than one node in the window, in the order in which they connected, also back again."""
    told = []
    for pod, rows in own.sort_values("connected_at", kind="stable").groupby(keys_of(own), sort=False):
        nodes = [visible(node) for node, _ in groupby(rows["rabbit_node"].dropna())]
        if len(nodes) > 1:
            later = nodes[1:]
            again = f" and {plural(len(later) - _MOST_MOVES, 'more time')}" if len(later) > _MOST_MOVES else ""
            told.append(f"{visible(pod)} was on {nodes[0]}, then on {', then on '.join(later[:_MOST_MOVES])}{again}.")
    more = len(told) - 6
    return told[:6] + ([f"... and {plural(more, 'more pod')} on several nodes."] if more > 0 else [])


def change_summary(changed: pd.DataFrame, window: Window) -> list[str]:
    """How many changes of which sort in the window, by whom, and what was undone."""
    clock = Clock(window)
    times = changed["time"].to_numpy("datetime64[ns]").view("int64")
    inside = changed[(times >= window.start) & (times < window.end)]
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
        f"{cell(row['what'])} of {cell(row['name'])} at {clock(row['time'].value)} was undone by "
        f"{cell(row['undone_by'], 'undone_by', clock.day)}."
        for row in inside[inside["undone_by"].notna()].to_dict("records")
    )
    return sentences


def not_shown(evidence: Evidence) -> list[str]:
    """What was asked for and not obtained, and which consoles are not known from beginning to end."""
    consoles = missing_consoles(evidence)
    gaps = gather.gaps_of(evidence)
    if not len(gaps):
        return ["No read failed.", *consoles]
    grouped: dict[tuple[Any, Any], list[Any]] = {}
    for source, reason, what in zip(gaps["source"], gaps["reason"], gaps["what"], strict=True):
        grouped.setdefault((source, reason), []).append(what)
    told = [
        f"{cell(source)}: {shorten(cell(reason, 'reason'), 120)}: "
        + names([shorten(what, 70) for what in whats], 4, "thing")
        for (source, reason), whats in grouped.items()
    ]
    more = len(told) - _MOST_GAPS
    return [*told[:_MOST_GAPS], *([f"... and {plural(more, 'more reason')} for gaps."] if more > 0 else []), *consoles]


def missing_consoles(evidence: Evidence) -> list[str]:
    """Pods of the window without a console, and with one that is known only in part."""
    coverage = evidence.coverage[evidence.coverage["source"] == "console"]
    read = keys_of(coverage)
    unread = [key for key in keys_of(gather.known_pods(evidence)) if key not in set(read)]
    in_part = list(dict.fromkeys(read[coverage["complete"].ne(True).to_numpy(dtype=bool)]))
    told = []
    if unread:
        told.append(f"No console was read of {names(unread)}: what they wrote cannot be compared.")
    if in_part:
        told.append(f"The console of {names(in_part)} is known only in part; the coverage says from when to when.")
    return told


def hidden(evidence: Evidence, *sources: str) -> list[str]:
    """What could not be read and may hide more of what a chapter tells; of all sources by default."""
    gaps = gather.gaps_of(evidence)
    counts = gaps["source"].value_counts()
    told = [
        f"{visible(source)} ({plural(n, 'gap')})" for source, n in counts.items() if not sources or source in sources
    ]
    return [f"More may be hidden by what could not be read: {', '.join(told)}."] if told else []


def _by_size(frame: pd.DataFrame, key: pd.Series[Any]) -> list[tuple[Any, pd.DataFrame]]:
    return sorted(frame.groupby(key), key=lambda pair: -len(pair[1]))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return plural(round(seconds), "second")
    if seconds < 7200:
        return plural(round(seconds / 60), "minute")
    return f"{seconds / 3600:.3g} hours" if seconds < 172_800 else f"{seconds / 86_400:.3g} days"
