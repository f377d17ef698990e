"""Log counts: entries and documents of each workload over time, by bins, and how many of them are errors.

One aggregate in DuckDB over pod, bin and severity, whatever the number of rows; what is left is pods times bins. Where
both sides know a workload, the one that holds more of it counts: a console may be rotated, documents may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.correlate.frames import rows
from incident_kit.correlate.symptoms.change_points import Counts
from incident_kit.normalise.kubernetes.names import read_name
from incident_kit.tables import Table
from incident_kit.tables.kubernetes import PODS
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: kind, namespace, name of a workload.
Workload = tuple[str, str | None, str]
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


class Workloads:
    """Whose pod a pod is: by its object, else by its name."""

    def __init__(self, evidence: Evidence) -> None:
        self._known: dict[tuple[str | None, str], Workload] = {}
        self._namespaces: dict[str, set[str | None]] = {}
        for row in rows(evidence.table(PODS)):
            if row["workload"]:
                key = (row["namespace"], row["pod"])
                self._known[key] = (str(row["workload_kind"]), row["namespace"], str(row["workload"]))
            self._namespaces.setdefault(row["pod"], set()).add(row["namespace"])

    def __call__(self, namespace: str | None, pod: str) -> Workload:
        """The workload of a pod; the pod itself where nothing tells. A document without namespace is of the one pod named so."""
        homes = self._namespaces.setdefault(pod, set())
        if namespace is not None:
            homes.add(namespace)
        if namespace is None and len(homes) == 1:
            namespace = next(iter(homes))
        key = (namespace, pod)
        if key not in self._known:
            reading = read_name(pod)
            told = reading.workload and reading.workload_kind
            kind, name = (str(reading.workload_kind), str(reading.workload)) if told else ("Pod", pod)
            self._known[key] = (kind, namespace, name)
        return self._known[key]


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
