"""How one value of an answer is written where people read it: in a table's cell, in a sentence, in a fact.

Times are the reason for this module. JSON and CSV write RFC 3339 with nanoseconds; a person reads
``2026-11-20 08:00:00.123`` or, where everything is of one day that stands above, ``08:00:00.123``, in columns and
inside sentences alike. Commands in a sentence keep the form that can be pasted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.present.text import shorten_middle, visible

if TYPE_CHECKING:
    import pandas as pd

#: Sentences of the kit's own; text of logs and of objects is never rewritten.
SENTENCES = frozenset(
    {"title", "reason", "next_step", "evidence", "meaning", "refuted_by", "undone_by", "before", "after"}
)
_NOT_PASTED = r"(?<!--at )(?<!--from )(?<!--to )"
_RFC3339 = re.compile(_NOT_PASTED + r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{3})\d*)?Z")
_INSTANTS = frozenset({"time", "from", "to", "first_seen", "last_seen", "start", "end"})
_DECIMALS = {"confidence": "{:.2f}", "share": "{:.3f}", "proved": "{:.3f}"}
_DIGEST_WIDTH = 13


def cell(value: Any, name: str = "", day: str = "") -> str:
    """One value as visible text: UTC with milliseconds, lists joined, missing empty.

    Args:
        value: a value of an answer.
        name: its column.
        day: the day (``2026-11-20``) that is told elsewhere and left out here.
    """
    import pandas as pd

    if isinstance(value, (list, tuple, np.ndarray)):
        return "; ".join(cell(part, name, day) for part in value)
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return without_day(instant(value), day)
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else _DECIMALS.get(name, "{:g}").format(value)
    if name.endswith("digest"):
        return shorten_middle(str(value).removeprefix("sha256:"), _DIGEST_WIDTH)
    text = visible(value)
    if _RFC3339.fullmatch(text):  # a time among facts, with nothing above it that says its zone
        return f"{readable(text, day)} UTC"
    return readable(text, day) if name in SENTENCES else text


def instant(value: Any) -> str:
    """UTC with milliseconds; whole seconds are written without them."""
    import pandas as pd

    if pd.isna(value):
        return ""
    moment = pd.Timestamp(value)
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    whole = f"{moment:%Y-%m-%d %H:%M:%S}"
    milliseconds = moment.value // 1_000_000 % 1000
    return f"{whole}.{milliseconds:03d}" if moment.value % 1_000_000_000 else whole


def readable(sentence: str, day: str = "") -> str:
    """A sentence with its RFC 3339 times written as `cell` writes times; those after ``--at`` stay as they are."""
    return _RFC3339.sub(lambda found: without_day(_clock(found), day), sentence)


def _clock(found: re.Match[str]) -> str:
    date, seconds, milliseconds = found.groups()
    return f"{date} {seconds}.{milliseconds}" if int(milliseconds or 0) else f"{date} {seconds}"


def without_day(text: str, day: str) -> str:
    """The time of ``2026-11-20 08:00:00`` when that is the day told elsewhere, else the whole."""
    return text[len(day) + 1 :] if day and text.startswith(f"{day} ") else text


def fact(value: Any) -> str:
    """A plain value on one line; nested objects as names and values."""
    if isinstance(value, Mapping):
        return ", ".join(f"{visible(name)} {fact(part)}" for name, part in value.items() if part not in (None, [], {}))
    if isinstance(value, list):
        return "; ".join(fact(part) for part in value)
    return cell(value)


def is_rows(value: Any) -> bool:
    """Whether a value is a list of rows (objects), which a table shows best."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def without_repeats(facts: Mapping[str, Any]) -> dict[str, Any]:
    """An object of facts without what it tells twice.

    Left out are those that its own list ``facts`` tells again, there with their source, and a list that only repeats
    the single value beside it (``pod_uids`` of one life).
    """
    listed: Any = facts.get("facts")
    told = {row.get("fact") for row in listed} if is_rows(listed) else set()
    return {
        name: value
        for name, value in facts.items()
        if name not in told and not (name.endswith("s") and value == [facts.get(name[:-1])])
    }


def as_frame(rows: list[Any]) -> pd.DataFrame:
    """Rows of an answer that has no declared table as a frame; instants in nanoseconds become instants."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    for name in map(str, frame.columns):
        if names_instant(name) and pd.api.types.is_numeric_dtype(frame[name]):
            frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="ns", utc=True)
    return frame


def names_instant(name: str) -> bool:
    """Whether values under this name are instants in nanoseconds."""
    return name in _INSTANTS or name.endswith(("_at", "_for"))
