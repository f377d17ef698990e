"""moved-tag: did one image reference stand for different bytes?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from incident_kit.correlate.objects import read_objects
from incident_kit.correlate.pods.identity import lifetimes
from incident_kit.correlate.pods.images import WorkloadImage, full_reference, workload_images
from incident_kit.nested import listing, mapping, text
from incident_kit.normalise.kubernetes.instances import digest_of
from incident_kit.rules.rule import Finding, Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Kind, namespace and name of a workload.
Subject = tuple[str, str | None, str]


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    by_image: dict[tuple[str, bool, str | None], list[WorkloadImage]] = {}
    local, platforms = _local_digests(evidence), _platforms(evidence)
    for ran in workload_images(evidence):
        if ran.run.image_digest is not None and "@sha256:" not in ran.run.image:
            platform = platforms.get(ran.run.pod_uid or "")
            key = full_reference(ran.run.image), ran.run.image_digest in local, platform
            by_image.setdefault(key, []).append(ran)
    for runs in by_image.values():
        if len({ran.run.image_digest for ran in runs}) < 2:
            continue
        for workload in _subjects(runs):
            yield _finding(runs[0].run.image, workload, runs)


def _start(ran: WorkloadImage) -> int:
    return ran.run.started_at or 0


def _platforms(evidence: Evidence) -> dict[str, str]:
    """The platform of each pod's node, where nodes of several platforms run; by uid of the pod.

    A reference to a multi-platform image has a digest of its own on each: some runtimes (CRI-O) report that one.
    """
    of_node = {
        text(node, "metadata", "name"): f"{text(told, 'operatingSystem')}/{text(told, 'architecture')}"
        for node in read_objects(evidence).of("Node")
        if text(told := mapping(node, "status", "nodeInfo"), "architecture")
    }
    if len(set(of_node.values())) < 2:
        return {}
    return {
        life.pod_uid: of_node[life.value("node")]
        for life in lifetimes(evidence)
        if life.pod_uid and life.value("node") in of_node
    }


def _local_digests(evidence: Evidence) -> set[str]:
    """Digests without a repository: of the image's configuration on its node, never equal to those of a registry."""
    statuses = [
        status
        for pod in read_objects(evidence).of("Pod")
        for group in ("containerStatuses", "initContainerStatuses")
        for status in listing(pod, "status", group)
    ]
    ids = [str(status["imageID"]) for status in statuses if status.get("imageID")]
    return {found for image_id in ids if "@" not in image_id and (found := digest_of(image_id))}


def _subjects(runs: list[WorkloadImage]) -> list[Subject]:
    """Workloads that ran several digests themselves; else those that run the newest one."""
    digests: dict[Subject, set[str | None]] = {}
    for ran in runs:
        subject = (ran.workload_kind, ran.namespace, ran.workload)
        digests.setdefault(subject, set()).add(ran.run.image_digest)
    several = [workload for workload, found in digests.items() if len(found) > 1]
    if several:
        return several
    newest = max(runs, key=_start).run.image_digest
    return [workload for workload, found in digests.items() if newest in found]


def _finding(image: str, workload: Subject, runs: list[WorkloadImage]) -> Finding:
    kind, namespace, name = workload
    ordered = sorted(runs, key=_start)
    first = ordered[0].run.image_digest
    moved = next((ran for ran in ordered if ran.run.image_digest != first), ordered[-1])
    seen: dict[str | None, str] = {}
    for ran in ordered:
        digest = ran.run.image_digest
        seen.setdefault(digest, f"{digest} ran in {ran.namespace}/{ran.pod} from {at(ran.run.started_at)}")
    return RULE.finding(
        f"{image} stands for {len(seen)} different images in {name}",
        time=moved.run.started_at,
        kind=kind,
        namespace=namespace,
        name=name,
        evidence=list(seen.values()),
        confidence=1.0 if all(ran.run.observed for ran in runs) else 0.8,
        next_step="Deploy by digest, or never push a tag twice; ask the registry when the tag was pushed.",
    )


RULE = Rule(
    name="moved-tag",
    question="Did one image reference stand for different bytes?",
    severity="warning",
    refuted_by="The digests are those of one multi-platform image, on nodes whose platform the evidence does not tell.",
    judge=_judge,
    needs=(CONTAINERS,),
)
