"""Answers as the contracted JSON and CSV, or as a table for the terminal.

JSON is one object ``{"rows", "coverage", "gaps"}``: times RFC 3339 UTC with nanoseconds, a missing value
null, lists arrays. CSV holds the rows only, lists joined by ``; ``. Both are complete; a table may leave
columns and rows out and then says so.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from incident_kit.present.cells import names_instant
from incident_kit.window import format_ns

if TYPE_CHECKING:
    import pandas as pd

LIST_SEPARATOR = "; "


def render(frame: pd.DataFrame, coverage: pd.DataFrame, gaps: pd.DataFrame, output: str) -> str:
    """An answer in one output format.

    Args:
        frame: rows of an answer, columns as declared in ``tables.answers``.
        coverage: COVERAGE rows.
        gaps: GAPS rows that could change the answer.
        output: ``table``, ``json`` or ``csv``.
    """
    if output == "json":
        return render_json(frame, coverage, gaps)
    if output == "csv":
        return render_csv(frame)
    from incident_kit.present.tables import render_table

    return render_table(frame, coverage)


def render_json(frame: pd.DataFrame, coverage: pd.DataFrame, gaps: pd.DataFrame) -> str:
    """The contracted object, one row a line so that it can be read and searched by eye."""
    parts = {"rows": frame, "coverage": coverage, "gaps": gaps}
    return "{" + ",\n".join(f'"{name}": {_json_array(records(part))}' for name, part in parts.items()) + "}\n"


def render_csv(frame: pd.DataFrame) -> str:
    """The rows as CSV with a header line; a missing value is an empty field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(frame.columns)
    writer.writerows(zip(*([_field(value) for value in values] for values in _columns(frame)), strict=True))
    return buffer.getvalue()


def records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as dicts of plain JSON values, in the frame's order."""
    names = [str(name) for name in frame.columns]
    return (dict(zip(names, row, strict=True)) for row in zip(*_columns(frame), strict=True))


def render_trace(story: Mapping[str, Any], output: str) -> str:
    """The answer of ``trace`` in one output format; its CSV is long: section, row, column, value."""
    if output == "json":
        return orjson.dumps(plain(story), option=orjson.OPT_INDENT_2).decode() + "\n"
    if output == "csv":
        return _trace_csv(plain(story))
    from incident_kit.present.tables import render_trace_table

    return render_trace_table(story)


def render_checks(checks: Iterable[Any]) -> str:
    """The checks of ``doctor`` for the terminal: what was tried, whether it passed, and what would help."""
    from incident_kit.present.tables import render_check_table

    return render_check_table(checks)


def plain(value: Any, name: str = "") -> Any:
    """A value of an answer as JSON knows it: frames become arrays of objects, instants RFC 3339 text."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return list(records(value))
    if isinstance(value, pd.Series):
        return plain(value.to_dict())
    if isinstance(value, Mapping):
        return {str(key): plain(part, str(key)) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [plain(part, name) for part in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return format_ns(pd.Timestamp(value).value)
    return _plain_scalar(value, name)


def _plain_scalar(value: Any, name: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    is_instant = isinstance(value, int) and not isinstance(value, bool) and names_instant(name)
    return format_ns(value) if is_instant else value


def _columns(frame: pd.DataFrame) -> list[list[Any]]:
    """Every column as a list of plain values; whole columns at a time, since rows may be many."""
    return [_column(frame.iloc[:, position]) for position in range(frame.shape[1])]


def _column(values: pd.Series[Any]) -> list[Any]:
    import pandas as pd

    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return instants(values)
    missing = values.isna().to_numpy()
    listed = values.astype(object).tolist()
    if values.dtype == object:
        return [plain(value, str(values.name)) for value in listed]
    return [None if gone else value for value, gone in zip(listed, missing, strict=True)]


def instants(values: pd.Series[Any]) -> list[str | None]:
    """RFC 3339 UTC with nine digits for a column of instants; None where one is missing."""
    utc = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    texts = np.datetime_as_string(utc, unit="ns")
    return [None if text == "NaT" else f"{text}Z" for text in texts.tolist()]


def _json_array(rows: Iterable[dict[str, Any]]) -> str:
    lines = [orjson.dumps(row).decode() for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]" if lines else "[]"


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return LIST_SEPARATOR.join(_field(part) for part in value)
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)


def _trace_csv(story: Mapping[str, Any]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("section", "row", "column", "value"))
    for section, content in story.items():
        for number, row in enumerate(content if isinstance(content, list) else [content]):
            cells = row.items() if isinstance(row, dict) else [("value", row)]
            writer.writerows((section, number, name, _field(value)) for name, value in cells)
    return buffer.getvalue()
