"""READY, STATUS and RESTARTS as ``kubectl get pods`` prints them, case by case of its own rules."""

from __future__ import annotations

import pytest

from incident_kit.normalise.kubernetes.printed import printed_status

RUNNING = {"running": {"startedAt": "2026-11-20T10:00:00Z"}}


def waiting(reason):
    return {"waiting": {"reason": reason}}


def ended(code, reason="", signal=0):
    return {"terminated": {"exitCode": code, "reason": reason, **({"signal": signal} if signal else {})}}


def container(state, *, restarts=0, ready=False, name="app", **more):
    return {"name": name, "state": state, "restartCount": restarts, "ready": ready, **more}


def pod(*containers, init=(), init_specs=None, phase="Running", conditions=(), metadata=None, **status):
    specs = init_specs if init_specs is not None else [{"name": item["name"]} for item in init]
    return {
        "metadata": metadata or {},
        "spec": {"containers": [{"name": c["name"]} for c in containers], "initContainers": specs},
        "status": {
            "phase": phase,
            "containerStatuses": list(containers),
            "initContainerStatuses": list(init),
            "conditions": list(conditions),
            **status,
        },
    }


READY_CONDITION = {"type": "Ready", "status": "True"}
SIDECAR = {"name": "proxy", "restartPolicy": "Always"}
DELETED = {"deletionTimestamp": "2026-11-20T10:00:00Z"}
CASES = {
    "running": (pod(container(RUNNING, ready=True)), "1/1", "Running", 0),
    "not ready": (pod(container(RUNNING)), "0/1", "Running", 0),
    "crash loop": (pod(container(waiting("CrashLoopBackOff"), restarts=7)), "0/1", "CrashLoopBackOff", 7),
    "out of memory": (pod(container(ended(137, "OOMKilled"), restarts=2)), "0/1", "OOMKilled", 2),
    "exit code without reason": (pod(container(ended(5))), "0/1", "ExitCode:5", 0),
    "signal without reason": (pod(container(ended(0, signal=9))), "0/1", "Signal:9", 0),
    "completed": (pod(container(ended(0, "Completed")), phase="Succeeded"), "0/1", "Completed", 0),
    "one of two completed": (
        pod(container(ended(0, "Completed")), container(RUNNING, ready=True, name="b"), conditions=[READY_CONDITION]), "1/2", "Running", 0),
    "one of two completed and not ready": (pod(container(ended(0, "Completed")), container(RUNNING, ready=True, name="b")), "1/2", "NotReady", 0),
    "the first container's reason wins": (pod(container(waiting("ErrImagePull")), container(waiting("CrashLoopBackOff"), name="b")), "0/2", "ErrImagePull", 0),
    "pending": (pod(phase="Pending"), "0/0", "Pending", 0),
    "evicted": (pod(phase="Failed", reason="Evicted"), "0/0", "Evicted", 0),
    "gated": (pod(phase="Pending", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]), "0/0", "SchedulingGated", 0),
    "initialising": (pod(container(waiting("PodInitializing")), init=[container(RUNNING, name="i")], phase="Pending"), "0/1", "Init:0/1", 0),
    "init failed": (pod(container(waiting("PodInitializing")), init=[container(ended(1, "Error"), name="i", restarts=3)]), "0/1", "Init:Error", 3),
    "init failed without reason": (pod(container(waiting("PodInitializing")), init=[container(ended(3), name="i")]), "0/1", "Init:ExitCode:3", 0),
    "init crash loop": (pod(container(waiting("PodInitializing")), init=[container(waiting("CrashLoopBackOff"), name="i")]), "0/1", "Init:CrashLoopBackOff", 0),
    "second init": (
        pod(container(waiting("PodInitializing")), init=[container(ended(0, "Completed"), name="i"), container(waiting("PodInitializing"), name="j")]),
        "0/1", "Init:1/2", 0),
    "restarts of a finished init do not count": (pod(container(RUNNING, ready=True, restarts=1), init=[container(ended(0), name="i", restarts=4)]), "1/1", "Running", 1),
    "a sidecar counts": (
        pod(container(RUNNING, ready=True, restarts=1), init=[container(RUNNING, name="proxy", ready=True, started=True, restarts=2)], init_specs=[SIDECAR]),
        "2/2", "Running", 3),
    "terminating": (pod(container(RUNNING, ready=True), metadata=DELETED), "1/1", "Terminating", 0),
    "deleted after it succeeded": (pod(container(ended(0, "Completed")), phase="Succeeded", metadata=DELETED), "0/1", "Completed", 0),
    "its node was lost": (pod(container(RUNNING), metadata=DELETED, reason="NodeLost"), "0/1", "Unknown", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_pod_is_printed_as_kubectl_prints_it(name):
    document, ready, status, restarts = CASES[name]
    printed = printed_status(document)
    assert (printed.ready, printed.status, printed.restarts) == (ready, status, restarts)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"status": None},
        {"spec": [], "status": {"containerStatuses": "x"}},
        {"status": {"containerStatuses": [{"state": 3}]}},
    ],
)
def test_a_half_formed_pod_is_printed_without_an_error(document):
    assert printed_status(document).restarts == 0
