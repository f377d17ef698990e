"""Container instances from ``state`` and ``lastState``: what the status remembers, and what is only a count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from incident_kit.nested import Document, instant, listing, mapping, text, whole

#: Rows for restarts that are known only by count are made for the latest ones, up to this many.
MAX_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Declared:
    """What the spec says of a container."""

    container_type: str
    image: str | None
    pull_policy: str | None


def instance_rows(pod: Document) -> Iterator[dict[str, Any]]:
    """CONTAINERS rows of one pod, without the columns that identify the pod."""
    spec, status = mapping(pod, "spec"), mapping(pod, "status")
    declared = _declared(spec)
    seen: set[str] = set()
    for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for container in listing(status, field):
            name = text(container, "name")
            if name is None or name in seen:
                continue
            seen.add(name)
            for row in _instances(container, declared.get(name, Declared("app", None, None))):
                yield {"container": name, **row}
    for name, known in declared.items():
        if name not in seen:
            # Never reported by a kubelet: pending, evicted at admission, or the node was lost.
            yield {
                "container": name,
                "container_type": known.container_type,
                "restart_count": 0,
                "image": known.image,
                "state": "waiting",
                "observed": True,
                "source": "spec",
            }


def _declared(spec: Document) -> dict[str, Declared]:
    found: dict[str, Declared] = {}
    for field, kind in (
        ("initContainers", "init"),
        ("containers", "app"),
        ("ephemeralContainers", "ephemeral"),
    ):
        for container in listing(spec, field):
            name = text(container, "name")
            if name is None:
                continue
            sidecar = kind == "init" and container.get("restartPolicy") == "Always"
            policy = text(container, "imagePullPolicy")
            found[name] = Declared("sidecar" if sidecar else kind, text(container, "image"), policy)
    return found


def _instances(container: Document, declared: Declared) -> Iterator[dict[str, Any]]:
    count = whole(container, "restartCount") or 0
    state, last = mapping(container, "state"), mapping(container, "lastState", "terminated")
    current = _current(container, state, declared, count)
    rows: list[dict[str, Any]] = []
    last_number = _number_of_last(container, state, last, count)
    if last:
        rows.append(_last(last, declared, current, last_number))
    if not last or last_number != count:
        rows.append(current)
    else:
        # The status carries the last instance's id and image until the next one is made.
        rows[-1].update(
            waiting_reason=text(state, "waiting", "reason"),
            waiting_message=text(state, "waiting", "message"),
            image_digest=current["image_digest"],
            image=current["image"],
            observed=True,
        )
    known = {row["restart_count"] for row in rows}
    for number in range(max(0, count - MAX_COUNTED), count):
        if number not in known:
            rows.append(
                {
                    "restart_count": number,
                    "image": declared.image,
                    "observed": False,
                    "source": "restartCount",
                }
            )
    for row in sorted(rows, key=lambda row: int(row["restart_count"])):
        yield {"container_type": declared.container_type, **row}


def _number_of_last(container: Document, state: Document, last: Document, count: int) -> int:
    """Which instance ``lastState`` tells of.

    The kubelet moves ``state`` to ``lastState`` when it reports why no next instance runs; restartCount then still
    counts that ended instance. A lost container (ContainerStatusUnknown) has been counted already.
    """
    if text(last, "containerID") is not None and last.get("containerID") == container.get("containerID"):
        return count
    if isinstance(state.get("waiting"), dict) and text(last, "reason") != "ContainerStatusUnknown":
        return count
    return max(0, count - 1)


def _current(container: Document, state: Document, declared: Declared, count: int) -> dict[str, Any]:
    kind = next((name for name in ("terminated", "running", "waiting") if isinstance(state.get(name), dict)), None)
    detail = mapping(state, kind) if kind else {}
    row: dict[str, Any] = {
        "restart_count": count,
        "container_id": _without_scheme(text(container, "containerID")),
        "image": declared.image or text(container, "image"),
        "image_digest": digest_of(text(container, "imageID")),
        "state": kind or "waiting",
        "started_at": instant(detail, "startedAt"),
        "finished_at": instant(detail, "finishedAt"),
        "reason": text(detail, "reason"),
        "exit_code": whole(detail, "exitCode"),
        "signal": whole(detail, "signal"),
        "message": text(detail, "message"),
        "observed": True,
        "source": "state",
    }
    if kind == "waiting":
        row.update(waiting_reason=row["reason"], waiting_message=row["message"])
    return row


def _last(last: Document, declared: Declared, current: dict[str, Any], number: int) -> dict[str, Any]:
    pinned = declared.image is not None and "@sha256:" in declared.image
    # Always pulls again, so a moved tag may have given the earlier instance other bytes: then nobody knows.
    same_bytes = pinned or declared.pull_policy in ("IfNotPresent", "Never")
    return {
        "restart_count": number,
        "container_id": _without_scheme(text(last, "containerID")),
        "image": current["image"],
        "image_digest": current["image_digest"] if same_bytes else None,
        "state": "terminated",
        "started_at": instant(last, "startedAt"),
        "finished_at": instant(last, "finishedAt"),
        "reason": text(last, "reason"),
        "exit_code": whole(last, "exitCode"),
        "signal": whole(last, "signal"),
        "message": text(last, "message"),
        "observed": False,  # times and reason are; the image is inferred from the spec
        "source": "lastState",
    }


def digest_of(image_id: str | None) -> str | None:
    """``sha256:...`` of an imageID such as ``registry/name@sha256:...`` or ``docker-pullable://...``."""
    if image_id is None:
        return None
    tail = image_id.rpartition("@")[2].rpartition("://")[2]
    return tail if ":" in tail else None


def _without_scheme(container_id: str | None) -> str | None:
    return container_id.rpartition("://")[2] or None if container_id else None
