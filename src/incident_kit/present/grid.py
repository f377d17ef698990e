"""A frame as a table of the terminal: what has no room as a column stands under its row, nothing is hidden.

Cells are rich ``Text`` objects, never markup, and pass `text.visible`.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from incident_kit.counting import plural
from incident_kit.present.sheet import Sheet, sheet_of
from incident_kit.present.text import shorten_middle
from incident_kit.present.views import LABELS, label, view_of
from incident_kit.present.widths import SEPARATION, fit

if TYPE_CHECKING:
    import pandas as pd

#: Text longer than this wraps instead of standing in an own column whatever its length.
_LONGEST_WORD = 26
#: Characters of one cell; JSON and CSV have the rest.
_LONGEST_CELL = 600
#: What stands under a row: shorter than this it shares a line with others.
_SHORT = 44
_INDENT = 2
#: Columns that keep both ends when cut: they differ at the end.
_NAMES = frozenset(
    {"pod", "name", "image", "connection", "user_provided_name", "image_digest", "pod_uid", "rabbit_node"}
)
#: Colour is never the only sign: the word stands beside it.
_STYLES = {
    "critical": "bold red", "warning": "yellow", "info": "cyan", "console_only": "bold red", "rejected": "red",
    "unknown": "dim", "elastic_only": "yellow", "duplicate": "yellow", "matched": "green", "ambiguous": "yellow",
    "none": "dim",
}  # fmt: skip
_STYLED = frozenset({"severity", "verdict", "match"})


def table_with_notes(frame: pd.DataFrame, limit: int, width: int) -> list[RenderableType]:
    """The line above the table, the table, and the line that says how many rows were left out.

    Args:
        frame: rows of an answer.
        limit: rows shown.
        width: characters of a line.
    """
    if not len(frame):
        return []
    sheet = sheet_of(frame, limit, _LONGEST_CELL)
    parts: list[RenderableType] = []
    if heading := " · ".join([*(f"{name} {value}" for name, value in sheet.same.items()), *filter(None, [sheet.zone])]):
        parts.append(Text(heading, style="dim"))
    rows, hidden = _rows(sheet, view_of(frame).spare, width)
    parts.extend(rows)
    left_out = [plural(sheet.left_out, "more row")] if sheet.left_out else []
    if left_out := left_out + [f"column {name}" for name in hidden]:
        parts.append(Text(f"not shown: {', '.join(left_out)}; --output json or csv has all", style="dim"))
    return parts


def _rows(sheet: Sheet, spare: Sequence[str], width: int) -> tuple[list[RenderableType], list[str]]:
    """The table, and the columns that it leaves out."""
    natural = {name: max(map(len, [*_heading_lines(name), *column])) for name, column in sheet.beside.items()}
    prose = {name for name in natural if name not in _NAMES | sheet.numbers and natural[name] > _LONGEST_WORD}
    widths = fit(natural, width, prose=frozenset(prose), names=_NAMES & natural.keys(), spare=spare)
    hidden = [name for name in spare if name in natural and name not in widths]
    beneath = {name: column for name, column in sheet.beside.items() if name not in widths and name not in hidden}
    beneath |= sheet.under
    columns = [sheet.beside[name] for name in widths]
    heading = _table(widths, sheet.numbers, prose, headed=True)
    if not beneath:
        for row in zip(*columns, strict=True):
            heading.add_row(*_cells(row, widths))
        return [heading], hidden
    parts: list[RenderableType] = [heading]
    for place in range(sheet.rows):
        line = _table(widths, sheet.numbers, prose, headed=False)
        line.add_row(*_cells([column[place] for column in columns], widths))
        parts.append(line)
        parts.extend(_under({name: column[place] for name, column in beneath.items()}))
    return parts, hidden


def _table(widths: dict[str, int], numbers: Set[str], prose: Set[str], *, headed: bool) -> Table:
    """An empty table of these columns; one without a heading lines up with one that has it."""
    table = Table(
        box=box.SIMPLE_HEAD if headed else None, show_header=headed, show_edge=False, pad_edge=False,
        header_style="bold", padding=(0, 1 if headed else SEPARATION, 0, 0),
    )  # fmt: skip
    for name, width in widths.items():
        title = Text("\n".join(_heading_lines(name)) if len(name) > width else name)
        justify: Any = "right" if name in numbers else "left"
        table.add_column(title, overflow="fold", justify=justify, width=width, no_wrap=name not in prose)
    return table


def _heading_lines(name: str) -> list[str]:
    """A column's name in as many lines as it has words, so that a narrow column stays narrow."""
    return name.replace("_", "_\n").split("\n")


def _cells(row: Sequence[str], widths: dict[str, int]) -> list[Text]:
    """The cells of a row."""
    return [
        Text(
            shorten_middle(text, width) if name in _NAMES else text,
            style=_STYLES.get(text, "") if name in _STYLED else "",
        )
        for text, (name, width) in zip(row, widths.items(), strict=True)
    ]


def _under(texts: dict[str, str]) -> list[RenderableType]:
    """The lines under a row: short values together, a long one on its own."""
    lines: list[Text] = []
    short: list[Text] = []
    for name, text in texts.items():
        if not text:
            continue
        words = Text.assemble((label(name), "dim"), text)
        if name in LABELS or len(text) > _SHORT:
            lines.append(words)
        else:
            short.append(words)
    if short:
        lines.insert(0, Text(" · ").join(short))
    return [Padding(line, (0, 0, 0, _INDENT)) for line in lines]
