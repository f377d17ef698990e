"""Answers as the contracted JSON and CSV, or as a table for the terminal.

JSON is one object ``{"rows", "coverage", "gaps"}``: times RFC 3339 UTC with nanoseconds, a missing value
null, lists arrays. CSV holds the rows only, lists joined by ``; ``, and an apostrophe before a text that a
spreadsheet would run as a formula. Both are complete; a table may leave columns and rows out and then says so.

Both may end at a terminal, and text of logs is hostile. JSON escapes what would steer it or turn its lines round, which
changes no value. CSV has no escapes, and its readers choke on NUL: control characters stand there written out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from incident_kit.present.plain import columns, plain, records
from incident_kit.present.text import visible

if TYPE_CHECKING:
    import pandas as pd

LIST_SEPARATOR = "; "
_ROWS_OF_A_PIECE = 50_000
#: What a spreadsheet takes for a formula. A dash or plus begins many a line of a log; only one with a call could do anything.
_FORMULA = re.compile(r"[=@\t\r]|[+-].*[(|!]", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: Beyond ASCII, of which JSON itself escapes them: control characters, directions of text, and what has no width.
_STEERING = re.compile(r"[\x80-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def render(frame: pd.DataFrame, coverage: pd.DataFrame, gaps: pd.DataFrame, output: str) -> Iterator[str]:
    """An answer in one output format, in pieces of bounded size: it may have millions of rows.

    Args:
        frame: rows of an answer, columns as declared in ``tables.answers``.
        coverage: COVERAGE rows.
        gaps: GAPS rows that could change the answer.
        output: ``table``, ``json`` or ``csv``.
    """
    if output == "json":
        yield from render_json(frame, coverage, gaps)
    elif output == "csv":
        yield from render_csv(frame)
    else:
        from incident_kit.present.tables import render_table  # loads rich, for which no reader of JSON need wait

        yield render_table(frame, coverage)


def render_json(frame: pd.DataFrame, coverage: pd.DataFrame, gaps: pd.DataFrame) -> Iterator[str]:
    """The contracted object, one row a line so that it can be read and searched by eye."""
    before = "{"
    for name, part in {"rows": frame, "coverage": coverage, "gaps": gaps}.items():
        yield f'{before}"{name}": ['
        between = "\n"
        for piece in _pieces(part):
            yield between + ",\n".join(_json(row) for row in records(piece))
            between = ",\n"
        yield "\n]" if len(part) else "]"
        before = ",\n"
    yield "}\n"


def render_csv(frame: pd.DataFrame) -> Iterator[str]:
    """The rows as CSV with a header line; a missing value is an empty field."""
    yield _csv_lines([frame.columns])
    for piece in _pieces(frame):
        yield _csv_lines(zip(*([_cell(value) for value in values] for values in columns(piece)), strict=True))


def _json(value: Any, option: int = 0) -> str:
    text = orjson.dumps(value, option=option).decode()
    return text if text.isascii() else _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _pieces(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    return (frame.iloc[start : start + _ROWS_OF_A_PIECE] for start in range(0, len(frame), _ROWS_OF_A_PIECE))


def _csv_lines(rows: Iterable[Iterable[str]]) -> str:
    buffer = _Lines()
    csv.writer(buffer).writerows(rows)
    return _shown(buffer)


def render_trace(story: Mapping[str, Any], output: str) -> str:
    """The answer of ``trace`` in one output format; its CSV is long: section, row, column, value."""
    if output == "json":
        return _json(plain(story), orjson.OPT_INDENT_2) + "\n"
    if output == "csv":
        return _trace_csv(plain(story))
    from incident_kit.present.tables import render_trace_table

    return render_trace_table(story)


class _Lines(io.StringIO):
    """Rows of a CSV writer, each ended by a line feed only.

    The writer itself ends them by CR and LF: only then does it quote a CR within a field (before Python 3.13).
    """

    def write(self, row: str) -> int:
        return super().write(row.removesuffix("\r\n") + "\n")


def _shown(lines: _Lines) -> str:
    return _CONTROL.sub(lambda found: visible(found[0]), lines.getvalue())


def _cell(value: Any) -> str:
    text = _field(value)
    return f"'{text}" if isinstance(value, str | list) and _FORMULA.match(text) else text


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return LIST_SEPARATOR.join(_field(part) for part in value)
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)


def _trace_csv(story: Mapping[str, Any]) -> str:
    buffer = _Lines()
    writer = csv.writer(buffer)
    writer.writerow(("section", "row", "column", "value"))
    for section, content in story.items():
        for number, row in enumerate(content if isinstance(content, list) else [content]):
            cells = row.items() if isinstance(row, dict) else [("value", row)]
            writer.writerows((section, number, name, _cell(value)) for name, value in cells)
    return _shown(buffer)
