"""stale-config: a container runs with values that its ConfigMap or Secret no longer has.

Sources: environment variables never change in a running process and subPath mounts are never updated
(https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically); mounted
volumes are, and then it depends on the application. Argo CD says Synced either way (argoproj/argo-cd#13642).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.configuration.state import (
    DataChange,
    checksum_covers,
    describe,
    prepared_since,
    readings_of,
    reloader_watches,
    running_since,
)
from incident_kit.correlate.objects import Objects, name_of, namespace_of, read_objects
from incident_kit.nested import Document, mapping
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at
from incident_kit.tables.kubernetes import OBJECTS, PODS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: A volume's change reaches the files, and an init container may have prepared something from the old values: whether
#: the application reads its files again, or runs with what was prepared, nobody here knows.
_PERHAPS_CONFIDENCE = 0.3
#: Only some keys are read, and the write may have been to another: managedFields don't tell which of a manager's keys.
_ONE_KEY_CONFIDENCE = 0.8
#: A container cannot start without what it must read, so one that is older than that knew another object of the name.
_ANEW_CONFIDENCE = 0.7
#: Clocks of nodes and of the API server differ by less.
_CLOCKS = 60 * SECOND
#: Reloader needs some seconds, a rolling update some more.
_RELOADER_PATIENCE = 300 * SECOND


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    if not objects.kinds & {"ConfigMap", "Secret"}:
        return [
            DidNotApply(because="no ConfigMap and no Secret was captured", remedy="Capture configmaps and secrets.")
        ]
    if not any(readings_of_writes(objects)):
        because = "no captured ConfigMap or Secret has managedFields, and events do not tell when they were written"
        return [DidNotApply(because=because, remedy="kubectl get configmaps -A -o json --show-managed-fields")]
    seen_at = evidence.captured_at or evidence.window.end
    return [f for pod in objects.of("Pod") for f in _pod_findings(pod, objects, seen_at)]


def readings_of_writes(objects: Objects) -> Iterable[bool]:
    """Whether each ConfigMap and Secret remembers its writes."""
    for kind in ("ConfigMap", "Secret"):
        for document in objects.of(kind):
            yield bool(document.get("metadata", {}).get("managedFields"))


def _pod_findings(pod: Document, objects: Objects, seen_at: int) -> list[Finding]:
    running, prepared = running_since(pod), prepared_since(pod)
    since = prepared | running
    missed = [
        change
        for change in readings_of(pod, objects)
        if since.get(change.reading.container, change.time) < change.time
        and (
            not change.created
            or change.reading.optional
            or not change.reading.fixed
            or _made_anew(change, since[change.reading.container])
        )
    ]
    missed = [c for c in missed if not checksum_covers(pod, c, objects)]
    fixed = [c for c in missed if c.reading.fixed and c.reading.container in running]
    if fixed:
        return [_finding(pod, fixed, since, objects, seen_at)]
    return [_perhaps_finding(pod, missed, since, prepared)] if missed else []


def _finding(pod: Document, missed: list[DataChange], since: dict[str, int], objects: Objects, seen_at: int) -> Finding:
    last = max(missed, key=lambda c: c.time)
    names = ", ".join(dict.fromkeys(f"{c.reading.kind} {name_of(c.config)}" for c in missed))
    confidence = max(_confidence(c) for c in missed)
    evidence = [line for c in missed for line in _evidence(c, since)]
    if all(reloader_watches(pod, c.reading, objects) for c in missed):
        evidence.append("Reloader is asked to restart this workload for it, and has not")
        if seen_at - last.time < _RELOADER_PATIENCE:
            confidence = 0.4
    return RULE.finding(
        f"{name_of(pod)} still runs with what {names} held before {at(last.time)}; the change takes effect at the next "
        "restart",
        time=last.time,
        kind="Pod",
        namespace=namespace_of(pod),
        name=name_of(pod),
        evidence=evidence,
        confidence=confidence,
        next_step="Restart the workload when the new values are wanted, or take the change back before a pod restarts by itself.",
    )


def _made_anew(change: DataChange, started: int) -> bool:
    """Whether the object was deleted and made again while a container ran that could not have started without it."""
    return change.created and not change.reading.optional and change.time - started > _CLOCKS


def _confidence(change: DataChange) -> float:
    if change.created and not change.reading.optional:
        return _ANEW_CONFIDENCE
    sure = _ONE_KEY_CONFIDENCE if _other_keys(change) else 0.95
    return sure * 0.8 if change.inferred else sure


def _perhaps_finding(
    pod: Document, missed: list[DataChange], since: dict[str, int], prepared: dict[str, int]
) -> Finding:
    last = max(missed, key=lambda c: c.time)
    doubt = "whether it reads its files again depends on the application"
    if last.reading.container in prepared:
        doubt = f"init container {last.reading.container} read it; whether the pod runs with what that prepared depends on the application"
    return RULE.finding(
        f"{name_of(pod)} started before the last change of {last.reading.kind} {name_of(last.config)}, which it reads by "
        f"{last.reading.way}: {doubt}",
        time=last.time,
        kind="Pod",
        namespace=namespace_of(pod),
        name=name_of(pod),
        evidence=[line for c in missed for line in _evidence(c, since)],
        confidence=_PERHAPS_CONFIDENCE,
        severity="info",
        next_step="Look whether the application watches its files, or what the init container does.",
    )


def _other_keys(change: DataChange) -> set[str]:
    """Keys that the reading leaves out: the write may have been to one of them alone."""
    if not change.reading.keys:
        return set()
    return {key for part in ("data", "binaryData") for key in mapping(change.config, part)} - set(change.reading.keys)


def _evidence(change: DataChange, since: dict[str, int]) -> list[str]:
    others = _other_keys(change)
    anew = _made_anew(change, since.get(change.reading.container, change.time))
    return [
        *(["it was made anew then: the container could not have started without one of that name"] if anew else []),
        *([f"the write may have been to other keys alone: {', '.join(sorted(others)[:5])}"] if others else []),
        describe(change),
        f"its data were last written at {at(change.time)} by {change.manager}",
        f"the last instance of {change.reading.container} started at {at(since.get(change.reading.container))}",
    ]


RULE = Rule(
    name="stale-config",
    question="Which pods run with values that their ConfigMaps or Secrets no longer have?",
    severity="warning",
    needs=(OBJECTS, PODS),
    refuted_by="The write did not change the data that are read (compare an earlier bundle), or the application reads its "
    "configuration from elsewhere.",
    judge=_judge,
)
