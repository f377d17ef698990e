"""A window that was meant otherwise: logs were collected, and none of them lies in it."""

from __future__ import annotations

from pathlib import Path

from incident_kit.normalise.context import Context
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS
from incident_kit.window import SECOND, format_ns

_SIDES = ((CONSOLE_ENTRIES, "console", "console entries"), (ELASTIC_DOCUMENTS, "elasticsearch", "documents"))


def report_outside(folder: Path, context: Context) -> None:
    """Gaps where everything of both sides of the logs lies before or after the window.

    Every answer about them would be empty, as if nothing had been logged. One side alone is none: that no document lies in the
    window is what a loss looks like.

    Args:
        folder: ``tables/``, whose log tables are written.
        context: gains the gaps; its window is what is judged.
    """
    spans = [(source, what, span) for table, source, what in _SIDES if (span := _span(folder / table.name)) is not None]
    if any(last >= context.window.start and first < context.window.end for _, _, (first, last) in spans):
        return
    for source, what, span in spans:
        start, end = (_whole_second(span[0]), _whole_second(span[1] + SECOND))
        context.gap(
            source,
            "window",
            f"none of the {what} lies in the window ({context.window}): they are from {start} to {end}",
            f"Was the window meant in another time zone, or of another day? Import again with --from {start} --to {end}",
            start=context.window.start,
            end=context.window.end,
        )


def _whole_second(time: int) -> str:
    return f"{(format_ns(time) or '')[:19]}Z"


def _span(folder: Path) -> tuple[int, int] | None:
    """First and last time of a log table, from its files' statistics; None where it is empty or they tell nothing."""
    import pyarrow.parquet as pq

    ends: list[tuple[int, int]] = []
    for path in folder.rglob("*.parquet"):
        metadata = pq.read_metadata(path)
        column = metadata.schema.to_arrow_schema().get_field_index("time")
        for group in range(metadata.num_row_groups):
            statistics = metadata.row_group(group).column(column).statistics
            if metadata.row_group(group).num_rows and (statistics is None or not statistics.has_min_max):
                return None
            if statistics is not None and statistics.has_min_max:
                ends.append((statistics.min_raw, statistics.max_raw))
    return (min(first for first, _ in ends), max(last for _, last in ends)) if ends else None
