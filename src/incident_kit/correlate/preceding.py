"""Preceding: for a symptom, the changes that came before it, ranked by the path between them.

Soberly: that a change came before and shares a path with the symptom is all that is said. A cause needs a mechanism that
the evidence shows, and that is a rule's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.table import joined_changes
from incident_kit.correlate.config_readers import config_readings
from incident_kit.correlate.config_state import workload_of
from incident_kit.correlate.network_policy.endpoints import endpoint_of_pod
from incident_kit.correlate.network_policy.evaluate import isolates
from incident_kit.correlate.objects import Document, Objects, mapping, name_of, namespace_of, read_objects
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: How near each path is to the symptom, nearest first.
PATHS = (
    "same pod",
    "same workload",
    "same config",
    "same network policy",
    "upstream queue",
    "same node",
    "same namespace",
)
#: Changes older than this are not offered.
HORIZON = 24 * 3600 * SECOND


@dataclass(frozen=True, kw_only=True)
class Preceding:
    """One change that came before a symptom.

    Attributes:
        change: the change.
        path: one of `PATHS`.
        lag_seconds: from the change to the symptom.
    """

    change: Change
    path: str
    lag_seconds: float

    def sentence(self) -> str:
        """The change in words, with its lag; never as a cause."""
        change = self.change
        who = change.by or change.manager
        what = f"{change.what} of {change.kind} {change.name}" + (f" to {change.new}" if change.new else "")
        return f"{_lag(self.lag_seconds)} before ({self.path}): {what}{f' by {who}' if who else ''}"


def _lag(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def preceding_changes(
    evidence: Evidence,
    time: int,
    *,
    namespace: str | None,
    pod: str,
    upstream: Iterable[tuple[str | None, str]] = (),
    limit: int = 20,
) -> list[Preceding]:
    """Changes before a symptom of a pod, nearest path first, then shortest lag.

    Args:
        evidence: an opened bundle.
        time: when the symptom began (ns).
        namespace: namespace of the pod.
        pod: name of the pod.
        upstream: (namespace, workload) of those that publish to the queues it consumes, where known.
        limit: at most this many.

    Returns:
        Changes of the last day before the symptom that share a path with the pod. The symptom itself (a restart at the
        same instant in the same pod) is not among them.
    """
    objects = read_objects(evidence)
    document = objects.get("Pod", namespace, pod)
    near = _neighbourhood(document, namespace, pod, objects, set(upstream))
    found = []
    for change in joined_changes(evidence):
        if change.time is None or not time - HORIZON <= change.time <= time:
            continue
        path = _path(change, near)
        itself = change.kind == "Pod" and change.name == pod and time - change.time < SECOND
        if path is not None and not itself:
            found.append(Preceding(change=change, path=path, lag_seconds=(time - change.time) / SECOND))
    found.sort(key=lambda p: (PATHS.index(p.path), p.lag_seconds))
    return found[:limit]


def _neighbourhood(
    pod: Document | None, namespace: str | None, name: str, objects: Objects, upstream: set[tuple[str | None, str]]
) -> dict[tuple[str, str | None, str], str]:
    """Path to every object that the pod depends on, by (kind, namespace, name)."""
    near: dict[tuple[str, str | None, str], str] = {("Pod", namespace, name): "same pod"}
    for kind in ("Deployment", "StatefulSet", "CronJob"):
        for owner_namespace, workload in upstream:
            near[(kind, owner_namespace, workload)] = "upstream queue"
    if pod is None:
        return near
    node = mapping(pod, "spec").get("nodeName")
    if isinstance(node, str):
        near[("Node", None, node)] = "same node"
    endpoint = endpoint_of_pod(pod, objects)
    for policy in objects.of("NetworkPolicy"):
        if isolates(policy, endpoint, "ingress") or isolates(policy, endpoint, "egress"):
            near[("NetworkPolicy", namespace_of(policy), name_of(policy))] = "same network policy"
    for reading in config_readings(mapping(pod, "spec")):
        near[(reading.kind, namespace, reading.name)] = "same config"
    workload_document = workload_of(pod, objects)
    if workload_document is not None:
        near[(str(workload_document["kind"]), namespace, name_of(workload_document))] = "same workload"
    return near


def _path(change: Change, near: dict[tuple[str, str | None, str], str]) -> str | None:
    found = near.get((change.kind, change.namespace, change.name))
    if found is not None:
        return found
    pod_namespace = next((namespace for (kind, namespace, _), path in near.items() if path == "same pod"), None)
    if change.kind in {"Deployment", "StatefulSet", "DaemonSet", "ConfigMap", "Secret", "Service", "NetworkPolicy"}:
        return "same namespace" if change.namespace == pod_namespace else None
    return None


def as_rows(found: Iterable[Preceding]) -> list[dict[str, Any]]:
    """Rows for display: the change's columns, path and lag."""
    return [{**p.change.row(), "path": p.path, "lag_seconds": p.lag_seconds} for p in found]
