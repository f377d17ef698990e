"""The report to hand over: one HTML file that needs nothing else, or the same in Markdown.

Findings with evidence and next step, figures, what never reached Elasticsearch by cause, RabbitMQ, changes, coverage,
gaps, and what it does not show. Log text is hostile input: the template escapes everything.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from incident_kit.counting import plural
from incident_kit.present import gather
from incident_kit.present.causes import meaning_of
from incident_kit.present.cells import cell
from incident_kit.present.clock import Clock
from incident_kit.present.files import write_whole
from incident_kit.present.html import table_html
from incident_kit.present.links import finding_links
from incident_kit.present.severity import worst_first
from incident_kit.present.sheet import sheet_of
from incident_kit.present.story import CONCLUSIONS, IN_ORDER, NOT_SHOWN, Chapter, missing_consoles, tell
from incident_kit.present.text import visible
from incident_kit.present.views import nothing_in
from incident_kit.rules.rule import SEVERITIES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from incident_kit.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure of the report.

    Attributes:
        title: what it shows.
        words: how to read it, and for whom who cannot see it, where the same is told.
        png: the picture.
    """

    title: str
    words: str
    png: bytes

    @property
    def address(self) -> str:
        """The picture as an address that needs no network."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


_ROWS = 60
#: Characters of one cell of a Markdown table.
_LONGEST_CELL = 600
_SILENT = (
    "A finding is a judgement of one rule; what would refute it stands beside it. Near in time is not cause.",
    "Outside the coverage, an absent document means nothing: such entries are unknown, neither lost nor found.",
    "Events older than an hour, consoles of deleted pods and closed connections are gone unless somebody kept them.",
    "A rule that could not judge found nothing for that alone; which and why stands under Rules that could not judge.",
)


def write_report(evidence: Evidence, path: str | Path) -> Path:
    """Write the report; ``.md`` makes Markdown, anything else one self-contained HTML file.

    Returns:
        The file written.
    """
    path = Path(path)
    chapters = tell(evidence)
    text = (
        markdown_report(evidence, chapters)
        if path.suffix == ".md"
        else html_report(evidence, chapters, pictures(evidence))
    )
    return write_whole(path, text.encode("utf-8", errors="backslashreplace"))


def pictures(evidence: Evidence) -> list[Picture]:
    """The report's figures."""
    from incident_kit.present.changes import plot_changes
    from incident_kit.present.lifetimes import plot_lifetimes
    from incident_kit.present.logs_figure import plot_logs

    made = [timeline_picture(evidence)]
    for title, words, draw in (
        (
            "Console against Elasticsearch",
            "Rates of both sides, what became of the console entries, and the causes of those that never arrived, over "
            "the window. The counts stand under Only on the console, by cause.",
            plot_logs,
        ),
        (
            "What changed, by Application",
            "One line an Application, a marker a change; struck through where it was undone. The list stands under "
            "Changes.",
            plot_changes,
        ),
        (
            "Pod lifetimes",
            "One line a pod, a bar a container instance, coloured by version; below it the RabbitMQ node it was "
            "connected to. The ends stand under Restarts, the connections under RabbitMQ connections.",
            plot_lifetimes,
        ),
    ):
        made.append(Picture(title=title, words=words, png=_png(draw(evidence))))
    return made


def timeline_picture(evidence: Evidence) -> Picture:
    """The timeline, with how many of what it shows."""
    from incident_kit.present.timeline import plot_timeline

    shown = gather.material(evidence)
    counted = (
        plural(len(shown.pods), "pod"), plural(len(shown.changes), "change"),
        plural(len(shown.connections), "RabbitMQ connection"),
    )  # fmt: skip
    words = f"{', '.join(counted)} and the rate of console entries on one time axis. The same in words: {IN_ORDER}."
    return Picture(title="Timeline", words=words, png=_png(plot_timeline(evidence)))


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def html_report(evidence: Evidence, chapters: Sequence[Chapter], figures: Sequence[Picture]) -> str:
    """The report as one HTML page: no script, nothing fetched."""
    from incident_kit.present.page import render_page

    tables = [(title, note, Markup(table_html(frame, _ROWS, title))) for title, note, frame in _tables(evidence)]
    told = _without_findings(chapters)
    contents = [
        *(picture.title for picture in figures[:1]), "Findings", *(chapter.title for chapter in told),
        *(picture.title for picture in figures[1:]), *(title for title, _, _ in tables), NOT_SHOWN,
    ]  # fmt: skip
    return render_page(
        "report.html.j2", title=_title(evidence), chapters=told, findings=_findings(evidence), figures=figures,
        tables=tables, silent=[*_SILENT, *missing_consoles(evidence)], facts=_facts(evidence), made_by=evidence.manifest.kit_version,
        contents=contents, last=NOT_SHOWN, window=_window(evidence),
    )  # fmt: skip


