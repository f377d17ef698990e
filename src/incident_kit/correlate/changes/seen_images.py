"""Image changes that only running containers or the documents' image field show: no ReplicaSet, no sync tells of them.

The ReplicaSets of a deleted workload are gone, a StatefulSet's revisions are not always captured, and Elasticsearch may be
all that there is. An image of one repository that a workload's pods begin to name after another one is a change; when the
first pod named it, is when it was seen at the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.pods.images import repository
from incident_kit.correlate.pods.instances import container_instances
from incident_kit.correlate.pods.workloads import Workload, Workloads
from incident_kit.tables.logs import ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob")

#: time (ns), image, pod, what it is known from, whether a container's status says so.
Sighting = tuple[int, str, str, str, bool]


def seen_image_changes(evidence: Evidence, known: Iterable[Change]) -> list[Change]:
    """Image changes of workloads whose other evidence tells of none to that image.

    Args:
        evidence: an opened bundle.
        known: changes by ReplicaSets, ControllerRevisions and the like; what they tell is left out.

    Returns:
        One change for each image of a repository that a new pod named after another one. Pods are taken in the order in
        which they were first seen, so an image that comes back is a change again.
    """
    told = {(c.kind, c.namespace, c.name, image) for c in known for image in _images(c)}
    workload_of = Workloads(evidence)
    series: dict[tuple[Workload, str], list[Sighting]] = {}
    for namespace, sighting in (*_from_containers(evidence), *_from_documents(evidence)):
        workload = workload_of(namespace, sighting[2])
        if workload[0] in _KINDS:
            series.setdefault((workload, repository(sighting[1])), []).append(sighting)
    changes = []
    for (workload, _), sightings in sorted(series.items(), key=lambda item: str(item[0])):
        first: dict[tuple[str, str], Sighting] = {}
        for sighting in sorted(sightings):
            first.setdefault((sighting[1], sighting[2]), sighting)
        changes += [
            _change(workload, before, after)
            for before, after in pairwise(first.values())
            if before[1] != after[1] and (*workload, after[1]) not in told
        ]
    return changes


def _change(workload: Workload, before: Sighting, after: Sighting) -> Change:
    kind, namespace, name = workload
    time, image, pod, source, observed = after
    return Change(
        time=time,
        kind=kind,
        namespace=namespace,
        name=name,
        what="image",
        old=before[1],
        new=image,
        evidence=[f"{source} of {pod}: the first to name {image}", f"{before[3]} of {before[2]} named {before[1]}"],
        observed=observed,
        precision_seconds=1.0 if observed else 60.0,
    )


def _images(change: Change) -> list[str]:
    """Images that a change of a workload names; a creation names what was there first."""
    texts = [change.old, change.new, *change.evidence] if change.what != "restart" else []
    return [part.strip(",;") for text in texts if text for part in text.split() if ":" in part or "@" in part]


def _from_containers(evidence: Evidence) -> Iterator[tuple[str | None, Sighting]]:
    for instance in container_instances(evidence):
        if instance.image is not None and instance.started_at is not None and instance.observed:
            sighting = (instance.started_at, instance.image, instance.pod, "container status", True)
            yield instance.namespace, sighting


def _from_documents(evidence: Evidence) -> Iterator[tuple[str | None, Sighting]]:
    files = evidence.parquet(ELASTIC_DOCUMENTS)
    if not files:
        return
    import duckdb

    sql = """
        SELECT namespace, pod, image, epoch_ns(min(time))
        FROM read_parquet($files, hive_partitioning = false)
        WHERE pod IS NOT NULL AND image IS NOT NULL AND time IS NOT NULL
        GROUP BY ALL"""
    with duckdb.connect() as connection:
        found = connection.execute(sql, {"files": files}).fetchall()
    for namespace, pod, image, time in found:
        yield namespace, (int(time), str(image), str(pod), "documents", False)
