"""Images: what was written, what ran, when; per pod and per workload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.pods.identity import lifetimes
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.pods.restarts import instances

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def repository(image: str) -> str:
    """An image reference without tag and digest: what its versions share. A registry's port stays."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def image_rows(lives: Iterable[Lifetime], rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Images of a pod's lives over time, each with where it is known from.

    Args:
        lives: the pod's lives.
        rows: its container instances, as `instances` gives them.

    Returns:
        Dicts with pod_uid, container, image, image_digest, revision, from, to, observed, source; a pod known only
        from logs has what its documents or its ReplicaSet tell.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    known = {life.pod_uid: life for life in lives}
    for row in sorted(rows, key=lambda r: (r["container"], r["restart_count"])):
        if row["image"] is None:
            continue
        life = known.get(row["pod_uid"])
        key = (row["pod_uid"], row["container"], row["image"], row["image_digest"])
        entry = found.setdefault(
            key,
            {
                "pod_uid": row["pod_uid"],
                "container": row["container"],
                "image": row["image"],
                "image_digest": row["image_digest"],
                "revision": life.value("revision") if life else None,
                "from": row["started_at"],
                "to": row["finished_at"],
                "observed": bool(row["observed"]),
                "source": f"container {row['source']}",
            },
        )
        entry["to"] = row["finished_at"]
        entry["observed"] = entry["observed"] or bool(row["observed"])
    told = {row["pod_uid"] for row in found.values()}
    return [*found.values(), *(row for life in lives if life.pod_uid not in told for row in _from_facts(life))]


def _from_facts(life: Lifetime) -> list[dict[str, Any]]:
    fact = life.facts.get("images")
    if fact is None:
        return []
    return [
        {
            "pod_uid": life.pod_uid,
            "container": None,
            "image": image,
            "image_digest": None,
            "revision": life.value("revision"),
            "from": life.first_seen[0] if life.first_seen else None,
            "to": life.last_seen[0] if life.last_seen else None,
            "observed": fact.observed,
            "source": fact.source,
        }
        for image in fact.value
    ]


def workload_images(evidence: Evidence) -> list[dict[str, Any]]:
    """Every run of an image by a workload: one dict per container instance that has one.

    Returns:
        Dicts with namespace, workload_kind, workload, pod, container, image, image_digest, from, to, observed,
        source. Pods known only from logs take part with what their documents or their ReplicaSet tell.
    """

    def build() -> list[dict[str, Any]]:
        by_pod: dict[Any, list[dict[str, Any]]] = {}
        for row in instances(evidence):
            by_pod.setdefault(row["pod_uid"], []).append(row)
        found = []
        for life in lifetimes(evidence):
            rows = by_pod.get(life.pod_uid, []) if life.pod_uid else []
            for image in image_rows([life], [row for row in rows if _ran(row)]):
                begin = image["from"] if image["from"] is not None else life.begin
                found.append(
                    {
                        "namespace": life.namespace,
                        "workload_kind": life.value("workload_kind") or "Pod",
                        "workload": life.value("workload") or life.pod,
                        "pod": life.pod,
                        **image,
                        "from": begin,
                        "to": image["to"] if image["to"] is not None else life.end,
                    }
                )
        return found

    return evidence.memo("workload_images", build)


def _ran(row: dict[str, Any]) -> bool:
    """Whether an instance is of an app container and ran at all: one that waits for its image has run nothing yet."""
    waits_for_the_first_time = row["state"] == "waiting" and row["started_at"] is None and not row["restart_count"]
    return row["container_type"] in ("app", "sidecar") and not waits_for_the_first_time
