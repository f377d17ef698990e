"""image-drift: a workload runs, or asks for, another image than was last synced or than it asks for itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.applications import known_syncs
from incident_kit.correlate.changes.rollouts import current_images, template_of
from incident_kit.correlate.changes.sync import Sync
from incident_kit.correlate.changes.templates import images
from incident_kit.correlate.changes.writes import Write, writes_of
from incident_kit.correlate.field_managers import is_gitops
from incident_kit.correlate.objects import Objects, name_of, namespace_of, read_objects, tracked_by
from incident_kit.nested import Document, field, instant, listing, mapping
from incident_kit.rules.rule import Finding, Outcome, Rule, at
from incident_kit.tables.kubernetes import OBJECTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
#: A rollout that is older than this is not just under way (progressDeadlineSeconds is 600 by default).
_UNDER_WAY = 600 * SECOND


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    synced = _last_synced_images(known_syncs(evidence))
    seen_at = evidence.captured_at or evidence.window.end
    found = []
    for kind in _WORKLOADS:
        for workload in objects.of(kind):
            finding = _against_sync(workload, synced) or _against_pods(workload, objects, seen_at)
            if finding is not None:
                found.append(finding)
    return found


def _last_synced_images(syncs: list[Sync]) -> dict[tuple[str, str | None, str], tuple[set[str], Sync]]:
    """Images that the last real sync applied, by object; known only where operationState lists them."""
    found: dict[tuple[str, str | None, str], tuple[set[str], Sync]] = {}
    for sync in sorted(syncs, key=lambda s: s.order):
        if sync.dry_run is True:
            continue
        for result in sync.results:
            if result.status == "Synced" and result.images:
                key = (result.kind, result.namespace, result.name)
                found[key] = (set(result.images), sync)
    return found


def _against_sync(
    workload: Document, synced: dict[tuple[str, str | None, str], tuple[set[str], Sync]]
) -> Finding | None:
    kind, name = str(workload["kind"]), name_of(workload)
    applied = synced.get((kind, namespace_of(workload), name))
    # Of a sync's results, images are those of ordinary containers alone (gitops-engine's GetResourceImages).
    live = {str(c["image"]) for c in listing(template_of(workload), "spec", "containers") if c.get("image")}
    if applied is not None and live and not live <= applied[0]:
        strange, (wanted, sync) = sorted(live - applied[0]), applied
        later = [w for w in writes_of(workload) if w.touches("f:spec") and (w.time or 0) >= sync.order]
        writers = [f"{w.manager} wrote its specification at {at(w.time)}" for w in later if _by_hand(w)]
        return _finding(
            workload,
            f"{kind} {name} asks for {', '.join(strange)}, the last sync applied {', '.join(sorted(wanted))}",
            time=next((w.time for w in later if _by_hand(w)), None),
            evidence=[sync.sentence, *writers],
            confidence=0.95,
        )
    if applied is None and tracked_by(workload):
        return _written_by_hand(workload, live)
    return None


def _by_hand(write: Write) -> bool:
    """Whether something else than what brings objects from a repository wrote it."""
    return write.manager is not None and not is_gitops(write.manager)


def _written_by_hand(workload: Document, live: set[str]) -> Finding | None:
    """A person's tool owns the image field of an object that Argo CD tracks."""
    for write in reversed(writes_of(workload)):
        containers = field(write.fields, "f:spec", "f:template", "f:spec", "f:containers")
        owned = [c for c in (containers or {}).values() if isinstance(c, dict) and "f:image" in c]
        if not owned:
            continue
        if not _by_hand(write) or not str(write.manager).startswith("kubectl"):
            return None
        return _finding(
            workload,
            f"{workload['kind']} {name_of(workload)} asks for {', '.join(sorted(live))}, which {write.manager} wrote by hand",
            time=write.time,
            evidence=[
                f"managedFields: {write.manager} owns the image since {at(write.time)}",
                "Argo CD tracks the object",
            ],
            confidence=0.8,
        )
    return None


def _against_pods(workload: Document, objects: Objects, seen_at: int) -> Finding | None:
    """Ready pods that still run another image than the workload asks for, long after the rollout began."""
    if workload["kind"] != "Deployment":
        return None
    wanted = {n: i for n, i in current_images(workload).items() if i}
    progressing = next((c for c in listing(workload, "status", "conditions") if c.get("type") == "Progressing"), {})
    since = instant(progressing, "lastUpdateTime")
    failed = progressing.get("status") == "False"
    if not failed and (since is None or seen_at - since < _UNDER_WAY):
        return None
    other = []
    for pod in (p for holder in objects.owned_by(workload, "ReplicaSet") for p in objects.owned_by(holder, "Pod")):
        if mapping(pod, "metadata").get("deletionTimestamp"):
            continue
        running = {n: i for n, i in images({"spec": mapping(pod, "spec")}).items() if n in wanted}
        if field(pod, "status", "phase") == "Running" and any(i != wanted[n] for n, i in running.items()):
            other.append(f"{name_of(pod)} runs {', '.join(sorted({str(i) for i in running.values()}))}")
    if not other:
        return None
    return _finding(
        workload,
        f"Deployment {name_of(workload)} asks for {', '.join(sorted(set(wanted.values())))}, and pods still run another image",
        time=since,
        evidence=[
            *other,
            f"condition Progressing {progressing.get('status')} ({progressing.get('reason')}) since {at(since)}",
        ],
        confidence=0.9,
    )


def _finding(workload: Document, title: str, *, time: int | None, evidence: list[str], confidence: float) -> Finding:
    return RULE.finding(
        title,
        time=time,
        kind=str(workload["kind"]),
        namespace=namespace_of(workload),
        name=name_of(workload),
        evidence=evidence,
        confidence=confidence,
        next_step="Sync the Application, or bring the image into Git.",
    )


RULE = Rule(
    name="image-drift",
    question="Which workloads run another image than is desired?",
    severity="warning",
    needs=(OBJECTS,),
    refuted_by="An image updater or a mutating webhook that is meant to set the image.",
    judge=_judge,
)
