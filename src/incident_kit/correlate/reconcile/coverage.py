"""Where a missing document proves something, and where nobody looked: the only source of ``unknown``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.arrays import Flags, Integers
from incident_kit.normalise.kubernetes.names import read_name

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence.bundle import Evidence

_LOW, _HIGH = -(2**62), 2**62


@dataclass(slots=True)
class ElasticCoverage:
    """What was read of Elasticsearch.

    Attributes:
        everything: why nothing can be judged; empty when something can.
        bounds: from, to of the reading for pods that were not named.
        pods: from, to by pod that the query named; None when it named none.
        holes: (from, to, reason) of what is known to be incomplete.
        captured_at: when documents were read; later arrivals are not known.
        asked_for_all: whether a query.json says what was asked (then absence of a whole pod means something).
    """

    everything: str = ""
    bounds: tuple[int, int] = (_LOW, _HIGH)
    pods: dict[str, tuple[int, int]] | None = None
    holes: list[tuple[int, int, str]] = field(default_factory=list)
    captured_at: int | None = None
    asked_for_all: bool = False


def elastic_coverage(evidence: Evidence) -> ElasticCoverage:
    """Coverage of Elasticsearch from the COVERAGE and GAPS of the evidence."""
    coverage = evidence.coverage
    rows = coverage[coverage["source"] == "elasticsearch"]
    found = ElasticCoverage(captured_at=evidence.captured_at)
    if not len(rows):
        found.everything = "no Elasticsearch evidence"
        return found
    broken = rows[rows["complete"].eq(False) & rows["pod"].isna()]
    if len(broken):
        found.everything = str(broken.iloc[0]["reason"])
        return found
    named: dict[str, tuple[int, int]] = {}
    for _, row in rows.iterrows():
        bounds = (_instant(row["from"], _LOW), _instant(row["to"], _HIGH))
        if isinstance(row["pod"], str):
            named[row["pod"]] = bounds
        else:
            # A query that covers the window is taken to cover its margin as well: only the window is judged.
            found.bounds = bounds
            found.asked_for_all = "query" in str(row["reason"])
    found.pods = named or None
    gaps = evidence.gaps
    for _, gap in gaps[gaps["source"] == "elasticsearch"].iterrows():
        begin, end = _instant(gap["from"], None), _instant(gap["to"], None)
        if begin is not None and end is not None:
            found.holes.append((begin, end, str(gap["reason"])))
    return found


def _instant(value: Any, default: Any) -> Any:
    return default if value is None or str(value) == "NaT" else int(value.value)


def workloads(evidence: Evidence, pods: set[str]) -> dict[str, str]:
    """Name of each pod's workload, by its object or else by its name; documents seldom say the namespace, so none is kept."""
    from incident_kit.tables.kubernetes import PODS

    table = evidence.table(PODS)
    known = {
        str(pod): str(workload)
        for pod, workload in zip(table["pod"], table["workload"], strict=True)
        if isinstance(workload, str)
    }
    return {pod: known.get(pod) or read_name(pod).workload or pod for pod in pods}


def pods_without_evidence(
    console_pods: set[str], document_pods: set[str], coverage: ElasticCoverage, workload: dict[str, str]
) -> set[str]:
    """Pods of which no document exists and nothing says that there should be any."""
    if coverage.asked_for_all:
        return set()
    named = set(coverage.pods or ())
    shipped = {workload.get(pod, pod) for pod in document_pods}
    return {
        pod
        for pod in console_pods
        if pod not in document_pods and pod not in named and workload.get(pod, pod) not in shipped
    }


@dataclass(slots=True)
class ConsoleCoverage:
    """Intervals in which each container's console was readable, by (namespace, pod, container)."""

    intervals: dict[tuple[str, str, str], list[tuple[int, int]]]

    def covers(self, owners: list[tuple[str | None, str | None, str | None]], instants: Integers) -> Flags:
        """Whether every console that a document may come from was readable at its instant.

        Args:
            owners: namespace, pod and container of each document, None where it does not say.
            instants: its time by the kubelet's clock (ns).
        """
        places: dict[tuple[str | None, str | None, str | None], list[int]] = {}
        for place, owner in enumerate(owners):
            places.setdefault(owner, []).append(place)
        found = np.zeros(len(owners), bool)
        for (namespace, pod, container), rows in places.items():
            mine = [
                spans
                for (own_namespace, own_pod, own_container), spans in self.intervals.items()
                if own_pod == pod and namespace in (None, own_namespace) and container in (None, own_container)
            ]
            time = instants[rows]
            inside = [np.any([(begin <= time) & (time <= end) for begin, end in spans], axis=0) for spans in mine]
            found[rows] = np.all(inside, axis=0) if inside else False
        return found


def console_coverage(coverage: pd.DataFrame) -> ConsoleCoverage:
    """Readable intervals of each container's console."""
    intervals: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for _, row in coverage[coverage["source"] == "console"].iterrows():
        key = (row["namespace"], row["pod"], row["container"])
        intervals.setdefault(key, []).append((_instant(row["from"], _LOW), _instant(row["to"], _HIGH)))
    return ConsoleCoverage(intervals)
