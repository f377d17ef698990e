"""Plain values out of DataFrames: int nanoseconds, None for what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as dicts, in order."""
    return cast("list[dict[str, Any]]", frame.to_dict("records")) if len(frame) else []


def rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of a small table as dicts: null is None, times are int nanoseconds, flags and integers are Python's."""
    import pandas as pd

    times = [c for c in frame.columns if isinstance(frame[c].dtype, pd.DatetimeTZDtype)]
    whole = frame.copy()
    for column in times:
        whole[column] = frame[column].astype("int64").astype(object).where(frame[column].notna(), None)
    for record in whole.astype(object).to_dict("records"):
        yield {str(k): plain(v) for k, v in record.items()}


def instant(value: Any) -> int | None:
    """Nanoseconds of a time in a frame; None where it is missing."""
    import pandas as pd

    return None if value is None or value is pd.NaT or pd.isna(value) else int(pd.Timestamp(value).value)


def plain(value: Any) -> Any:
    """A value of a frame as a plain one; None where it is missing."""
    import pandas as pd

    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    return value.tolist() if hasattr(value, "tolist") else value
