"""Answers as HTML tables, for notebooks and the report: every cell escaped, times stated as UTC."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from incident_kit.present.cells import as_frame, fact, is_rows, without_repeats
from incident_kit.present.page import style
from incident_kit.present.plain import plain
from incident_kit.present.sheet import Sheet, sheet_of
from incident_kit.present.views import label, nothing_in

if TYPE_CHECKING:
    import pandas as pd

#: Characters of one cell; JSON and CSV have the rest.
_LONGEST_CELL = 2000
#: Up to this a column is as wide as its longest cell, up to that it gets some room, beyond it much: else the browser
#: breaks words after every letter to fit all columns in.
_SHORT, _MIDDLING = 26, 72
#: Least characters of a column of each class that may wrap (table.css), of what parts two columns, and of a page.
_LEAST = {"m": 22, "w": 38, "x": 45}
_SEPARATION, _PAGE = 3, 165
_LOG_TEXT = frozenset({"text", "message"})


class Shown:
    """A value of an answer as a notebook shows it.

    Attributes:
        value: the whole value; of a frame the view shows only the columns that matter first.
    """

    def __init__(self, value: Any, limit: int) -> None:
        self.value, self._limit = value, limit

    def _repr_html_(self) -> str:
        import pandas as pd

        if isinstance(self.value, pd.DataFrame):
            return _styled(table_html(self.value, self._limit))
        return _styled(facts_html(self.value))

    def __repr__(self) -> str:
        """What it is, for places without HTML."""
        return f"<shown {type(self.value).__name__}>"


def show(value: Any, limit: int = 50) -> Shown:
    """An answer as a table in a notebook; ``.value`` has all of it.

    Args:
        value: a frame, a list of rows or an object of facts.
        limit: rows that are shown at most.
    """
    return Shown(as_frame(value) if is_rows(value) else value, limit)


def facts_html(value: Any) -> str:
    """Names and values as a table of two columns; missing ones are left out, rows get a table of their own."""
    if value is None or value == [] or value == {}:
        return '<p class="ik-note">Nothing is known.</p>'
    given = without_repeats(value) if isinstance(value, Mapping) else {"": value}
    rows = "".join(
        f'<tr><td class="k">{escape(str(name))}</td><td>{escape(fact(part))}</td></tr>'
        for name, part in plain({name: part for name, part in given.items() if not is_rows(part)}).items()
        if part not in (None, [], {})
    )
    inner = "".join(
        f'<p class="ik-note"><b>{escape(str(name))}</b></p>{table_html(as_frame(part), 40)}'
        for name, part in given.items()
        if is_rows(part)
    )
    return (f'<div class="ik"><table><tbody>{rows}</tbody></table></div>' if rows else "") + inner


def _styled(html: str) -> str:
    """HTML with its layout, for a page that is not the kit's own."""
    return f"<style>{style('table.css')}</style>{html}"


def table_html(frame: pd.DataFrame, limit: int = 200, title: str = "") -> str:
    """The view of a frame as HTML, with a note on what every row shares and on what was left out.

    Args:
        frame: rows of an answer.
        limit: rows shown.
        title: what the table is, for those who hear it.
    """
    if not len(frame):
        return f'<p class="ik-note">{nothing_in(frame)}</p>'
    sheet = sheet_of(frame, limit, _LONGEST_CELL)
    kinds = _columns(sheet)
    head = "".join(f'<th scope="col" class="{kind}">{escape(name)}</th>' for name, kind in kinds.items())
    body = "".join(_row(sheet, kinds, place) for place in range(sheet.rows))
    region = f' role="region" aria-label="{escape(title)}"' if title else ""
    shared = [f"{escape(name)} <b>{escape(text)}</b>" for name, text in sheet.same.items()]
    about = " · ".join([*shared, *filter(None, [sheet.zone])])
    left = f"{sheet.left_out:,} more rows are not shown." if sheet.left_out else ""
    return (
        (f'<p class="ik-note">{about}</p>' if about else "")
        + f'<div class="ik" tabindex="0"{region}><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        + (f'<p class="ik-note">{left}</p>' if left else "")
    )


def _columns(sheet: Sheet) -> dict[str, str]:
    """Classes of the columns that have room beside each other; long sentences that have none stand under their row."""
    kinds = {name: _kind(name, column, sheet) for name, column in sheet.beside.items()}
    width = {name: _LEAST.get(kind, max(map(len, sheet.beside[name]))) + _SEPARATION for name, kind in kinds.items()}
    for name in [name for name in reversed(kinds) if kinds[name] == "w"]:
        if sum(width[name] for name in kinds) > _PAGE and len(kinds) > 1:
            del kinds[name]
    return kinds


def _kind(name: str, column: list[str], sheet: Sheet) -> str:
    """Class of a column's cells: n number, x log text, k not to be broken, m and w text that needs room."""
    if name in sheet.numbers:
        return "n"
    if name in _LOG_TEXT:
        return "x"
    longest = max(map(len, column))
    if name in sheet.instants or longest <= _SHORT or (name == "pod" and longest <= _MIDDLING):
        return "k"
    return "m" if longest <= _MIDDLING else "w"


def _row(sheet: Sheet, kinds: Mapping[str, str], place: int) -> str:
    """One row, and what stands under it across its whole width."""
    cells = "".join(f'<td class="{kind}">{escape(sheet.beside[name][place])}</td>' for name, kind in kinds.items())
    beneath = {name: column for name, column in sheet.beside.items() if name not in kinds} | sheet.under
    told = ((label(name), column[place]) for name, column in beneath.items() if column[place])
    lines = "".join(f"<p><i>{escape(introduced)}</i>{escape(text)}</p>" for introduced, text in told)
    under = f'<tr class="u"><td colspan="{len(kinds)}">{lines}</td></tr>' if lines else ""
    return f"<tr>{cells}</tr>{under}"
