"""The scenario's pods: who connects how, and what an honest answer about each is.

The interpreter and its libraries come from the node by hostPath; the image holds the client and a version.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.scenario.lab import LAB

NAMESPACE = "connections"
FOLDER = LAB / "connections"
RELAYS = {"edge": 7001, "addressing": 7002, "node-edge": 7003}
#: What an answer about a connection may be: one pod, or several (also none) because nobody can tell.
ONE, CANNOT_TELL = "one", "cannot tell"
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One kind of client.

    Attributes:
        name: of the case, and the beginning of its pods' names.
        honest: `ONE` or `CANNOT_TELL`, where everything was captured.
        settings: environment of `client.py`; ``ADDRESSES`` may name nodes by number (``1,2,3``) or a relay.
        kind: Pod, Deployment, StatefulSet or Job.
        replicas: how many pods.
        host_network: whether they share the node's address.
        image: repository and tag.
        memory: limit.
        pod: more fields of the pod's specification.
    """

    name: str
    honest: str = ONE
    settings: dict[str, str] = field(default_factory=dict)
    kind: str = "Pod"
    replicas: int = 1
    host_network: bool = False
    image: str = "connections:1"
    memory: str = "96Mi"
    pod: dict[str, Any] = field(default_factory=dict)


OWN_NAME = {"CLIENT_NAME": "$(POD_NAME)"}
CASES = (
    Case("named", settings={**OWN_NAME, "ADDRESSES": "1,3", "CONSUMES": "acknowledging"}, kind="Deployment", replicas=2),
    Case("nameless", settings={"ADDRESSES": "2,3", "PUBLISHES": "1"}, kind="Deployment", replicas=2),
    Case("same-name", settings={"CLIENT_NAME": "worker", "ADDRESSES": "2,1"}, kind="Deployment", replicas=2),
    Case("host-named", settings={**OWN_NAME, "ADDRESSES": "1,3"}, host_network=True),
    Case("host-first", CANNOT_TELL, settings={"ADDRESSES": "1,3"}, host_network=True),
    Case("host-second", CANNOT_TELL, settings={"ADDRESSES": "2,3"}, host_network=True),
    Case("host-loopback", CANNOT_TELL, settings={"ADDRESSES": "local:3,local:1"}, host_network=True),
    # No name tells that the relay is one: only that its address carries the names of several other pods.
    Case("relayed-named", settings={**OWN_NAME, "ADDRESSES": "edge"}, kind="Deployment", replicas=2),
    Case("relayed-nameless", CANNOT_TELL, settings={"ADDRESSES": "edge"}),
    Case("translated-named", settings={**OWN_NAME, "ADDRESSES": "node-edge"}),
    Case("translated-nameless", CANNOT_TELL, settings={"ADDRESSES": "node-edge"}),
    Case("addressed", settings={"ADDRESSES": "addressing"}),
    Case("one-node", settings={"ADDRESSES": "1,3", "CONNECTIONS": "3"}),
    Case("spread", settings={"ADDRESSES": "1,2,3", "CONNECTIONS": "3", "SPREAD": "1"}),
    Case("flickering", settings={"ADDRESSES": "3", "LASTS_SECONDS": "0.3", "PAUSE_SECONDS": "0.7"}),
    Case("closes-channel", settings={**OWN_NAME, "ADDRESSES": "3,1", "CONSUMES": "acknowledging"}),
    Case("forgets-to-acknowledge", settings={"ADDRESSES": "3", "CONSUMES": "never", "QUEUE": "story.stuck", "PUBLISHES": "1"}),
    Case("crashing", settings={"ADDRESSES": "3,1", "ENDS_AFTER_SECONDS": "5", "EXIT_CODE": "3"}),
    Case("hoarding", settings={"ADDRESSES": "3,1", "HOARDS": "1"}, memory="64Mi"),
    Case("two-versions", settings={"ADDRESSES": "3,1"}, kind="StatefulSet", replicas=2),
    Case("moved", settings={"ADDRESSES": "3,1"}, kind="StatefulSet", replicas=2, image="connections:latest"),
    Case("finished", settings={"ADDRESSES": "3,1", "ENDS_AFTER_SECONDS": "6"}, kind="Job"),
    Case("gone-early", CANNOT_TELL, settings={"ADDRESSES": "3,1"}),
    Case("gone-late", settings={"ADDRESSES": "3,1"}),
    Case("heir-of-finished", settings={"ADDRESSES": "3,1"}),
    Case("heir-of-gone-early", settings={"ADDRESSES": "3,1"}),
    Case("heir-of-gone-late", settings={"ADDRESSES": "3,1"}),
)  # fmt: skip
BY_NAME = {case.name: case for case in CASES}
#: A client that gives itself another pod's name: nobody can tell whose its connection is.
IMPOSTOR = "impostor"
HEIRS = tuple(case.name for case in CASES if case.name.startswith("heir-"))
RELAY_PODS = (
    Case("edge", settings={"LISTENS": str(RELAYS["edge"]), "ADDRESSES": "3,1"}),
    Case("addressing", settings={"LISTENS": str(RELAYS["addressing"]), "ADDRESSES": "1", "PROXY_PROTOCOL": "1"}),
    Case("node-edge", settings={"LISTENS": str(RELAYS["node-edge"]), "ADDRESSES": "1,3"}, host_network=True),
)  # fmt: skip


