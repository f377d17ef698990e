"""Plain values out of DataFrames: int nanoseconds, None for what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as dicts, in order."""
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def instant(value: Any) -> int | None:
    """Nanoseconds of a time in a frame; None where it is missing."""
    import pandas as pd

    return None if value is None or value is pd.NaT or pd.isna(value) else int(pd.Timestamp(value).value)


def plain(value: Any) -> Any:
    """A value of a frame as a plain one; None where it is missing."""
    import pandas as pd

    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, str | bool | int):
        return value
    if hasattr(value, "tolist"):
        return value.tolist()
    return None if isinstance(value, float) and value != value else value
