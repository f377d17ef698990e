"""Text and tables as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.present.cells import cell
from incident_kit.present.sheet import sheet_of
from incident_kit.present.views import nothing_in

if TYPE_CHECKING:
    import pandas as pd

#: Characters of one cell.
_LONGEST_CELL = 600


def escaped(text: object) -> str:
    """Text that Markdown shows as it is: nothing in it formats, links or becomes HTML."""
    shown = cell(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\`*_{}[]#|!~":
        shown = shown.replace(character, f"\\{character}")
    return shown


def markdown_table(frame: pd.DataFrame, rows: int) -> str:
    """The first rows of an answer as a table; columns that are the same in all are said once above it."""
    if not len(frame):
        return nothing_in(frame)
    sheet = sheet_of(frame, rows, _LONGEST_CELL)
    columns = {**sheet.beside, **sheet.under}
    shared = [f"{name} {escaped(text)}" for name, text in sheet.same.items()]
    about = " · ".join([*shared, *filter(None, [sheet.zone])])
    lines = [about, ""] if about else []
    lines += ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(map(escaped, row)) + " |" for row in zip(*columns.values(), strict=True)]
    if sheet.left_out:
        lines += ["", f"{sheet.left_out:,} more rows are not shown."]
    return "\n".join(lines)
