"""Answers for the terminal: a line in words, tables, and what they rest on.

A table shows the columns that matter first and as many rows as one reads, and says what it left out. JSON and CSV
are complete.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from incident_kit.present.cells import as_frame, fact, is_rows, without_repeats
from incident_kit.present.grid import table_with_notes
from incident_kit.present.plain import plain
from incident_kit.present.text import visible
from incident_kit.present.trace_words import trace_sentences
from incident_kit.present.views import cause_meanings, summary_line, verdict_reasons

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit import tables

ROWS_SHOWN = 200
SECTION_ROWS_SHOWN = 40
COVERAGE_ROWS_SHOWN = 12
_WIDTH_WITHOUT_TERMINAL, _NARROWEST = 150, 40


def render_table(frame: pd.DataFrame, coverage: pd.DataFrame) -> str:
    """An answer for the terminal: a line in words, the table, and what it rests on."""
    parts: list[RenderableType] = [Text(summary_line(frame), style="bold")]
    if meanings := cause_meanings(frame):
        parts.append(Text(meanings, style="dim"))
    parts.extend(map(Text, verdict_reasons(frame)))
    parts.extend(table_with_notes(frame, ROWS_SHOWN, line_width()))
    if "verdict" in frame.columns:
        parts.extend(_coverage_notes(frame, coverage))
    return to_text(Group(*parts))


def _coverage_notes(frame: pd.DataFrame, coverage: pd.DataFrame) -> list[RenderableType]:
    """Coverage of the pods in the answer: what "not there" rests on."""
    if not len(coverage):
        return [Text("\nCoverage: nothing is known of what was read completely.", style="yellow")]
    asked = set(frame["pod"].dropna())
    shown = coverage[coverage["pod"].isin(asked) | coverage["pod"].isna()] if asked else coverage
    title = Text("\nCoverage: from when to when each side is known", style="bold")
    return [title, *table_with_notes(shown.reset_index(drop=True), COVERAGE_ROWS_SHOWN, line_width())]


def render_trace_table(story: Mapping[str, Any]) -> str:
    """The answer of ``trace``: a few sentences, then a section each."""
    parts: list[RenderableType] = [Text(sentence) for sentence in trace_sentences(story)]
    for section, content in story.items():
        if section not in {"pod", "gaps"}:  # the sentences name the pod, the command line says the gaps on stderr
            parts.extend(_section(section, content))
    return to_text(Group(*parts))


def _section(title: str, content: Any) -> list[RenderableType]:
    """A heading and what stands under it; rows inside an object of facts get a table of their own."""
    import pandas as pd

    frame = as_frame(content) if is_rows(content) else content
    if isinstance(frame, pd.DataFrame):
        rows = table_with_notes(frame, SECTION_ROWS_SHOWN, line_width()) or [Text("none", style="dim")]
        return [Text(f"\n{visible(title)} ({len(frame):,})", style="bold"), *rows]
    if isinstance(content, Mapping):
        inner = [part for name, rows in content.items() if is_rows(rows) for part in _section(f"{title}: {name}", rows)]
        plain_facts = {name: value for name, value in without_repeats(content).items() if not is_rows(value)}
        return [Text(f"\n{visible(title)}", style="bold"), _facts(plain_facts), *inner]
    return [Text(f"\n{visible(title)}: {fact(content) or 'none'}", style="bold")]


def _facts(content: Mapping[str, Any]) -> Table:
    """Name and value, one a line; nested objects on one line each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in plain(content).items():
        if value not in (None, [], {}):
            table.add_row(Text(visible(name)), Text(fact(value)))
    return table


def render_check_table(checks: Iterable[Any]) -> str:
    """The checks of ``doctor``: passed, failed or not tried, what was seen, and under it the command that helps."""
    signs = {True: ("ok      ", "green"), False: ("FAILED  ", "bold red"), None: ("-       ", "dim")}
    parts: list[RenderableType] = []
    for check in checks:
        sign = signs[check.passed]
        parts.append(
            Text.assemble(sign, (visible(check.source), "bold"), f": {visible(check.what)}: {visible(check.reason)}")
        )
        if check.remedy:
            parts.append(Padding(Text(f"-> {visible(check.remedy)}"), (0, 0, 0, 10)))
    return to_text(Group(*parts))


def render_declaration(table: tables.Table) -> str:
    """What a declared table is: its grain, where it is from, and each column with type and meaning."""
    columns = Table(box=None, show_header=False, pad_edge=False)
    columns.add_column(no_wrap=True)
    columns.add_column(style="dim", no_wrap=True)
    columns.add_column(overflow="fold")
    for name, kind, meaning in table.describe():
        columns.add_row(Text(name), Text(kind), Text(meaning))
    title = Text(f"{table.name}: one row is {table.grain}", style="bold")
    return to_text(Group(title, Padding(Text(f"from {table.origin}"), (0, 0, 0, 2)), Padding(columns, (0, 0, 1, 2))))


def line_width() -> int:
    """Characters of a line: ``$COLUMNS``, else those of the terminal at hand, else enough to read.

    A pipe into a pager still ends at a terminal, which standard error or input know.
    """
    stated = os.environ.get("COLUMNS", "")
    if stated.isdigit() and int(stated):
        return max(int(stated), _NARROWEST)
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        try:
            columns = os.get_terminal_size(stream.fileno()).columns if stream is not None else 0
        except (OSError, ValueError):  # no terminal, or closed
            continue
        if columns:
            return max(columns, _NARROWEST)
    return _WIDTH_WITHOUT_TERMINAL


def to_text(content: RenderableType, width: int | None = None) -> str:
    """What the terminal shows; colours only where standard output is a terminal that wants them."""
    wants_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=width or line_width(), force_terminal=wants_colour, no_color=not wants_colour,
        color_system="auto" if wants_colour else None, markup=False, emoji=False, highlight=False,
    )  # fmt: skip
    console.print(content)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
