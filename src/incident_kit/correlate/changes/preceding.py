"""Preceding: for a symptom, the changes that came before it, ranked by the path between them.

Soberly: that a change came before and shares a path with the symptom is all that is said. A cause needs a mechanism that
the evidence shows, and that is a rule's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.rollouts import ROLLED_OUT
from incident_kit.correlate.changes.table import joined_changes
from incident_kit.correlate.configuration.readers import config_readings
from incident_kit.correlate.configuration.state import workload_of
from incident_kit.correlate.network_policy.endpoints import endpoint_of_pod
from incident_kit.correlate.network_policy.evaluate import isolates
from incident_kit.correlate.objects import Objects, name_of, namespace_of, read_objects
from incident_kit.correlate.pods.identity import lifetimes
from incident_kit.correlate.rabbitmq.publishers import Upstream, subject_of, upstreams
from incident_kit.nested import mapping
from incident_kit.tables import Row
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
    "same virtual host",
    "same namespace",
)
#: Changes older than this are not offered.
HORIZON = 24 * 3600 * SECOND


#: kind, namespace, name of an object.
Subject = tuple[str, str | None, str]


@dataclass(frozen=True, kw_only=True)
class Preceding:
    """One change that came before a symptom.

    Attributes:
        change: the change.
        path: one of `PATHS`.
        lag_seconds: from the change to the symptom; 0 for one within the precision of the symptom's time.
        via: what the path leads over, where its name does not say it: exchange and queue.
    """

    change: Change
    path: str
    lag_seconds: float
    via: str | None = None

    def sentence(self) -> str:
        """The change in words, with its lag; never as a cause."""
        change = self.change
        who = change.by or change.manager
        what = f"{change.what} of {change.kind} {change.name}" + (f" to {change.new}" if change.new else "")
        path = f"{self.path}, {change.name} {self.via}" if self.via else self.path
        before = f"{_lag(self.lag_seconds)} before" if self.lag_seconds > 0 else "as it began"
        return f"{before} ({path}): {what}{f' by {who}' if who else ''}"


def _lag(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def preceding_changes(
    evidence: Evidence,
    time: int,
    *,
    namespace: str | None,
    pod: str | None = None,
    workload: tuple[str, str] | None = None,
    precision_seconds: float = 0.0,
    limit: int = 20,
) -> list[Preceding]:
    """Changes before a symptom of a pod, or of a workload, nearest path first, then shortest lag.

    Args:
        evidence: an opened bundle.
        time: when the symptom began (ns).
        namespace: namespace of the pod or workload.
        pod: name of the pod, where the symptom is one pod's.
        workload: kind and name of the workload, where it is that of all its pods.
        precision_seconds: how precise that time is: a rate that rose began somewhere in its first bin.
        limit: at most this many.

    Returns:
        Changes of the last day before the symptom that share a path with it. The symptom itself (a restart at the
        same instant in the same pod) is not among them.
    """
    objects = read_objects(evidence)
    near: dict[Subject, str] = {}
    if pod is not None:
        near = _neighbourhood(namespace, pod, objects)
    if workload is not None:
        for document in objects.of("Pod") if namespace is not None else ():
            owner = workload_of(document, objects) if namespace_of(document) == namespace else None
            if owner is not None and (owner.get("kind"), name_of(owner)) == workload:
                near |= _neighbourhood(namespace, name_of(document), objects)
        near[(workload[0], namespace, workload[1])] = "same workload"
    publishers = _publishers(evidence, namespace, pod, workload)
    for publisher, upstream in publishers.items():
        # Nearer paths win: a pod's own workload is never upstream of it.
        near.setdefault(publisher, "upstream queue" if upstream.bound else "same virtual host")
    found = []
    for change in joined_changes(evidence):
        if change.time is None or not time - HORIZON <= change.time <= time + precision_seconds * SECOND:
            continue
        path = _path(change, near, namespace)
        itself = change.kind == "Pod" and change.name == pod and time - change.time < SECOND
        if path is not None and not itself:
            known = publishers.get((change.kind, change.namespace, change.name))
            via = known.reason if known and path in {"upstream queue", "same virtual host"} else None
            lag = max(time - change.time, 0) / SECOND
            found.append(Preceding(change=change, path=path, lag_seconds=lag, via=via))
    found.sort(key=lambda p: (PATHS.index(p.path), p.lag_seconds))
    return found[:limit]


def _publishers(
    evidence: Evidence, namespace: str | None, pod: str | None, workload: tuple[str, str] | None
) -> dict[Subject, Upstream]:
    """Who is upstream of the pod's workload, or of the workload."""
    consumers: set[Subject] = {(workload[0], namespace, workload[1])} if workload else set()
    consumers |= {subject_of(life) for life in lifetimes(evidence) if (life.namespace, life.pod) == (namespace, pod)}
    found: dict[Subject, Upstream] = {}
    for upstream in upstreams(evidence):
        if upstream.consumer in consumers:
            found.setdefault(upstream.publisher, upstream)
    return found


def _neighbourhood(namespace: str | None, name: str, objects: Objects) -> dict[Subject, str]:
    """Path to every object that a pod depends on."""
    near: dict[Subject, str] = {("Pod", namespace, name): "same pod"}
    pod = objects.get("Pod", namespace, name)
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


def _path(change: Change, near: dict[Subject, str], namespace: str | None) -> str | None:
    found = near.get((change.kind, change.namespace, change.name))
    if found is not None:
        return found
    if change.kind in ROLLED_OUT | {"ConfigMap", "Secret", "Service", "NetworkPolicy"}:
        return "same namespace" if change.namespace == namespace else None
    return None


#: Shown of one symptom.
SHOWN = 3


def telling_changes(evidence: Evidence, time: int, **subject: Any) -> list[Preceding]:
    """The few `preceding_changes` worth telling: on a path of their own, and neither a creation nor a restart."""
    found = preceding_changes(evidence, time, **subject)
    near = [p for p in found if p.path != "same namespace" and p.change.what not in {"created", "restart"}]
    return near[:SHOWN]


def before_restarts(evidence: Evidence, namespace: str | None, pod: str) -> list[Row]:
    """Rows of PRECEDING: what changed before each restart of a pod."""
    restarts = [
        c
        for c in joined_changes(evidence)
        if (c.what, c.kind, c.name) == ("restart", "Pod", pod)
        and namespace in (None, c.namespace)
        and c.time is not None
    ]
    return [
        {
            "symptom": f"restart: {restart.old}",
            "time": restart.time,
            "path": found.path,
            "via": found.via,
            "lag_seconds": found.lag_seconds,
            **{name: getattr(found.change, name) for name in ("kind", "namespace", "name", "what", "old", "new")},
            "by": found.change.by or found.change.manager,
        }
        for restart in restarts
        for found in telling_changes(evidence, restart.time or 0, namespace=restart.namespace, pod=pod)
    ]
