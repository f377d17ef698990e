"""A frame in words, before it is laid out: what the tables of the terminal and of a page have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.present.cells import cell
from incident_kit.present.text import shorten_end
from incident_kit.present.views import in_reading_order, shown_columns, split_constant, view_of

if TYPE_CHECKING:
    import pandas as pd

#: Stands in the first column, which says what the row is about and is never blank.
_MISSING = "(none)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The view of a frame as text.

    Attributes:
        beside: texts of each column that stands beside the others, a text a row; the first says what a row is about.
        under: texts of the columns that stand under their row, a line each.
        same: the one text of each column that says the same in every row.
        zone: of which zone, and of which day where there is only one, every instant in the cells is; or nothing.
        instants: columns of instants.
        numbers: columns of numbers.
        rows: how many rows the texts hold.
        left_out: how many more the frame has.
    """

    beside: dict[str, list[str]]
    under: dict[str, list[str]]
    same: dict[str, str]
    zone: str
    instants: frozenset[str]
    numbers: frozenset[str]
    rows: int
    left_out: int


def sheet_of(frame: pd.DataFrame, limit: int, longest_cell: int) -> Sheet:
    """The view of a frame with rows.

    Args:
        frame: rows of an answer, at least one.
        limit: rows shown at most.
        longest_cell: characters of one cell; what is cut away is counted where it ends.
    """
    frame = in_reading_order(frame)
    view = view_of(frame)
    columns = shown_columns(frame)
    names, same = split_constant(frame, columns)
    if all(name in view.under for name in names):
        names = [next(name for name in columns if name not in view.under), *names]  # rows without a word are still rows
    instants = frozenset(name for name in names if _is_instant(frame, name))
    day = _common_day(frame, instants)
    shown = frame.head(limit)
    texts = {
        name: [
            shorten_end(cell(value, name, day) or view.blank.get(name, ""), longest_cell)
            for value in shown[name].tolist()
        ]
        for name in names
    }
    beside = {name: column for name, column in texts.items() if name not in view.under}
    lead = next(iter(beside))
    beside[lead] = [text or _MISSING for text in beside[lead]]
    return Sheet(
        beside=beside,
        under={name: column for name, column in texts.items() if name in view.under},
        same=same,
        zone=f"times UTC on {day}" if day else "times UTC" if instants or _is_instant(frame, *same) else "",
        instants=instants,
        numbers=frozenset(name for name in names if str(frame[name].dtype).lower().startswith(("int", "float"))),
        rows=len(shown),
        left_out=len(frame) - len(shown),
    )


def _is_instant(frame: pd.DataFrame, *names: str) -> bool:
    """Whether any of these columns holds instants."""
    return any(str(frame[name].dtype).startswith("datetime64") for name in names)


def _common_day(frame: pd.DataFrame, instants: frozenset[str]) -> str:
    """The one UTC day of every instant of the view, or nothing: then each cell carries its date."""
    days = {f"{day:%Y-%m-%d}" for name in instants for day in frame[name].dropna().dt.floor("D").unique()}
    return days.pop() if len(days) == 1 else ""
