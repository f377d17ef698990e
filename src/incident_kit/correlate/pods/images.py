"""Images: what was written, what ran, when; per pod and per workload."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from incident_kit.correlate.pods.identity import lifetimes
from incident_kit.correlate.pods.instances import ContainerInstance, container_instances
from incident_kit.correlate.pods.lifetimes import Lifetime

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRun:
    """One image that one container of one pod ran: all its instances with that image together.

    Attributes:
        pod_uid: None for a pod known only from logs.
        container: None where only the pod's documents, or its owner's template, name the image.
        image: reference as written.
        image_digest: ``sha256:...`` as run, None where nobody knows.
        revision: of the pod's ReplicaSet, None where it has none.
        started_at: start of the first instance (ns), else when the pod was first seen; None where nobody knows.
        finished_at: end of the last one (ns), else when the pod was last seen; None while it runs.
        observed: False where image or times are inferred.
        source: what it is known from.
    """

    pod_uid: str | None
    container: str | None
    image: str
    image_digest: str | None
    revision: str | None
    started_at: int | None
    finished_at: int | None
    observed: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadImage:
    """One image that a pod of a workload ran.

    Attributes:
        namespace: None where only documents without namespace know the pod.
        workload_kind: kind of the top owner; ``Pod`` for a pod of its own.
        workload: name of the top owner.
        pod: name.
        run: the image and its times, those of the pod's life where the run's own are not known.
    """

    namespace: str | None
    workload_kind: str
    workload: str
    pod: str
    run: ImageRun


def repository(image: str) -> str:
    """An image reference without tag and digest: what its versions share. A registry's port stays."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def full_reference(image: str) -> str:
    """An image reference as registries understand it: ``nginx`` is ``docker.io/library/nginx:latest``.

    As the docker and containerd clients do: a first part without dot, colon or ``localhost`` is no registry.
    """
    name, at, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    if not (slash and ("." in first or ":" in first or first == "localhost")):
        first, rest = "docker.io", name
    if first in ("docker.io", "index.docker.io"):
        first, rest = "docker.io", rest if "/" in rest else f"library/{rest}"
    tagged = rest if at or ":" in rest.rpartition("/")[2] else f"{rest}:latest"
    return f"{first}/{tagged}{at}{digest}"


def image_runs(lives: Iterable[Lifetime], instances: Iterable[ContainerInstance]) -> list[ImageRun]:
    """Images of a pod's lives over time, each with where it is known from.

    Args:
        lives: the pod's lives.
        instances: its container instances.

    Returns:
        A run for each image of each container; a pod known only from logs has what its documents or its ReplicaSet tell.
    """
    found: dict[tuple[str | None, str, str, str | None], ImageRun] = {}
    known = {life.pod_uid: life for life in lives}
    for instance in sorted(instances, key=lambda one: (one.container, one.restart_count)):
        if instance.image is None:
            continue
        life = known.get(instance.pod_uid)
        key = (instance.pod_uid, instance.container, instance.image, instance.image_digest)
        run = found.get(key) or ImageRun(
            pod_uid=instance.pod_uid,
            container=instance.container,
            image=instance.image,
            image_digest=instance.image_digest,
            revision=life.value("revision") if life else None,
            started_at=instance.started_at,
            finished_at=None,
            observed=False,
            source=f"container {instance.source}",
        )
        found[key] = replace(run, finished_at=instance.finished_at, observed=run.observed or instance.observed)
    told = {run.pod_uid for run in found.values()}
    return [*found.values(), *(run for life in lives if life.pod_uid not in told for run in _from_facts(life))]


def _from_facts(life: Lifetime) -> list[ImageRun]:
    fact = life.facts.get("images")
    if fact is None:
        return []
    return [
        ImageRun(
            pod_uid=life.pod_uid,
            container=None,
            image=image,
            image_digest=None,
            revision=life.value("revision"),
            started_at=life.first_seen[0] if life.first_seen else None,
            finished_at=life.last_seen[0] if life.last_seen else None,
            observed=fact.observed,
            source=fact.source,
        )
        for image in fact.value
    ]


def workload_images(evidence: Evidence) -> list[WorkloadImage]:
    """Every run of an image by an app container or a sidecar of a workload.

    Pods known only from logs take part with what their documents or their ReplicaSet tell.
    """

    def build() -> list[WorkloadImage]:
        by_pod: dict[str | None, list[ContainerInstance]] = {}
        for instance in container_instances(evidence):
            by_pod.setdefault(instance.pod_uid, []).append(instance)
        return [
            WorkloadImage(
                namespace=life.namespace,
                workload_kind=life.value("workload_kind") or "Pod",
                workload=life.value("workload") or life.pod,
                pod=life.pod,
                run=_within(life, run),
            )
            for life in lifetimes(evidence)
            for run in image_runs([life], filter(_ran, by_pod.get(life.pod_uid, []) if life.pod_uid else []))
        ]

    return evidence.memo("workload_images", build)


def _within(life: Lifetime, run: ImageRun) -> ImageRun:
    """The run with the times of the pod's life where its own are not known."""
    return replace(
        run,
        started_at=run.started_at if run.started_at is not None else life.begin,
        finished_at=run.finished_at if run.finished_at is not None else life.end,
    )


def _ran(instance: ContainerInstance) -> bool:
    """Whether an instance is of an app container and ran at all: one that waits for its image has run nothing yet."""
    first = instance.started_at is None and not instance.restart_count
    waits_for_the_first_time = instance.state == "waiting" and first
    return instance.container_type in ("app", "sidecar") and not waits_for_the_first_time
