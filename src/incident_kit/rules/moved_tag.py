"""moved-tag: did one image reference stand for different bytes?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.objects import read_objects
from incident_kit.correlate.pods.images import workload_images
from incident_kit.nested import listing
from incident_kit.normalise.kubernetes.instances import digest_of
from incident_kit.rules.rule import Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    by_image: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    local = _local_digests(evidence)
    for row in workload_images(evidence):
        if row["image_digest"] is not None and "@sha256:" not in row["image"]:
            by_image.setdefault((row["image"], row["image_digest"] in local), []).append(row)
    for (image, _), rows in by_image.items():
        if len({row["image_digest"] for row in rows}) < 2:
            continue
        for workload in _subjects(rows):
            yield _finding(image, workload, rows)


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


def _subjects(rows: list[dict[str, Any]]) -> list[tuple[Any, Any, Any]]:
    """Workloads that ran several digests themselves; else those that run the newest one."""
    digests: dict[tuple[Any, Any, Any], set[str]] = {}
    for row in rows:
        digests.setdefault(_workload(row), set()).add(row["image_digest"])
    several = [workload for workload, found in digests.items() if len(found) > 1]
    if several:
        return several
    newest = max(rows, key=lambda row: row["from"] or 0)["image_digest"]
    return [workload for workload, found in digests.items() if newest in found]


def _workload(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    return row["workload_kind"], row["namespace"], row["workload"]


def _finding(image: str, workload: tuple[Any, Any, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    kind, namespace, name = workload
    ordered = sorted(rows, key=lambda row: row["from"] or 0)
    first = ordered[0]["image_digest"]
    moved = next((row for row in ordered if row["image_digest"] != first), ordered[-1])
    seen: dict[str, str] = {}
    for row in ordered:
        seen.setdefault(
            row["image_digest"], f"{row['image_digest']} ran in {row['namespace']}/{row['pod']} from {at(row['from'])}"
        )
    return RULE.finding(
        f"{image} stands for {len(seen)} different images in {name}",
        time=moved["from"],
        kind=kind,
        namespace=namespace,
        name=name,
        evidence=list(seen.values()),
        confidence=1.0 if all(row["observed"] for row in rows) else 0.8,
        next_step="Deploy by digest, or never push a tag twice; ask the registry when the tag was pushed.",
    )


RULE = Rule(
    name="moved-tag",
    question="Did one image reference stand for different bytes?",
    severity="warning",
    refuted_by="The digests are those of one multi-platform image on nodes of different platforms.",
    judge=_judge,
    needs=(CONTAINERS,),
)
