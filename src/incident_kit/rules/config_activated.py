"""config-activated: a restart took up a change of configuration that was made earlier.

The change was synced long before and nothing happened; it took effect when the container started again by itself
(argoproj/argo-helm#3118), or by a Deploy Restart for another reason. So the time of the effect is the start, not the sync.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.rollouts import revisions
from incident_kit.correlate.changes.templates import compare_templates
from incident_kit.correlate.configuration.state import DataChange, describe, readings_of
from incident_kit.correlate.objects import (
    Objects,
    controller,
    created_at,
    labels_of,
    name_of,
    namespace_of,
    read_objects,
)
from incident_kit.correlate.pods.instances import container_instances
from incident_kit.nested import Document, mapping
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS, OBJECTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: A pod's first instance has started by then, as a rule.
_STARTS_WITHIN = 300 * SECOND
#: A rollout this soon after the change delivers it; later it takes it up by the way.
_DELIVERED_TOGETHER = 300 * SECOND

#: When each instance started (ns), by pod uid and container and then by restart count.
Starts = dict[tuple[str | None, str], dict[int, int | None]]


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    if not objects.kinds & {"ConfigMap", "Secret"}:
        return [
            DidNotApply(because="no ConfigMap and no Secret was captured", remedy="Capture configmaps and secrets.")
        ]
    started: Starts = {}
    for instance in container_instances(evidence):
        starts = started.setdefault((instance.pod_uid, instance.container), {})
        starts[instance.restart_count] = instance.started_at
    found = []
    for pod in objects.of("Pod"):
        finding = _of_pod(pod, started, objects, evidence)
        if finding is not None:
            found.append(finding)
    return found


def _of_pod(pod: Document, started: Starts, objects: Objects, evidence: Evidence) -> Finding | None:
    uid = str(mapping(pod, "metadata").get("uid"))
    for change in readings_of(pod, objects):
        if change.created or not change.reading.fixed or change.time >= evidence.window.end:
            continue
        known = started.get((uid, change.reading.container), {})
        restarted = _restarted_over(change, known, pod)
        if restarted is not None:
            return _finding(pod, change, restarted, 0.95, "the container restarted in the same pod")
        at_last = _restarted_unseen(change, known, pod)
        if at_last is not None:
            how = "the container restarted in the same pod, and the instances before are not remembered: this one, or one of them"
            return _finding(pod, change, at_last, 0.75, how)
        replaced = _replaced_over(change, known, pod, objects)
        if replaced is not None and replaced in evidence.window:
            return _finding(pod, change, replaced, 0.75, "the pod replaces another of the same template")
        by_restart = _deploy_restarted_over(change, pod, objects)
        if by_restart is not None and by_restart in evidence.window:
            return _finding(
                pod, change, by_restart, 0.7, "a Deploy Restart, which changed nothing else, replaced the pods"
            )
    return None


def _restarted_over(change: DataChange, known: dict[int, int | None], pod: Document) -> int | None:
    """Start of the first instance after the change, when an earlier one in the same pod started before it."""
    starts = sorted((count, start) for count, start in known.items() if start is not None)
    after = [(count, start) for count, start in starts if count > 0 and start > change.time]
    if not after:
        return None
    count, start = after[0]
    previous = known.get(count - 1)
    if previous is None and count > 0:
        # The first instance started when the pod did; what lies between is not remembered.
        previous = created_at(pod) if count == 1 else None
    return start if previous is not None and previous < change.time else None


def _restarted_unseen(change: DataChange, known: dict[int, int | None], pod: Document) -> int | None:
    """Start of the first known instance, where it came after the change and the pod before it: a crash loop forgets."""
    born = created_at(pod)
    starts = sorted((count, start) for count, start in known.items() if start is not None)
    if born is None or not starts or starts[0][0] == 0 or born >= change.time - _STARTS_WITHIN:
        return None
    return starts[0][1] if starts[0][1] > change.time else None


def _replaced_over(change: DataChange, known: dict[int, int | None], pod: Document, objects: Objects) -> int | None:
    """Start of a new pod whose template is older than the change: an eviction, a deletion, or scaling up."""
    holder = _template_holder(pod, objects)
    rolled_out, born = created_at(holder) if holder else None, created_at(pod)
    if rolled_out is None or born is None or not rolled_out < change.time < born:
        return None
    if born - change.time < _DELIVERED_TOGETHER and may_have_come_back(holder):
        return None
    start = known.get(0)
    return start if start is not None else born


def _deploy_restarted_over(change: DataChange, pod: Document, objects: Objects) -> int | None:
    """Start of a pod that the first rollout after the change made, where that was a Deploy Restart well after it."""
    owner = controller(pod, "ReplicaSet")
    holder = objects.get("ReplicaSet", namespace_of(pod), str(owner["name"])) if owner else None
    deployment = controller(holder, "Deployment") if holder else None
    if holder is None or deployment is None:
        return None
    series = revisions("Deployment", namespace_of(pod), str(deployment["name"]), objects)
    for before, after in pairwise(series):
        if before.since is None or after.since is None or not before.since < change.time < after.since:
            continue
        late = after.since - change.time >= _DELIVERED_TOGETHER
        restart = compare_templates(before.template, after.template).what == "deploy_restart"
        return created_at(pod) if late and restart and after.holder == name_of(holder) else None
    return None


def _template_holder(pod: Document, objects: Objects) -> Document | None:
    """What remembers the template that a pod was made from: its ReplicaSet, or the ControllerRevision its label names."""
    owner = controller(pod)
    if owner is None:
        return None
    kind, name = str(owner.get("kind")), str(owner.get("name"))
    if kind == "ReplicaSet":
        return objects.get(kind, namespace_of(pod), name)
    named = labels_of(pod).get("controller-revision-hash", "")
    # A StatefulSet's label is the ControllerRevision's whole name, a DaemonSet's the hash at its end.
    found = (objects.get("ControllerRevision", namespace_of(pod), n) for n in (named, f"{name}-{named}"))
    return next((holder for holder in found if holder is not None), None)


def may_have_come_back(holder: Document | None) -> bool:
    """Whether the template may have come back into use: then its creation time says nothing about the rollout.

    A ReplicaSet tells; a ControllerRevision that is used again gets a higher number and no more.
    """
    if holder is not None and holder.get("kind") == "ControllerRevision":
        return True
    return "deployment.kubernetes.io/revision-history" in mapping(holder, "metadata", "annotations")


def _finding(pod: Document, change: DataChange, start: int, confidence: float, how: str) -> Finding:
    config = f"{change.reading.kind} {name_of(change.config)}"
    if change.reading.keys or change.inferred:
        confidence = min(confidence, 0.75)
    return RULE.finding(
        f"{name_of(pod)} took up the change of {config} from {at(change.time)} only when it started at {at(start)}",
        time=start,
        kind="Pod",
        namespace=namespace_of(pod),
        name=name_of(pod),
        evidence=[
            describe(change),
            f"the data of {config} were last written at {at(change.time)} by {change.manager}",
            f"{how}: the instance started at {at(start)}",
        ],
        confidence=confidence,
        next_step="Compare what the service did before and after this start; look who changed the configuration, and why.",
    )


RULE = Rule(
    name="config-activated",
    question="Which restarts took up a change of configuration that was made earlier?",
    severity="info",
    needs=(OBJECTS, CONTAINERS),
    refuted_by="The write did not change the data that are read, or an instance in between had taken them up already.",
    judge=_judge,
)
