"""What the report tells, whatever it is written as: numbers, findings, tables with how to read them, and its limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from incident_kit.counting import plural
from incident_kit.present import gather
from incident_kit.present.causes import meaning_of
from incident_kit.present.cells import cell
from incident_kit.present.clock import Clock
from incident_kit.present.links import finding_links
from incident_kit.present.severity import worst_first
from incident_kit.present.story import CONCLUSIONS, NOT_SHOWN, Chapter, missing_consoles
from incident_kit.present.text import visible
from incident_kit.rules.rule import SEVERITIES

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence

#: Rows of one table.
ROWS = 60
_SILENT = (
    "A finding is a judgement of one rule; what would refute it stands beside it. Near in time is not cause.",
    "Outside the coverage, an absent document means nothing: such entries are unknown, neither lost nor found.",
    "Events older than an hour, consoles of deleted pods and closed connections are gone unless somebody kept them.",
    "A rule that could not judge found nothing for that alone; which and why stands under Rules that could not judge.",
)


def limits(evidence: Evidence) -> list[str]:
    """What the report does not show, and what its silence does not mean."""
    return [*_SILENT, *missing_consoles(evidence)]


def without_findings(chapters: Sequence[Chapter]) -> list[Chapter]:
    """The chapters that the report does not tell in full further down."""
    return [chapter for chapter in chapters if chapter.title not in {CONCLUSIONS, NOT_SHOWN}]


def title(evidence: Evidence) -> str:
    """What stands above the report."""
    return f"Incident report: {gather.bundle_name(evidence)}"


def window(evidence: Evidence) -> str:
    """Of which cluster and of which time it is."""
    clock = Clock(evidence.window)
    return f"Cluster {visible(evidence.cluster)}, {clock.span(evidence.window)} UTC."


def facts(evidence: Evidence) -> list[tuple[str, str]]:
    """The few numbers at its head, each with the words below it."""
    counts = gather.counts(evidence)
    console = counts[counts["side"] == "console"]
    found = findings(evidence)
    unknown = int(console.loc[console["verdict"] == "unknown", "count"].sum())
    doubt = f", {unknown:,} of them not judged" if unknown else ""
    return [
        _counted(len(gather.known_pods(evidence)), "pod in the window", "pods in the window"),
        _counted(
            int(console["count"].sum()), f"console entry in the window{doubt}", f"console entries in the window{doubt}"
        ),
        _counted(len(gather.losses(evidence)), "never reached Elasticsearch"),
        _counted(sum(finding["severity"] == "critical" for finding in found), "critical finding", "critical findings"),
        _counted(len(gather.gaps_of(evidence)), "gap in the evidence", "gaps in the evidence"),
    ]


def _counted(count: int, singular: str, several: str | None = None) -> tuple[str, str]:
    """A number and the words below it."""
    number, _, words = plural(count, singular, several or singular).partition(" ")
    return number, words


def findings(evidence: Evidence) -> list[dict[str, Any]]:
    """Findings as the template shows them, the worst first; every value visible text."""
    from incident_kit.answers.findings import findings as judged

    day = Clock(evidence.window).day
    shown = []
    for row in worst_first(judged(evidence)).to_dict("records"):
        subject = "/".join(filter(None, (cell(row["namespace"]), cell(row["name"]))))
        facts = row["evidence"]
        shown.append({
            **{name: cell(row[name], name, day) for name in ("rule", "title", "confidence", "next_step", "refuted_by", "time")},
            "severity": row["severity"] if row["severity"] in SEVERITIES else "info",
            "subject": f"{cell(row['kind'])} {subject}",
            "evidence": [cell(fact, "evidence", day) for fact in facts] if facts is not None else [],
            "links": finding_links(evidence, row),
        })  # fmt: skip
    return shown


def tables(evidence: Evidence) -> list[tuple[str, str, pd.DataFrame]]:
    """Title, how to read it, and rows of each table of the report."""
    from incident_kit.answers.findings import findings as judged
    from incident_kit.answers.restarts import restarts

    lost = gather.losses(evidence)
    some = some_of_each(lost, ROWS)
    did_not_apply = judged(evidence).attrs.get("gaps", evidence.gaps.head(0))
    nodes = gather.rabbit_nodes(evidence)
    changes = gather.changes_of(evidence)
    inside = evidence.in_window(changes)
    return [
        ("Only on the console, by cause", "Entries that never reached Elasticsearch.", by_cause(lost)),
        (
            "Only on the console, entries",
            f"The first ones of each cause and pod, {len(some):,} of {len(lost):,}; incident-kit console-only BUNDLE has all.",
            some,
        ),
        ("Restarts", "Container instances that ended.", restarts(evidence)),
        (
            "RabbitMQ connections",
            "One row a connection, and why it is that pod's.",
            gather.connections(evidence, nodes),
        ),
        ("Changes", "In the window, oldest first.", changes[inside]),
        ("Changes before and after", "What else is remembered, the newest first.", changes[~inside][::-1]),
        ("Coverage", "From when to when each side is known.", evidence.coverage),
        ("Gaps", "What was asked for and not obtained, or is known to be incomplete.", gather.gaps_of(evidence)),
        ("Rules that could not judge", "That they found nothing does not mean that there was nothing.", did_not_apply),
    ]


def by_cause(lost: pd.DataFrame) -> pd.DataFrame:
    """Console-only entries by cause: how many, of how many pods, from when to when, how sure."""
    grouped = lost.assign(cause=lost["cause"].fillna("unexplained")).groupby("cause")
    summary = grouped.agg(
        entries=("time", "size"), pods=("pod", "nunique"), first=("time", "min"), last=("time", "max"),
        confidence=("confidence", "mean"),
    )  # fmt: skip
    ordered = summary.sort_values("entries", ascending=False).reset_index()
    return ordered.assign(meaning=[meaning_of(cause) for cause in ordered["cause"]])


def some_of_each(lost: pd.DataFrame, most: int) -> pd.DataFrame:
    """Console-only entries of which one reads a few: the first ones of each cause and pod, in their order.

    Args:
        lost: CONSOLE_ONLY rows.
        most: rows at most, where there are not more causes and pods.
    """
    groups = lost.groupby(["cause", "namespace", "pod"], dropna=False, sort=False)
    return groups.head(max(most // max(groups.ngroups, 1), 1)).reset_index(drop=True)
