"""The report to hand over: one HTML file that needs nothing else, or the same in Markdown.

Findings with evidence and next step, figures, what never reached Elasticsearch by cause, RabbitMQ, changes, coverage,
gaps, and what it does not show. Log text is hostile input: the template escapes everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from incident_kit.present import report_content as content
from incident_kit.present.files import write_whole
from incident_kit.present.html import table_html
from incident_kit.present.markdown import escaped, markdown_table
from incident_kit.present.pictures import Picture, pictures
from incident_kit.present.story import NOT_SHOWN, Chapter, tell

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_FINDING_NOTES = (("Next step", "next_step"), ("Would be refuted by", "refuted_by"), ("Confidence", "confidence"))


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


def html_report(evidence: Evidence, chapters: Sequence[Chapter], figures: Sequence[Picture]) -> str:
    """The report as one HTML page: no script, nothing fetched."""
    from incident_kit.present.page import render_page

    tables = [
        (title, note, Markup(table_html(frame, content.ROWS, title))) for title, note, frame in content.tables(evidence)
    ]
    told = content.without_findings(chapters)
    contents = [
        *(picture.title for picture in figures[:1]), "Findings", *(chapter.title for chapter in told),
        *(picture.title for picture in figures[1:]), *(title for title, _, _ in tables), NOT_SHOWN,
    ]  # fmt: skip
    return render_page(
        "report.html.j2", title=content.title(evidence), chapters=told, findings=content.findings(evidence), figures=figures,
        tables=tables, silent=content.limits(evidence), facts=content.facts(evidence), made_by=evidence.manifest.kit_version,
        contents=contents, last=NOT_SHOWN, window=content.window(evidence),
    )  # fmt: skip


def markdown_report(evidence: Evidence, chapters: Sequence[Chapter]) -> str:
    """The report as Markdown, without figures."""
    lines = [f"# {escaped(content.title(evidence))}", ""]
    for chapter in content.without_findings(chapters):
        lines += [f"## {chapter.title}", "", *(f"- {escaped(sentence)}" for sentence in chapter.sentences), ""]
    lines += ["## Findings", ""]
    for finding in content.findings(evidence):
        lines += [f"### {finding['severity']}: {escaped(finding['title'])}", ""]
        lines += [f"- {escaped(fact)}" for fact in finding["evidence"]]
        lines += [f"- **{name}**: {escaped(finding[key])}" for name, key in _FINDING_NOTES if finding[key]]
        lines.append("")
    for title, note, frame in content.tables(evidence):
        lines += [f"## {title}", "", note, "", markdown_table(frame, content.ROWS), ""]
    lines += [
        f"## {NOT_SHOWN}",
        "",
        *(f"- {escaped(sentence)}" for sentence in content.limits(evidence)),
        "",
    ]
    return "\n".join(lines)
