"""READY, STATUS and RESTARTS of pods in many states, against what kubectl itself prints of the same objects."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from incident_kit.normalise.kubernetes.printed import printed_status
from tests.lab.scenario.lab import Lab

pytestmark = pytest.mark.live

NAMESPACE = "printed"
SECONDS, PATIENCE = 40, 12
#: Too slow or too early on a loaded machine to be seen each time: they are compared when they are, and not waited for.
EXPECTED = {
    "Running", "Completed", "Error", "OOMKilled", "CrashLoopBackOff", "ErrImagePull", "InvalidImageName", "Pending",
    "CreateContainerConfigError", "Init:Error", "Init:0/2", "Init:0/1", "Init:ErrImagePull", "SchedulingGated",
    "Terminating", "NotReady",
}  # fmt: skip


def container(name: str, script: str, image: str, **more: Any) -> dict[str, Any]:
    command = ["/bin/sh", "-c", script]
    return {"name": name, "image": image, "imagePullPolicy": "IfNotPresent", "command": command, **more}


def pods(image: str) -> list[dict[str, Any]]:
    """One pod a state, by what its containers do."""

    def c(name: str, script: str = "sleep 600", **more: Any) -> dict[str, Any]:
        return container(name, script, image, **more)

    missing = {"image": "registry.lab/nothing:here", "imagePullPolicy": "Always"}
    failing_probe = {"exec": {"command": ["/bin/false"]}, "periodSeconds": 2, "failureThreshold": 100}
    specs: dict[str, dict[str, Any]] = {
        "running": {"containers": [c("a")]},
        "init-runs": {"containers": [c("a")], "initContainers": [c("i"), c("j", "true")]},
        "init-crash": {"containers": [c("a")], "initContainers": [c("i", "exit 3")]},
        "init-error": {"containers": [c("a")], "initContainers": [c("i", "exit 3")], "restartPolicy": "Never"},
        "init-bad-image": {"containers": [c("a")], "initContainers": [{**c("i"), **missing}]},
        "completed": {"containers": [c("a", "true")], "restartPolicy": "Never"},
        "error": {"containers": [c("a", "exit 4")], "restartPolicy": "Never"},
        # The runtime misses an end for memory that comes as soon as the container starts, and now and then another.
        **{f"memory-{number}": {"containers": [c("a", "sleep 3; x=a; while true; do x=$x$x; done", resources={"limits": {"memory": "32Mi"}})],
                                "restartPolicy": "Never"} for number in range(3)},
        "crash-loop": {"containers": [c("a", "exit 5")]},
        "bad-image": {"containers": [{**c("a"), **missing}]},
        "bad-config": {"containers": [c("a", envFrom=[{"configMapRef": {"name": "nobody"}}])]},
        "bad-command": {"containers": [{**c("a"), "command": ["/no/such/program"]}]},
        "invalid-image": {"containers": [{**c("a"), "image": "UPPER CASE"}]},
        "sidecar": {"containers": [c("a")], "initContainers": [c("side", restartPolicy="Always"), c("i", "true")]},
        "sidecar-crash": {"containers": [c("a")], "initContainers": [c("side", "sleep 2; exit 1", restartPolicy="Always")]},
        "sidecar-waits": {"containers": [c("a")], "initContainers": [c("side", restartPolicy="Always", startupProbe=failing_probe)]},
        "sidecar-completed": {"containers": [c("a", "true")], "initContainers": [c("side", restartPolicy="Always")], "restartPolicy": "Never"},
        "one-of-two-completed": {"containers": [c("a"), c("b", "true")], "restartPolicy": "Never"},
        "one-of-two-error": {"containers": [c("a"), c("b", "exit 1")], "restartPolicy": "Never"},
        "not-ready": {"containers": [c("a", readinessProbe=failing_probe), c("b", "true")], "restartPolicy": "Never"},
        "gate": {"containers": [c("a"), c("b", "true")], "readinessGates": [{"conditionType": "example.com/ready"}], "restartPolicy": "Never"},
        "gated": {"containers": [c("a")], "schedulingGates": [{"name": "example.com/hold"}]},
        "pending": {"containers": [c("a")], "nodeSelector": {"nobody": "here"}},
        "terminating": {"containers": [c("a", "trap '' TERM; sleep 600 & wait; sleep 600")], "terminationGracePeriodSeconds": 120},
        "deadline": {"containers": [c("a")], "activeDeadlineSeconds": 5},
        "unknown-node": {"containers": [c("a")], "nodeName": "no-such-node"},
    }  # fmt: skip
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE},
         "spec": {"terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False, **spec}}
        for name, spec in specs.items()
    ]  # fmt: skip


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab.running()
    lab.make_anew(NAMESPACE)
    yield lab
    lab.kubectl("-n", NAMESPACE, "delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false", check=False)
    lab.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def looked(lab: Lab) -> list[tuple[str, tuple[str, str, int], tuple[str, str, int]]]:
    """Name, kubectl's words and the kit's of every pod that did not change while both were asked."""
    before = lab.objects("pods", namespace=NAMESPACE)
    table = lab.kubectl("-n", NAMESPACE, "get", "pods", "--no-headers")
    versions = {pod["metadata"]["name"]: pod["metadata"]["resourceVersion"] for pod in before}
    found = []
    for pod in lab.objects("pods", namespace=NAMESPACE):
        name = pod["metadata"]["name"]
        line = next((words for words in map(str.split, table.splitlines()) if words[0] == name), None)
        if line and versions.get(name) == pod["metadata"]["resourceVersion"]:
            said = printed_status(pod)
            found.append((name, (line[1], line[2], int(line[3])), (said.ready, said.status, said.restarts)))
    return found


def test_pods_in_every_state_are_printed_as_kubectl_prints_them(lab: Lab) -> None:
    lab.apply(*pods(lab.facts["kubernetes"]["shell_image"]))
    seen: set[str] = set()
    deleted = False
    started = time.monotonic()
    while time.monotonic() < started + SECONDS * (1 if seen >= EXPECTED else PATIENCE):
        running: set[str] = set()
        for name, kubectl, kit in looked(lab):
            assert kit == kubectl, name
            seen.add(kubectl[1])
            if kubectl[1] == "Running":
                running.add(name)
        # Before its container runs nothing holds its end up: it would be gone before anybody saw it.
        if not deleted and "terminating" in running:
            lab.kubectl("-n", NAMESPACE, "delete", "pod", "terminating", "--wait=false")
            deleted = True
        time.sleep(1)
    print(f"\n{len(seen)} words of STATUS compared: {', '.join(sorted(seen))}")
    assert seen >= EXPECTED, sorted(EXPECTED - seen)
