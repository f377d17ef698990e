"""Values of an answer as JSON knows them: times RFC 3339 UTC with nanoseconds, a missing value null, lists arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.present.cells import names_instant
from incident_kit.window import format_ns

if TYPE_CHECKING:
    import pandas as pd


def records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as dicts of plain JSON values, in the frame's order."""
    names = [str(name) for name in frame.columns]
    return (dict(zip(names, row, strict=True)) for row in zip(*columns(frame), strict=True))


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


def columns(frame: pd.DataFrame) -> list[list[Any]]:
    """Every column as a list of plain values; whole columns at a time, since rows may be many."""
    return [_column(frame.iloc[:, position]) for position in range(frame.shape[1])]


def _column(values: pd.Series[Any]) -> list[Any]:
    import pandas as pd

    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return _instants(values)
    missing = values.isna().to_numpy()
    listed = values.astype(object).tolist()
    if values.dtype == object:
        return [plain(value, str(values.name)) for value in listed]
    return [None if gone else value for value, gone in zip(listed, missing, strict=True)]


def _instants(values: pd.Series[Any]) -> list[str | None]:
    """RFC 3339 UTC with nine digits for a column of instants; None where one is missing."""
    utc = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    texts = np.datetime_as_string(utc, unit="ns")
    return [None if text == "NaT" else f"{text}Z" for text in texts.tolist()]
