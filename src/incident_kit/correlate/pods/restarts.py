"""Container instances that ended, with why: also those known only by count, and pods that failed as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.correlate.frames import rows
from incident_kit.correlate.pods.exits import meaning, signal_of
from incident_kit.correlate.pods.instances import ContainerInstance, container_instances
from incident_kit.tables import Row
from incident_kit.tables.kubernetes import PODS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_UNTOLD = {
    "restartCount": "known only by the restart count",
    "event Killing": "the kubelet stopped it with its pod; how it ended is not known",
    "event Started": "the pod is gone; its events tell that the next instance started, not how this one ended",
}
_AT_ONCE = 600 * SECOND
#: Columns of RESTARTS that are the instance's own.
_OWN = ("namespace", "pod", "pod_uid", "container", "restart_count", "reason", "exit_code", "image", "image_digest")


def is_of_the_incident(evidence: Evidence, time: int | None) -> bool:
    """Whether an end is judged: in the window, or between it and a capture that followed at once; or time unknown."""
    if time is None or time in evidence.window:
        return True
    captured_at, end = evidence.captured_at, evidence.window.end
    return captured_at is not None and captured_at - end <= _AT_ONCE and end <= time <= captured_at


def restart_rows(evidence: Evidence) -> list[Row]:
    """RESTARTS rows: every instance that ended, also those known only by count, and evicted pods."""
    found = []
    pods = {pod["pod_uid"]: pod for pod in rows(evidence.table(PODS))}
    current: dict[tuple[str | None, str], int] = {}
    for instance in container_instances(evidence):
        key = (instance.pod_uid, instance.container)
        current[key] = max(current.get(key, 0), instance.restart_count)
    for instance in container_instances(evidence):
        if instance.container_type == "init" and instance.state == "terminated" and instance.exit_code == 0:
            continue  # an init container that did its work is a start, not a restart
        replaced = instance.restart_count < current[instance.pod_uid, instance.container]
        pod = pods.get(instance.pod_uid)
        if instance.state == "terminated" or replaced:
            found.append(_row(instance, pod, evidence))
        elif pod is not None and pod["phase"] == "Failed" and pod["reason"]:
            found.append(_failed_pod_row(instance, pod, evidence))
    return found


def _row(instance: ContainerInstance, pod: Row | None, evidence: Evidence) -> Row:
    told = meaning(instance.reason, instance.exit_code, instance.signal)
    if told and pod is not None and pod["phase"] == "Failed" and pod["reason"]:
        told = f"{told}; the pod failed: {pod['reason']}: {pod['message'] or ''}"
    return {
        **_own(instance),
        "time": instance.finished_at,
        "started_at": instance.started_at,
        "finished_at": instance.finished_at,
        "signal": signal_of(instance.exit_code, instance.signal),
        "observed": instance.observed,
        "meaning": told or _UNTOLD.get(instance.source.split("+")[0]),
        "source": instance.source,
        "in_window": instance.finished_at in evidence.window if instance.finished_at is not None else None,
    }


def _failed_pod_row(instance: ContainerInstance, pod: Row, evidence: Evidence) -> Row:
    """An evicted or refused pod, or one on a lost node: no container ever reported its end."""
    finished = pod["finished_at"]
    return {
        **_own(instance),
        "time": finished,
        "finished_at": finished,
        "started_at": instance.started_at,
        "reason": pod["reason"],
        "observed": False,
        "meaning": f"{meaning(pod['reason'], None) or 'the pod failed'}: {pod['message'] or ''}",
        "source": "pod status",
        "in_window": finished in evidence.window if finished is not None else None,
    }


def _own(instance: ContainerInstance) -> Row:
    return {name: getattr(instance, name) for name in _OWN}
