"""Pods of the lab's services: a busybox image with the code, interpreters and the private truth mounted from the node."""

from __future__ import annotations

from typing import Any

from tests.lab.scenario.lab import NODE_FOLDER

Manifest = dict[str, Any]

PYTHON = ["/opt/python/bin/python3", "-u", "-m", "labservice"]
JAVA = [
    "/opt/java/bin/java",
    "-XX:+UseSerialGC",
    "-Xmx48m",
    "-XX:TieredStopAtLevel=1",
    "-cp",
    "/app/*",
    "lab.OrdersService",
]
BINARY = ["/app/ledger"]

_MOUNTS = {
    "libraries": ("/usr/lib", "/usr/lib"),
    "loader": ("/usr/lib64", "/usr/lib64"),
    **{part: (str(NODE_FOLDER / part), f"/opt/{part}") for part in ("python", "site", "java")},
}


def _downward(path: str) -> Manifest:
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}


def container(
    name: str, image: str, command: list[str], settings: dict[str, str], secrets: dict[str, str], memory: str = "128Mi"
) -> Manifest:
    """One container of a service.

    Args:
        name: the container's.
        image: name and tag, without registry.
        command: what to run.
        settings: environment variables.
        secrets: environment variables with the Secret that holds each (key ``value``).
        memory: limit.
    """
    known = {
        "CONTAINER_NAME": name,
        "IMAGE": f"registry.lab/{image}",
        "TRUTH_FOLDER": "/lab/private",
        "CONTROL_FOLDER": "/lab/control",
        "PYTHONPATH": "/opt/site:/app",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LD_LIBRARY_PATH": "/opt/python/lib",
    }
    environment: list[Manifest] = [{"name": key, "value": value} for key, value in (settings | known).items()]
    for key, path in (
        ("POD_NAME", "metadata.name"),
        ("POD_UID", "metadata.uid"),
        ("POD_NAMESPACE", "metadata.namespace"),
        ("POD_IP", "status.podIP"),
        ("NODE_NAME", "spec.nodeName"),
    ):
        environment.append({"name": key, **_downward(path)})
    for key, secret in secrets.items():
        environment.append({"name": key, "valueFrom": {"secretKeyRef": {"name": secret, "key": "value"}}})
    mounts: list[Manifest] = [
        {"name": part, "mountPath": inside, "readOnly": True} for part, (_, inside) in _MOUNTS.items()
    ]
    return {
        "name": name,
        "image": f"registry.lab/{image}",
        "command": command,
        "imagePullPolicy": "Always",  # a rebuilt service keeps its tag: the node must not run the old one
        "workingDir": "/app",
        "env": environment,
        "resources": {"limits": {"memory": memory}, "requests": {"cpu": "10m", "memory": "32Mi"}},
        "volumeMounts": [*mounts, {"name": "lab", "mountPath": "/lab"}],
    }


def pod_spec(containers: list[Manifest], *, folder: str = "lab", first: list[Manifest] | None = None) -> Manifest:
    """A pod of such containers.

    Args:
        containers: the pod's.
        folder: which of the node's folders holds private truth and commands.
        first: init containers.
    """
    paths = {part: outside for part, (outside, _) in _MOUNTS.items()} | {"lab": str(NODE_FOLDER / folder)}
    return {
        "terminationGracePeriodSeconds": 1,
        "dnsPolicy": "Default",
        "automountServiceAccountToken": False,
        **({"initContainers": first} if first else {}),
        "containers": containers,
        "volumes": [{"name": part, "hostPath": {"path": path}} for part, path in paths.items()],
    }
