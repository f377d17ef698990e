"""Workloads: the Deployment, StatefulSet, CronJob ... that a pod is of, and its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.correlate.frames import rows
from incident_kit.normalise.kubernetes.names import read_name
from incident_kit.tables.kubernetes import PODS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: kind, namespace, name of a workload.
Workload = tuple[str, str | None, str]


class Workloads:
    """The workload of each pod: by its object, else as its own name tells."""

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
