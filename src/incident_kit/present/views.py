"""What a reader of each kind of answer needs first: which columns, in which order, and how its rows are counted.

The declared tables have more columns than a screen is wide. A view names those that are shown, most telling first;
JSON and CSV have all. A column that says the same in every row moves into the line above the table, one that is empty
is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from incident_kit.counting import plural
from incident_kit.present.causes import meaning_of
from incident_kit.present.cells import cell
from incident_kit.present.severity import rank, worst_first
from incident_kit.present.text import shorten, visible

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How one kind of answer is shown.

    Attributes:
        signature: columns that only this kind has.
        columns: columns shown, most telling first.
        spare: columns that are left out where there is no room; others stand under their row then.
        under: columns that always stand under their row, a line each: sentences that one reads one by one.
        noun: what a row is, singular and plural.
        counted: column whose values are counted in the line above the table.
        blank: what a missing value is told as, by column, where it says something.
    """

    signature: frozenset[str]
    columns: tuple[str, ...]
    spare: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    noun: tuple[str, str] = ("row", "rows")
    counted: str | None = None
    blank: Mapping[str, str] = field(default_factory=dict)


_VIEWS = (
    View(
        signature=frozenset({"verdict", "side", "text"}),
        columns=("time", "pod", "container", "restart_count", "level", "verdict", "cause", "confidence", "text"),
        noun=("log entry", "log entries"),
        counted="verdict",
        spare=("restart_count", "container", "confidence"),
    ),
    View(
        signature=frozenset({"rule", "severity", "title"}),
        columns=("severity", "time", "rule", "kind", "name", "confidence"),
        under=("title", "evidence", "next_step", "refuted_by"),
        noun=("finding", "findings"),
        counted="severity",
        spare=("kind", "confidence"),
    ),
    View(
        signature=frozenset({"symptom", "path", "lag_seconds"}),
        columns=("time", "symptom", "lag_seconds", "path", "what", "kind", "name", "old", "new", "by", "via", "namespace"),
        noun=("change before a restart", "changes before a restart"),
        spare=("namespace", "via"),
    ),
    View(
        signature=frozenset({"allowed", "before", "policies"}),
        columns=("system", "to", "allowed", "before", "since", "policies", "reason", "pod", "namespace"),
        noun=("server", "servers"),
        spare=("namespace",),
        blank={"allowed": "not known", "before": "not known"},
    ),
    View(
        signature=frozenset({"what", "old", "new", "by"}),
        columns=("time", "what", "kind", "name", "old", "new", "by", "undone_by", "namespace", "automated"),
        noun=("change", "changes"),
        counted="what",
        spare=("namespace", "automated"),
    ),
    View(
        signature=frozenset({"what", "before", "after"}),
        columns=("time", "what", "kind", "name", "before", "after", "namespace"),
        noun=("difference", "differences"),
        counted="what",
        spare=("namespace",),
    ),
    View(
        signature=frozenset({"rabbit_node", "match"}),
        columns=(
            "pod", "rabbit_node", "connected_at", "closed_at", "match", "peer_host", "user_provided_name",
            "close_reason", "candidates", "reason",
        ),
        noun=("connection", "connections"),
        counted="match",
    ),
    View(
        signature=frozenset({"container_type", "container_id"}),
        columns=(
            "container", "restart_count", "state", "started_at", "finished_at", "reason", "exit_code", "image",
            "image_digest", "source",
        ),
        spare=("image_digest", "source"),
        noun=("container instance", "container instances"),
    ),
    View(
        signature=frozenset({"exit_code", "restart_count"}),
        columns=(
            "time", "pod", "restart_count", "reason", "exit_code", "image", "meaning", "container", "namespace",
        ),
        spare=("container", "namespace"),
        noun=("ended container instance", "ended container instances"),
        counted="reason",
    ),
    View(
        signature=frozenset({"ip", "from", "to"}),
        columns=("ip", "pod", "from", "to", "namespace", "source", "reason", "pod_uid"),
        noun=("answer", "answers"),
        spare=("pod_uid",),
    ),
    View(
        signature=frozenset({"fact", "value"}),
        columns=("fact", "value", "source", "observed", "pod_uid"),
        noun=("fact", "facts"),
        spare=("observed", "pod_uid"),
    ),
    View(
        signature=frozenset({"template", "example"}),
        columns=("template", "console_entries", "documents", "first_at", "last_at"),
        spare=("first_at", "last_at"),
        noun=("template", "templates"),
    ),
    View(
        signature=frozenset({"role", "field", "chosen"}),
        columns=("role", "field", "chosen", "documents", "share", "proved", "mapped_type"),
        noun=("field", "fields"),
    ),
    View(
        signature=frozenset({"source", "what", "remedy"}),
        columns=("source", "what", "from", "to", "reason", "remedy"),
        noun=("gap", "gaps"),
    ),
    View(
        signature=frozenset({"source", "complete"}),
        columns=("source", "pod", "from", "to", "container", "complete", "namespace", "reason"),
        spare=("namespace",),
        noun=("stretch of coverage", "stretches of coverage"),
    ),
)  # fmt: skip

