"""What happened to pods and nodes: container restarts, evictions, node conditions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.frames import rows
from incident_kit.correlate.objects import Objects, name_of, namespace_of
from incident_kit.correlate.pods.instances import ContainerInstance
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.nested import field, instant, listing
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

#: Node conditions whose good value is True; every other condition is good when False.
_GOOD_WHEN_TRUE = frozenset({"Ready"})
#: A pod ends within its grace period (30 s by default) of being scaled away.
_SCALING = 60 * SECOND


def restart_changes(instances: Iterable[ContainerInstance]) -> list[Change]:
    """Instances that followed another one in the same pod."""
    known = {(one.pod_uid, one.container, one.restart_count): one for one in instances}
    changes = []
    for (uid, container, count), instance in known.items():
        if not count or instance.started_at is None:
            continue
        before = known.get((uid, container, count - 1))
        ended = before.reason if before is not None and before.reason else "ended"
        code = before.exit_code if before is not None else None
        changes.append(
            Change(
                time=instance.started_at,
                kind="Pod",
                namespace=instance.namespace,
                name=instance.pod,
                what="restart",
                old=f"{container}: {ended}" + (f", exit code {code}" if code is not None else ""),
                new=f"{container}: instance {count}",
                by="kubelet",
                automated=True,
                evidence=[f"instance {count}, from {instance.source or 'the container status'}"],
                observed=instance.source != "event Started",
            )
        )
    return changes


def eviction_changes(objects: Objects, events: pd.DataFrame) -> list[Change]:
    """Pods that were evicted or preempted, or removed with their node, by status or event."""
    found: dict[tuple[str | None, str], Change] = {}
    for pod in objects.of("Pod"):
        disruption = next(
            (c for c in listing(pod, "status", "conditions") if c.get("type") == "DisruptionTarget"), None
        )
        reason = field(pod, "status", "reason")
        if reason != "Evicted" and not (disruption and disruption.get("status") == "True"):
            continue
        why = str(field(pod, "status", "message") or (disruption or {}).get("message") or reason)
        when = instant(disruption, "lastTransitionTime") if disruption else None
        found[(namespace_of(pod), name_of(pod))] = _eviction(when, namespace_of(pod), name_of(pod), why, "pod status")
    for event in rows(events[events["reason"].isin(["Evicted", "TaintManagerEviction", "Preempted"])]):
        if event["kind"] != "Pod":
            continue
        key = (event["namespace"], event["name"])
        change = found.setdefault(key, _eviction(None, *key, event["message"], "event"))
        change.time = change.time if change.time is not None else event["last_at"]
        change.evidence.append(f"event {event['reason']}: {event['message']}")
    return list(found.values())


def _eviction(time: int | None, namespace: str | None, pod: str, why: str | None, source: str) -> Change:
    return Change(
        time=time,
        kind="Pod",
        namespace=namespace,
        name=pod,
        what="eviction",
        new=why,
        automated=True,
        evidence=[source],
    )


def deletion_changes(lives: Iterable[Lifetime], objects: Objects, others: list[Change]) -> list[Change]:
    """Pods that were deleted while their ReplicaSet goes on with as many pods: by hand, by a drain, or with their node."""
    evicted = {(c.namespace, c.name) for c in others if c.what == "eviction"}
    scaled = [
        (c.namespace, c.name, c.time)
        for c in others
        if c.time is not None
        and (c.what == "scale" or (c.kind in {"Deployment", "ReplicaSet", "Rollout"} and c.what != "created"))
    ]
    changes = []
    for life in lives:
        ended, holder = life.value("deleted_at"), life.value("owner_name")
        replica_set = objects.get("ReplicaSet", life.namespace, str(holder)) if ended is not None and holder else None
        if replica_set is None or not field(replica_set, "spec", "replicas") or (life.namespace, life.pod) in evicted:
            continue  # of a ReplicaSet that was scaled to nothing, a rollout deleted them
        workload = life.value("workload")
        if any((n, name) == (life.namespace, workload) and abs(ended - time) < _SCALING for n, name, time in scaled):
            continue
        fact = life.facts["deleted_at"]
        changes.append(
            Change(
                time=int(ended),
                kind="Pod",
                namespace=life.namespace,
                name=life.pod,
                what="deleted",
                old=f"alive on {life.value('node') or 'an unknown node'}",
                evidence=[fact.source, f"ReplicaSet {holder} goes on"],
                observed=fact.observed,
                precision_seconds=30.0,
            )
        )
    return changes


def node_changes(objects: Objects) -> list[Change]:
    """The last transition of every node condition, and cordons."""
    changes: list[Change] = []
    for node in objects.of("Node"):
        for condition in listing(node, "status", "conditions"):
            changed_at = instant(condition, "lastTransitionTime")
            made = instant(node, "metadata", "creationTimestamp")
            kind, status = str(condition.get("type")), str(condition.get("status"))
            good = (status == "True") == (kind in _GOOD_WHEN_TRUE)
            if changed_at is None or (good and made is not None and changed_at <= made + 120 * 10**9):
                continue  # a node that became ready when it was made is no change
            changes.append(
                Change(
                    time=changed_at,
                    kind="Node",
                    namespace=None,
                    name=name_of(node),
                    what="node_condition",
                    new=f"{kind}={status} ({condition.get('reason')})",
                    automated=True,
                    evidence=[f"status.conditions: {condition.get('message')}"],
                )
            )
        changes += _cordons(node)
    return changes


def node_event_changes(events: pd.DataFrame) -> list[Change]:
    """What befell a node and leaves no trace in its conditions: it was restarted, or the kernel ran out of memory."""
    return [
        Change(
            time=event["last_at"],
            kind="Node",
            namespace=None,
            name=str(event["name"]),
            what="node_condition",
            new=f"{event['reason']}: {event['message']}",
            automated=True,
            evidence=[f"event {event['reason']}"],
        )
        for event in rows(events[(events["kind"] == "Node") & events["reason"].isin(["Rebooted", "SystemOOM"])])
    ]


def _cordons(node: dict[str, Any]) -> list[Change]:
    return [
        Change(
            time=instant(taint, "timeAdded"),
            kind="Node",
            namespace=None,
            name=name_of(node),
            what="taint",
            new=f"{taint.get('key')}:{taint.get('effect')}",
            evidence=["spec.taints"],
        )
        for taint in listing(node, "spec", "taints")
        if taint.get("timeAdded")
    ]


def annotations_of(event: dict[str, Any]) -> dict[str, Any]:
    """Annotations of an EVENTS row."""
    try:
        found = json.loads(event.get("annotations") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
