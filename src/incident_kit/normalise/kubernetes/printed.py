"""READY, STATUS and RESTARTS as ``kubectl get pods`` prints them.

Follows `printPod` rule by rule, so that the user finds the words they know:
https://github.com/kubernetes/kubernetes/blob/51652d1c232daef8dc697a4fd9e63cad7c51faad/pkg/printers/internalversion/printers.go
(with the restartable init containers that it knows since 1.28).
"""

from __future__ import annotations

from dataclasses import dataclass

from incident_kit.nested import Document, listing, mapping, text, whole


@dataclass(frozen=True, slots=True)
class Printed:
    """What one line of ``kubectl get pods`` says."""

    ready: str
    status: str
    restarts: int


@dataclass(slots=True)
class _Count:
    reason: str
    restarts: int = 0
    sidecar_restarts: int = 0
    ready: int = 0
    initializing: bool = False


def printed_status(pod: Document) -> Printed:
    """READY, STATUS and RESTARTS of one pod object."""
    spec, status = mapping(pod, "spec"), mapping(pod, "status")
    if told := mapping(status, "printed"):  # an imported table of kubectl: the words themselves, without the containers
        restarts = text(told, "restarts") or ""
        return Printed(
            text(told, "ready") or "", text(told, "status") or "", int(restarts) if restarts.isdecimal() else 0
        )
    init_specs = {str(item.get("name")): item for item in listing(spec, "initContainers")}
    sidecars = {name for name, item in init_specs.items() if item.get("restartPolicy") == "Always"}
    total = len(listing(spec, "containers")) + len(sidecars)
    count = _Count(reason=text(status, "reason") or text(status, "phase") or "")
    if any(
        c.get("type") == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in listing(status, "conditions")
    ):
        count.reason = "SchedulingGated"
    _count_init_containers(count, listing(status, "initContainerStatuses"), sidecars, len(init_specs))
    if not count.initializing or _condition(status, "Initialized"):
        _count_containers(count, status)
    count.reason = _deletion(pod, count.reason)
    return Printed(f"{count.ready}/{total}", count.reason, count.restarts)


def _count_init_containers(count: _Count, statuses: list[Document], sidecars: set[str], total: int) -> None:
    for index, container in enumerate(statuses):
        restarts = whole(container, "restartCount") or 0
        sidecar = container.get("name") in sidecars
        count.restarts += restarts
        if sidecar:
            count.sidecar_restarts += restarts
        state = mapping(container, "state")
        terminated = state.get("terminated")
        if isinstance(terminated, dict) and not terminated.get("exitCode"):
            continue
        if sidecar and container.get("started") is True:
            count.ready += container.get("ready") is True
            continue
        count.reason = _init_reason(state, index, total)
        count.initializing = True
        return


def _init_reason(state: Document, index: int, total: int) -> str:
    terminated = state.get("terminated")
    if isinstance(terminated, dict):
        return f"Init:{_terminated_reason(terminated)}"
    waiting = text(state, "waiting", "reason")
    if waiting and waiting != "PodInitializing":
        return f"Init:{waiting}"
    return f"Init:{index}/{total}"


def _terminated_reason(terminated: Document) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _count_containers(count: _Count, status: Document) -> None:
    count.restarts = count.sidecar_restarts
    running = False
    for container in reversed(listing(status, "containerStatuses")):
        count.restarts += whole(container, "restartCount") or 0
        state = mapping(container, "state")
        waiting = text(state, "waiting", "reason")
        terminated = state.get("terminated")
        if waiting:
            count.reason = waiting
        elif isinstance(terminated, dict):
            count.reason = _terminated_reason(terminated)
        elif container.get("ready") is True and isinstance(state.get("running"), dict):
            running = True
            count.ready += 1
    if count.reason == "Completed" and running:
        count.reason = "Running" if _condition(status, "Ready") else "NotReady"


def _condition(status: Document, kind: str) -> bool:
    return any(c.get("type") == kind and c.get("status") == "True" for c in listing(status, "conditions"))


def _deletion(pod: Document, reason: str) -> str:
    if text(pod, "metadata", "deletionTimestamp") is None:
        return reason
    if text(pod, "status", "reason") == "NodeLost":
        return "Unknown"
    return reason if text(pod, "status", "phase") in ("Succeeded", "Failed") else "Terminating"