#: How what stands under a row is introduced; other columns by their name, log text and titles by nothing.
LABELS = {
    "text": "", "title": "", "template": "", "evidence": "because: ", "next_step": "next: ",
    "refuted_by": "refuted by: ",
}  # fmt: skip
#: Verdicts whose reasons, unlike causes, have no column of the view; and how many and how much of them is told.
_REASONED = ("unknown", "rejected")
_MOST_REASONS, _LONGEST_REASON = 3, 160
#: Columns worth a column even where every row says the same.
_ALWAYS_SHOWN = frozenset({"time", "text", "title", "what", "rabbit_node", "severity"})


def view_of(frame: pd.DataFrame) -> View:
    """The view of a frame's kind; for a frame of an unknown kind, every column in its order."""
    present = {str(name) for name in frame.columns}
    return next(
        (view for view in _VIEWS if view.signature <= present),
        View(signature=frozenset(), columns=tuple(map(str, frame.columns))),
    )


def in_reading_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows as one reads them: findings the worst first, anything else as the answer has it."""
    return worst_first(frame) if {"rule", "severity"} <= set(frame.columns) else frame


def shown_columns(frame: pd.DataFrame) -> list[str]:
    """Columns to show, in order, those under the row last."""
    view = view_of(frame)
    present = {str(name) for name in frame.columns}
    return [name for name in (*view.columns, *view.under) if name in present]


def label(name: str) -> str:
    """What stands before a value of this column under its row."""
    return LABELS.get(name, f"{name} ")


def split_constant(frame: pd.DataFrame, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """Columns that tell rows apart, and name with value of those that say the same in every row."""
    view = view_of(frame)
    kept: list[str] = []
    same: dict[str, str] = {}
    for name in names:
        values = _some_texts(frame[name], view.blank.get(name, ""))
        if values == {""}:
            continue
        if name in _ALWAYS_SHOWN or name in view.under or len(frame) < 2 or len(values) > 1:
            kept.append(name)
        else:
            same[name] = values.pop()
    return kept, same


#: Rows whose texts mostly tell whether a column's differ.
_MOSTLY_TELL = 1_000


def _some_texts(column: pd.Series[Any], blank: str) -> set[str]:
    """The texts of a column, up to the second that differs: of millions of rows the first few mostly tell."""
    found: set[str] = set()
    for some in (column.head(_MOSTLY_TELL), column):
        for value in some if some.dtype == object else some.unique():  # lists have no hash
            found.add(cell(value, str(column.name)) or blank)
            if len(found) > 1:
                return found
    return found


def nothing_in(frame: pd.DataFrame) -> str:
    """What an empty answer is told as; whether something could not be looked at is said by the gaps beside it."""
    return f"No {view_of(frame).noun[1]} in what was captured and asked for."


def summary_line(frame: pd.DataFrame) -> str:
    """How many rows of which sort, in one line."""
    if not len(frame):
        return nothing_in(frame)
    view = view_of(frame)
    words = plural(len(frame), *view.noun)
    if view.counted is None:
        return words
    key = frame[view.counted]
    if view.counted == "verdict" and key.nunique() == 1 and frame["cause"].notna().any():
        words += f" {visible(key.iloc[0])}"
        key = frame["cause"].fillna("no cause")
    counts = key.value_counts()
    if not len(counts):
        return words
    if view.counted == "severity":
        counts = counts.sort_index(key=lambda names: names.map(rank))
    told = [f"{count:,} {visible(name)}" for name, count in counts.items()]
    untold = int(key.isna().sum())
    return f"{words}: {', '.join([*told, *([f'{untold:,} without {view.counted}'] if untold else [])])}"


def cause_meanings(frame: pd.DataFrame) -> str:
    """What the causes of these log entries mean, the commonest first; nothing where there is none."""
    if not {"verdict", "cause"} <= set(frame.columns):
        return ""
    return "; ".join(f"{visible(cause)}: {meaning_of(cause)}" for cause in frame["cause"].dropna().value_counts().index)


def verdict_reasons(frame: pd.DataFrame) -> list[str]:
    """Why log entries have a verdict that is no cause's, a line for each such verdict, the commonest reasons first."""
    if not {"verdict", "evidence"} <= set(frame.columns):
        return []
    lines = []
    for verdict in _REASONED:
        reasons = frame.loc[frame["verdict"] == verdict, "evidence"].dropna().value_counts()
        told = [f"{count:,}: {shorten(reason, _LONGEST_REASON)}" for reason, count in reasons.items()]
        more = [plural(len(told) - _MOST_REASONS, "more reason")] if len(told) > _MOST_REASONS else []
        if told:
            lines.append(f"Why {verdict}: {'; '.join([*told[:_MOST_REASONS], *more])}.")
    return lines
