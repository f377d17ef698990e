"""Which columns of an answer a reader needs first, and how a column's values are written in a cell.

The declared tables have more columns than a terminal is wide. A table shows the columns below in this
order; a column that says the same in every row moves into the line above the table, one that is empty is
left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.present.text import shorten_middle, visible
from incident_kit.tables.answers import COVERAGE, WHOIS

if TYPE_CHECKING:
    import pandas as pd

#: Columns shown, most telling first, by columns that only this kind of answer has.
_VIEWS: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (
        frozenset({"verdict", "side", "text"}),
        ("time", "pod", "container", "restart_count", "level", "verdict", "cause", "confidence", "text"),
    ),
    (
        frozenset({"rule", "severity", "title"}),
        ("severity", "time", "rule", "title", "name", "confidence", "next_step"),
    ),
    (
        frozenset({"what", "old", "new", "by"}),
        ("time", "kind", "namespace", "name", "what", "old", "new", "by", "automated", "undone_by"),
    ),
    (
        frozenset({"rabbit_node", "match"}),
        (
            "pod",
            "rabbit_node",
            "connected_at",
            "closed_at",
            "peer_host",
            "user_provided_name",
            "match",
            "reason",
        ),
    ),
    (
        frozenset({"container_type", "container_id"}),
        (
            "container",
            "restart_count",
            "state",
            "started_at",
            "finished_at",
            "reason",
            "exit_code",
            "image",
            "image_digest",
            "source",
        ),
    ),
    (
        frozenset({"exit_code", "restart_count"}),
        ("time", "namespace", "pod", "container", "restart_count", "reason", "exit_code", "image", "meaning"),
    ),
    (frozenset({"ip", "from", "to"}), tuple(WHOIS.columns)),
    (frozenset({"source", "what", "remedy"}), ("source", "what", "from", "to", "reason", "remedy")),
    (frozenset({"source", "complete"}), tuple(COVERAGE.columns)),
)

#: Columns that keep both ends when cut: they differ at the end.
_NAMES = frozenset({"pod", "name", "image", "connection", "user_provided_name", "image_digest", "undone_by"})
_INSTANTS = frozenset({"time", "from", "to", "first_seen", "last_seen", "start", "end"})
#: Columns worth a column even where every row says the same.
ALWAYS_SHOWN = frozenset({"time", "text", "title", "what", "pod", "name", "rabbit_node", "severity"})


def view(frame: pd.DataFrame) -> list[str]:
    """Columns to show, in order; every column for a frame of an unknown kind."""
    present = {str(name) for name in frame.columns}
    for signature, names in _VIEWS:
        if signature <= present:
            return [name for name in names if name in present]
    return [str(name) for name in frame.columns]


def split_constant(frame: pd.DataFrame, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """Columns that tell rows apart, and name with value of those that say the same in every row."""
    kept: list[str] = []
    same: dict[str, str] = {}
    for name in names:
        values = {cell(value, name) for value in frame[name].tolist()}
        if values == {""}:
            continue
        if name in ALWAYS_SHOWN or len(frame) < 2 or len(values) > 1:
            kept.append(name)
        else:
            same[name] = values.pop()
    return kept, same


def cell(value: Any, name: str = "") -> str:
    """One value as visible text: UTC with milliseconds, lists joined, missing empty."""
    import pandas as pd

    if isinstance(value, (list, tuple, np.ndarray)):
        return "; ".join(cell(part) for part in value)
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return instant(value)
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:.2f}" if name == "confidence" else f"{value:g}"
    if name.endswith("digest"):
        return shorten_middle(str(value).removeprefix("sha256:"), 13)
    return visible(value)


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


def is_rows(value: Any) -> bool:
    """Whether a value is a list of rows (objects), which a table shows best."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def without_repeats(facts: Mapping[str, Any]) -> dict[str, Any]:
    """An object of facts without those that its own list ``facts`` tells again, there with their source."""
    listed: Any = facts.get("facts")
    told = {row.get("fact") for row in listed} if is_rows(listed) else set()
    return {name: value for name, value in facts.items() if name not in told}


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


def keeps_both_ends(name: str) -> bool:
    """Whether the column's values differ at their end, as pod names do."""
    return name in _NAMES