def impostor(victim: str) -> Case:
    """The client that calls itself like another pod."""
    return Case(IMPOSTOR, CANNOT_TELL, settings={"CLIENT_NAME": victim, "ADDRESSES": "3,1"})


def case_of(pod: str) -> str:
    """Name of the case that a pod is of."""
    known = [*(case.name for case in (*CASES, *RELAY_PODS)), IMPOSTOR]
    return max((name for name in known if pod == name or pod.startswith(f"{name}-")), key=len)


def addresses(written: str, gateway: str, relays: dict[str, str]) -> str:
    """``ADDRESSES`` with node numbers and relays' names as addresses."""
    if written in relays:
        return f"{relays[written]}:{RELAYS[written]}"
    found = []
    for word in written.split(","):
        place, _, number = word.rpartition(":")
        found.append(f"{'127.0.0.1' if place else gateway}:{5671 + int(number)}")
    return ",".join(found)


def manifest(case: Case, gateway: str, relays: dict[str, str]) -> Manifest:
    """The object to apply."""
    spec = _pod_spec(case, gateway, relays)
    metadata = {"name": case.name, "namespace": NAMESPACE, "labels": {"app": case.name}}
    template = {"metadata": {"labels": {"app": case.name}}, "spec": spec}
    selector = {"matchLabels": {"app": case.name}}
    match case.kind:
        case "Pod":
            return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        case "Job":
            template["spec"] = {**spec, "restartPolicy": "Never"}
            return {
                "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata,
                "spec": {"backoffLimit": 0, "template": template},
            }  # fmt: skip
        case "Deployment":
            more: Manifest = {}
        case _:
            more = {"serviceName": case.name, "podManagementPolicy": "Parallel",
                    "updateStrategy": {"rollingUpdate": {"partition": 1}}}  # fmt: skip
    return {
        "apiVersion": "apps/v1", "kind": case.kind, "metadata": metadata,
        "spec": {"replicas": case.replicas, "selector": selector, "template": template, **more},
    }  # fmt: skip


def _pod_spec(case: Case, gateway: str, relays: dict[str, str]) -> Manifest:
    settings = {
        **case.settings,
        "CASE": case.name,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LD_LIBRARY_PATH": "/opt/python/lib",
    }
    settings["ADDRESSES"] = addresses(settings["ADDRESSES"], gateway, relays)
    settings["PYTHONPATH"] = "/opt/libraries"
    environment: list[Manifest] = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in (("POD_NAME", "metadata.name"), ("POD_UID", "metadata.uid"), ("POD_IP", "status.podIP"))
    ]
    environment.append({"name": "AMQP_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "broker", "key": "password"}}})
    environment += [{"name": name, "value": value} for name, value in settings.items()]
    libraries = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    folders = {
        "/usr/lib": Path("/usr/lib"), "/usr/lib64": Path("/usr/lib64"), "/opt/python": Path(sys.base_prefix),
        "/opt/libraries": libraries, "/truth": FOLDER / "truth",
    }  # fmt: skip
    mounts = [(f"node-{number}", inside, outside) for number, (inside, outside) in enumerate(folders.items())]
    return {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "hostNetwork": case.host_network,
        "containers": [
            {
                "name": "client",
                "image": f"registry.lab/{case.image}",
                "imagePullPolicy": "Always",
                "command": ["/opt/python/bin/python3", "-u", "/app/client.py"],
                "env": environment,
                "resources": {"limits": {"memory": case.memory}, "requests": {"cpu": "1m", "memory": "16Mi"}},
                "volumeMounts": [
                    {"name": name, "mountPath": inside, "readOnly": inside != "/truth"} for name, inside, _ in mounts
                ],
            }
        ],
        "volumes": [{"name": name, "hostPath": {"path": str(outside)}} for name, _, outside in mounts],
        **case.pod,
    }
