"""Answers as HTML tables, for notebooks and the report: every cell escaped, times stated as UTC."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from incident_kit.present.cells import as_frame, cell, fact, is_rows, without_repeats
from incident_kit.present.plain import plain
from incident_kit.present.text import shorten_end
from incident_kit.present.views import in_reading_order, shown_columns, split_constant, view_of

if TYPE_CHECKING:
    import pandas as pd

_STYLE = (
    "<style>.ik{overflow:auto;max-height:34em}.ik table{border-collapse:collapse;font:13px/1.35 system-ui,sans-serif}"
    ".ik th{position:sticky;top:0;background:#f4f5f7;text-align:left;white-space:nowrap}"
    ".ik th,.ik td{padding:3px 10px;border-bottom:1px solid #e3e5e8;vertical-align:top}"
    ".ik th.n{text-align:right}.ik td{text-align:left;max-width:44em;overflow-wrap:anywhere}.ik td.n{text-align:right}"
    ".ik td.t,.ik td.k{white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".ik td.x{font-family:ui-monospace,monospace;font-size:12px}.ik td.w{min-width:24em}"
    ".ik-note{color:#5c6370;font:13px system-ui,sans-serif}"
    "</style>"
)
#: Characters of one cell; JSON and CSV have the rest.
_LONGEST_CELL = 2000
#: A cell with more gets room (class w): beside unbroken columns the browser would else break it after every letter.
_SHORT_CELL = 40
_NOTHING = '<p class="ik-note">No rows: nothing of this kind in what was captured.</p>'
_NUMBER = ' class="n"'
_UNBROKEN = frozenset(
    [
        "pod",
        "container",
        "namespace",
        "rabbit_node",
        "verdict",
        "cause",
        "rule",
        "severity",
        "what",
        "kind",
        "level",
        "stream",
        "match",
    ]
)


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
            return _STYLE + table_html(self.value, self._limit)
        return _STYLE + facts_html(self.value)

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
        return _NOTHING
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


def table_html(frame: pd.DataFrame, limit: int = 200, label: str = "") -> str:
    """The view of a frame as HTML, with a note on what every row shares and on what was left out.

    Args:
        frame: rows of an answer.
        limit: rows shown.
        label: what the table is, for those who hear it.
    """
    if not len(frame):
        return _NOTHING
    frame = in_reading_order(frame)
    names, same = split_constant(frame, shown_columns(frame))
    kinds = {name: _kind(frame, name) for name in names}
    head = "".join(
        f'<th scope="col"{_NUMBER if kinds[name] == "n" else ""}>{escape(name)}{" (UTC)" if kinds[name] == "t" else ""}</th>'
        for name in names
    )
    blank = view_of(frame).blank
    rows = (
        "<tr>"
        + "".join(_cell(value, name, kinds[name], blank) for name, value in zip(names, row, strict=True))
        + "</tr>"
        for row in frame[names].head(limit).itertuples(index=False, name=None)
    )
    region = f' role="region" aria-label="{escape(label)}"' if label else ""
    about = " · ".join(f"{escape(name)} <b>{escape(value)}</b>" for name, value in same.items())
    left = f"{len(frame) - limit:,} more rows are not shown." if len(frame) > limit else ""
    return (
        (f'<p class="ik-note">{about}</p>' if about else "")
        + f'<div class="ik" tabindex="0"{region}><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        + (f'<p class="ik-note">{left}</p>' if left else "")
    )


def _kind(frame: pd.DataFrame, name: str) -> str:
    """Class of a column's cells: t instant, n number, x log text, k not to be broken."""
    dtype = str(frame[name].dtype).lower()
    if dtype.startswith("datetime64"):
        return "t"
    if dtype.startswith(("int", "float")):
        return "n"
    return "x" if name in {"text", "message"} else "k" if name in _UNBROKEN else ""


def _cell(value: object, name: str, kind: str, blank: Mapping[str, str]) -> str:
    said = shorten_end(cell(value, name) or blank.get(name, ""), _LONGEST_CELL)
    kind = kind or ("w" if len(said) > _SHORT_CELL else "")
    return f'<td class="{kind}">{escape(said)}</td>' if kind else f"<td>{escape(said)}</td>"
