"""Answers as tables for the terminal.

A table is a view: it shows the columns that matter first, as many rows as one reads, and says what it left
out. JSON and CSV are complete. Cells are rich ``Text`` objects, never markup, and pass `text.visible`.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from incident_kit.present.columns import (
    ALWAYS_SHOWN,
    as_frame,
    cell,
    is_rows,
    keeps_both_ends,
    split_constant,
    view,
    without_repeats,
)
from incident_kit.present.text import plural, shorten_middle, visible
from incident_kit.present.widths import fit

if TYPE_CHECKING:
    import pandas as pd

ROWS_SHOWN = 200
COVERAGE_ROWS_SHOWN = 12
_WIDTH_WITHOUT_TERMINAL = 150
_LONGEST_WORD = 26
_PROSE = frozenset({"text", "title", "reason", "next_step", "evidence", "meaning", "remedy", "what", "old", "new"})

#: Colour is never the only sign: the word stands beside it.
_STYLES = {
    "critical": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "console_only": "bold red",
    "rejected": "red",
    "unknown": "dim",
    "elastic_only": "yellow",
    "duplicate": "yellow",
    "matched": "green",
    "ambiguous": "yellow",
    "none": "dim",
}


def render_table(frame: pd.DataFrame, coverage: pd.DataFrame) -> str:
    """An answer for the terminal: a line in words, the table, and what it rests on."""
    parts: list[RenderableType] = [Text(summary_line(frame), style="bold")]
    parts.extend(table_with_notes(frame))
    if "verdict" in frame.columns:
        parts.extend(_coverage_notes(frame, coverage))
    return to_text(Group(*parts))


def summary_line(frame: pd.DataFrame) -> str:
    """How many rows of which sort, in one line."""
    counted = "rule" if "rule" in frame.columns else "verdict" if "verdict" in frame.columns else ""
    if not len(frame):
        return "No rows: nothing of this kind in what was captured."
    if not counted:
        return plural(len(frame), "row")
    words = plural(len(frame), "finding") if counted == "rule" else plural(len(frame), "log entry", "log entries")
    key = frame["severity"] if counted == "rule" else frame["verdict"]
    if counted == "verdict" and frame["verdict"].nunique() == 1:
        key = frame["cause"].fillna("no cause")
        words += f" {visible(frame['verdict'].iloc[0])}"
    counts = key.value_counts()
    return f"{words}: " + ", ".join(f"{count:,} {visible(name)}" for name, count in counts.items())


def table_with_notes(frame: pd.DataFrame, limit: int = ROWS_SHOWN) -> list[RenderableType]:
    """The table of a frame, the line above it, and the line that says what was left out."""
    if not len(frame):
        return []
    names, same = split_constant(frame, view(frame))
    day = _common_day(frame, names)
    about = [f"{name} {value}" for name, value in same.items()]
    zone = f"times UTC on {day}" if day else "times UTC" if _instants(frame, names) else ""
    notes: list[RenderableType] = []
    if heading := " · ".join(part for part in (*about, zone) if part):
        notes.append(Text(heading, style="dim"))
    table, left_out = _table(frame.head(limit), names, day)
    notes.append(table)
    missing = [f"{plural(len(frame) - limit, 'more row')}"] if len(frame) > limit else []
    missing += [f"column {name}" for name in left_out]
    if missing:
        notes.append(Text(f"not shown: {', '.join(missing)}; --output json or csv has all", style="dim"))
    return notes


def _instants(frame: pd.DataFrame, names: list[str]) -> list[str]:
    return [name for name in names if str(frame[name].dtype).startswith("datetime64")]


def _common_day(frame: pd.DataFrame, names: list[str]) -> str:
    """The one UTC day of every instant shown, or nothing: then each cell carries its date."""
    days = {
        f"{day:%Y-%m-%d}" for name in _instants(frame, names) for day in frame[name].dropna().dt.floor("D").unique()
    }
    return days.pop() if len(days) == 1 else ""


def _table(frame: pd.DataFrame, names: list[str], day: str) -> tuple[Table, list[str]]:
    """The table, and the columns that had no room."""
    texts = {name: [_text(value, name, day) for value in frame[name].tolist()] for name in names}
    natural = {name: max([len(name), *map(len, column)]) for name, column in texts.items()}
    prose = frozenset(name for name in names if name in _PROSE and natural[name] > _LONGEST_WORD)
    cut = frozenset(filter(keeps_both_ends, names))
    widths = fit(natural, line_width(), prose=prose, names=cut, kept=ALWAYS_SHOWN)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 1, 0, 0))
    for name, width in widths.items():
        numeric = str(frame[name].dtype).lower().startswith(("int", "float"))
        table.add_column(
            Text(name), overflow="fold", justify="right" if numeric else "left", width=width, no_wrap=name not in prose
        )
    for row in zip(*(texts[name] for name in widths), strict=True):
        table.add_row(*(_styled(text, *column) for text, column in zip(row, widths.items(), strict=True)))
    return table, [name for name in names if name not in widths]


def _text(value: Any, name: str, day: str) -> str:
    text = cell(value, name)
    return text[len(day) + 1 :] if day and text.startswith(f"{day} ") else text


def _styled(text: str, name: str, width: int) -> Text:
    style = _STYLES.get(text, "") if name in {"severity", "verdict", "match"} else ""
    return Text(shorten_middle(text, width) if keeps_both_ends(name) else text, style=style)


def _coverage_notes(frame: pd.DataFrame, coverage: pd.DataFrame) -> list[RenderableType]:
    """Coverage of the pods in the answer: what "not there" rests on."""
    if not len(coverage):
        return [Text("\nCoverage: nothing is known of what was read completely.", style="yellow")]
    asked = set(frame["pod"].dropna())
    shown = coverage[coverage["pod"].isin(asked) | coverage["pod"].isna()] if asked else coverage
    title = Text("\nCoverage: from when to when each side is known", style="bold")
    return [title, *table_with_notes(shown.reset_index(drop=True), COVERAGE_ROWS_SHOWN)]


def render_trace_table(story: Mapping[str, Any]) -> str:
    """The answer of ``trace``, a section each."""
    parts: list[RenderableType] = []
    for section, content in story.items():
        if section != "gaps":  # the command line says them on stderr
            parts.extend(_section(section, content))
    return to_text(Group(*parts))


def _section(title: str, content: Any) -> list[RenderableType]:
    """A heading and what stands under it; rows inside an object of facts get a table of their own."""
    import pandas as pd

    frame = as_frame(content) if is_rows(content) else content
    if isinstance(frame, pd.DataFrame):
        rows = table_with_notes(frame, 40) or [Text("none", style="dim")]
        return [Text(f"\n{visible(title)} ({len(frame):,})", style="bold"), *rows]
    if isinstance(content, Mapping):
        inner = [part for name, rows in content.items() if is_rows(rows) for part in _section(f"{title}: {name}", rows)]
        plain_facts = {name: value for name, value in without_repeats(content).items() if not is_rows(value)}
        return [Text(f"\n{visible(title)}", style="bold"), _facts(plain_facts), *inner]
    return [Text(f"{visible(title)}: {fact(content)}", style="bold")]


def _facts(content: Any) -> Table:
    """Name and value, one a line; nested objects on one line each."""
    from incident_kit.present.formats import plain

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in plain(content).items():
        if value not in (None, [], {}):
            table.add_row(Text(visible(name)), Text(fact(value)))
    return table


def fact(value: Any) -> str:
    """A plain value on one line; nested objects as names and values."""
    if isinstance(value, dict):
        return ", ".join(f"{visible(name)} {fact(part)}" for name, part in value.items() if part not in (None, [], {}))
    if isinstance(value, list):
        return "; ".join(fact(part) for part in value)
    return cell(value)


def render_check_table(checks: Iterable[Any]) -> str:
    """The checks of ``doctor``: passed or not, and the command that grants what is missing."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 1, 0, 0))
    for name in ("", "source", "check", "result", "remedy"):
        table.add_column(name, overflow="fold")
    for check in checks:
        sign = Text("ok", style="green") if check.passed else Text("FAILED", style="bold red")
        words = (getattr(check, name, "") or "" for name in ("source", "what", "reason", "remedy"))
        table.add_row(sign, *(Text(visible(word)) for word in words))
    return to_text(table)


def line_width() -> int:
    """Characters of a line: the terminal's, or enough to read where there is none."""
    return max(shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 50)).columns, 60)


def to_text(content: RenderableType, width: int | None = None) -> str:
    """What the terminal shows; colours only where standard output is a terminal that wants them."""
    wants_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=width or line_width(), force_terminal=wants_colour, no_color=not wants_colour,
        color_system="auto" if wants_colour else None, markup=False, emoji=False, highlight=False,
    )  # fmt: skip
    console.print(content)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
