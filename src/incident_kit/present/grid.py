"""A frame as a table of the terminal: what has no room as a column stands under its row, nothing is hidden.

Cells are rich ``Text`` objects, never markup, and pass `text.visible`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from incident_kit.present.cells import cell
from incident_kit.present.text import plural, shorten_end, shorten_middle
from incident_kit.present.views import in_reading_order, shown_columns, split_constant, view_of
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
#: Stands in the first column, which says what the row is about and is never blank.
_MISSING = "(none)"
#: Columns that keep both ends when cut: they differ at the end.
_NAMES = frozenset(
    {"pod", "name", "image", "connection", "user_provided_name", "image_digest", "pod_uid", "rabbit_node"}
)
#: How what stands under a row is introduced; other columns by their name, log text and titles by nothing.
_LABELS = {
    "text": "", "title": "", "template": "", "evidence": "because: ", "next_step": "next: ",
    "refuted_by": "refuted by: ",
}  # fmt: skip
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
    frame = in_reading_order(frame)
    names, same = split_constant(frame, shown_columns(frame))
    day = _common_day(frame, names)
    about = [f"{name} {value}" for name, value in same.items()]
    zone = f"times UTC on {day}" if day else "times UTC" if _instants(frame, names) else ""
    parts: list[RenderableType] = []
    if heading := " · ".join(part for part in (*about, zone) if part):
        parts.append(Text(heading, style="dim"))
    rows, hidden = _rows(frame.head(limit), names, day, width)
    parts.extend(rows)
    left_out = [plural(len(frame) - limit, "more row")] if len(frame) > limit else []
    if left_out := left_out + [f"column {name}" for name in hidden]:
        parts.append(Text(f"not shown: {', '.join(left_out)}; --output json or csv has all", style="dim"))
    return parts


def _instants(frame: pd.DataFrame, names: list[str]) -> list[str]:
    return [name for name in names if str(frame[name].dtype).startswith("datetime64")]


def _common_day(frame: pd.DataFrame, names: list[str]) -> str:
    """The one UTC day of every instant shown, or nothing: then each cell carries its date."""
    days = {
        f"{day:%Y-%m-%d}" for name in _instants(frame, names) for day in frame[name].dropna().dt.floor("D").unique()
    }
    return days.pop() if len(days) == 1 else ""


def _rows(frame: pd.DataFrame, names: list[str], day: str, width: int) -> tuple[list[RenderableType], list[str]]:
    """The table, and the columns that it leaves out."""
    view = view_of(frame)
    texts = {
        name: [
            shorten_end(cell(value, name, day) or view.blank.get(name, ""), _LONGEST_CELL)
            for value in frame[name].tolist()
        ]
        for name in names
    }
    lead = next(name for name in names if name not in view.under)
    texts[lead] = [text or _MISSING for text in texts[lead]]
    natural = {
        name: max([*map(len, _heading_lines(name)), *map(len, column)])
        for name, column in texts.items()
        if name not in view.under
    }
    numeric = {name for name in names if str(frame[name].dtype).lower().startswith(("int", "float"))}
    prose = {name for name in natural if name not in _NAMES | numeric and natural[name] > _LONGEST_WORD}
    widths = fit(natural, width, prose=frozenset(prose), names=_NAMES & natural.keys(), spare=view.spare)
    hidden = [name for name in view.spare if name in natural and name not in widths]
    beneath = [name for name in names if name not in widths and name not in hidden]
    heading = _table(widths, numeric, prose, headed=True)
    if not beneath:
        for row in zip(*(texts[name] for name in widths), strict=True):
            heading.add_row(*_cells(row, widths))
        return [heading], hidden
    parts: list[RenderableType] = [heading]
    for place in range(len(frame)):
        line = _table(widths, numeric, prose, headed=False)
        line.add_row(*_cells([texts[name][place] for name in widths], widths))
        parts.append(line)
        parts.extend(_under({name: texts[name][place] for name in beneath}))
    return parts, hidden


def _table(widths: dict[str, int], numeric: set[str], prose: set[str], *, headed: bool) -> Table:
    """An empty table of these columns; one without a heading lines up with one that has it."""
    table = Table(
        box=box.SIMPLE_HEAD if headed else None, show_header=headed, show_edge=False, pad_edge=False,
        header_style="bold", padding=(0, 1 if headed else SEPARATION, 0, 0),
    )  # fmt: skip
    for name, width in widths.items():
        title = Text("\n".join(_heading_lines(name)) if len(name) > width else name)
        justify: Any = "right" if name in numeric else "left"
        table.add_column(title, overflow="fold", justify=justify, width=width, no_wrap=name not in prose)
    return table


def _heading_lines(name: str) -> list[str]:
    """A column's name in as many lines as it has words, so that a narrow column stays narrow."""
    return name.replace("_", "_\n").split("\n")


def _cells(row: Any, widths: dict[str, int]) -> list[Text]:
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
        label = _LABELS.get(name, f"{name} ")
        words = Text.assemble((label, "dim"), text)
        if name in _LABELS or len(text) > _SHORT:
            lines.append(words)
        else:
            short.append(words)
    if short:
        lines.insert(0, Text(" · ").join(short))
    return [Padding(line, (0, 0, 0, _INDENT)) for line in lines]