def markdown_report(evidence: Evidence, chapters: Sequence[Chapter]) -> str:
    """The report as Markdown, without figures."""
    lines = [f"# {_markdown(_title(evidence))}", ""]
    for chapter in _without_findings(chapters):
        lines += [f"## {chapter.title}", "", *(f"- {_markdown(sentence)}" for sentence in chapter.sentences), ""]
    lines += ["## Findings", ""]
    for finding in _findings(evidence):
        lines += [f"### {finding['severity']}: {_markdown(finding['title'])}", ""]
        lines += [f"- {_markdown(fact)}" for fact in finding["evidence"]]
        lines += [f"- **{name}**: {_markdown(finding[key])}" for name, key in _FINDING_NOTES if finding[key]]
        lines.append("")
    for title, note, frame in _tables(evidence):
        lines += [f"## {title}", "", note, "", _markdown_table(frame), ""]
    lines += [
        f"## {NOT_SHOWN}",
        "",
        *(f"- {_markdown(sentence)}" for sentence in (*_SILENT, *missing_consoles(evidence))),
        "",
    ]
    return "\n".join(lines)


def _without_findings(chapters: Sequence[Chapter]) -> list[Chapter]:
    """The chapters that the report does not tell in full further down."""
    return [chapter for chapter in chapters if chapter.title not in {CONCLUSIONS, NOT_SHOWN}]


_FINDING_NOTES = (("Next step", "next_step"), ("Would be refuted by", "refuted_by"), ("Confidence", "confidence"))


def _title(evidence: Evidence) -> str:
    return f"Incident report: {gather.bundle_name(evidence)}"


def _window(evidence: Evidence) -> str:
    clock = Clock(evidence.window)
    return f"Cluster {visible(evidence.cluster)}, {clock.span(evidence.window)} UTC."


def _facts(evidence: Evidence) -> list[tuple[str, str]]:
    counts = gather.counts(evidence)
    console = counts[counts["side"] == "console"]
    found = _findings(evidence)
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


def _findings(evidence: Evidence) -> list[dict[str, Any]]:
    """Findings as the template shows them, the worst first; every value visible text."""
    from incident_kit.answers.findings import findings

    day = Clock(evidence.window).day
    shown = []
    for row in worst_first(findings(evidence)).to_dict("records"):
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


def _tables(evidence: Evidence) -> list[tuple[str, str, pd.DataFrame]]:
    """Title, how to read it, and rows of each table of the report."""
    from incident_kit.answers.findings import findings
    from incident_kit.answers.restarts import restarts

    lost = gather.losses(evidence)
    some = some_of_each(lost, _ROWS)
    did_not_apply = findings(evidence).attrs.get("gaps", evidence.gaps.head(0))
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


def _markdown(text: object) -> str:
    """Text that Markdown shows as it is: nothing in it formats, links or becomes HTML."""
    escaped = cell(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\`*_{}[]#|!~":
        escaped = escaped.replace(character, f"\\{character}")
    return escaped


def _markdown_table(frame: pd.DataFrame) -> str:
    if not len(frame):
        return nothing_in(frame)
    sheet = sheet_of(frame, _ROWS, _LONGEST_CELL)
    columns = {**sheet.beside, **sheet.under}
    shared = [f"{name} {_markdown(text)}" for name, text in sheet.same.items()]
    about = " · ".join([*shared, *filter(None, [sheet.zone])])
    lines = [about, ""] if about else []
    lines += ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(map(_markdown, row)) + " |" for row in zip(*columns.values(), strict=True)]
    if sheet.left_out:
        lines += ["", f"{sheet.left_out:,} more rows are not shown."]
    return "\n".join(lines)
