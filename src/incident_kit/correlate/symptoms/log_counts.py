"""Log counts: entries and documents of each workload over time, by bins, and how many of them are errors.

One aggregate in DuckDB over pod, bin and severity, whatever the number of rows; what is left is pods times bins. Where
both sides know a workload, the one that holds more of it counts: a console may be rotated, documents may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.correlate.pods.workloads import Workload, Workloads
from incident_kit.correlate.symptoms.change_points import Counts
from incident_kit.tables import Table
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Most bins of a window: enough to see minutes in hours, few enough for the scan of stretches.
_MOST_BINS = 360
_SHORTEST_BIN = 10 * SECOND
ERRORS = ("error", "fatal")


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of equal length over what is judged of the window.

    Attributes:
        start: start of the first bin (ns).
        width: length of a bin (ns).
        count: number of bins; what is left at the end is not counted.
    """

    start: int
    width: int
    count: int

    def time(self, number: int) -> int:
        """Start of a bin (ns)."""
        return self.start + number * self.width


@dataclass(slots=True)
class Series:
    """One workload on one side.

    Attributes:
        side: console or elastic.
        entries: entries by bin.
        marked: by bin those of them that a symptom is made of: of level error or fatal, or on the console only.
        pods: namespace (as logged) and name of the pods that were counted.
    """

    side: str
    entries: Counts
    marked: Counts
    pods: set[tuple[str | None, str]] = field(default_factory=set)


def bins_of(evidence: Evidence) -> Bins:
    """The window in at most 360 bins of whole seconds, 10 s at least; after the capture nothing is counted."""
    start, end = evidence.window.start, min(evidence.window.end, evidence.captured_at or evidence.window.end)
    whole = max(end - start, 0)
    width = max(_SHORTEST_BIN, -(-whole // _MOST_BINS // SECOND) * SECOND)
    return Bins(start, width, whole // width)


def log_counts(evidence: Evidence) -> dict[Workload, Series]:
    """Counts of each workload that logged in the window, on the side that holds more of it."""

    def build() -> dict[Workload, Series]:
        bins, workload_of = bins_of(evidence), Workloads(evidence)
        best: dict[Workload, Series] = {}
        for side, table in (("console", CONSOLE_ENTRIES), ("elastic", ELASTIC_DOCUMENTS)):
            mine: dict[Workload, Series] = {}
            for namespace, pod, number, error, count in _counted(evidence, table, bins):
                key = workload_of(namespace, pod)
                series = mine.setdefault(key, Series(side, np.zeros(bins.count), np.zeros(bins.count)))
                series.entries[number] += count
                series.marked[number] += count if error else 0
                series.pods.add((namespace, pod))
            for key, series in mine.items():
                if key not in best or series.entries.sum() > best[key].entries.sum():
                    best[key] = series
        return best

    return evidence.memo("log_counts", build)


def _counted(evidence: Evidence, table: Table, bins: Bins) -> Iterator[tuple[Any, ...]]:
    files = evidence.parquet(table)
    if not files or not bins.count:
        return
    import duckdb

    refused = "AND rejected IS NULL" if table is ELASTIC_DOCUMENTS else ""
    sql = f"""
        SELECT namespace, pod, (epoch_ns(time) - $start) // $width AS number,
               coalesce(level IN {ERRORS}, false) AS error, count(*)
        FROM read_parquet($files, hive_partitioning = false)
        WHERE pod IS NOT NULL AND epoch_ns(time) >= $start AND epoch_ns(time) < $end {refused}
        GROUP BY ALL"""
    values = {"files": files, "start": bins.start, "width": bins.width, "end": bins.time(bins.count)}
    with duckdb.connect() as connection:
        yield from connection.execute(sql, values).fetchall()
