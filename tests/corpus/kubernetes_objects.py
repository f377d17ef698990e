"""Pods and ReplicaSets in the shape that ``kubectl get -o json`` gives them."""

from __future__ import annotations

import hashlib
import uuid

from .model import MINUTE, Case, Container, JsonObject, Pod, rfc3339
from .services import image_of


def stable_uid(*parts: str) -> str:
    """A UID that depends on nothing but its parts."""
    return str(uuid.UUID(bytes=hashlib.sha256("/".join(parts).encode()).digest()[:16], version=4))


def pods_json(case: Case) -> JsonObject:
    """Every pod that still exists as an object."""
    return _list([_pod(pod, number) for number, pod in enumerate(case.pods) if pod.listed])


def replicasets_json(case: Case) -> JsonObject:
    """The ReplicaSets behind the Deployments' pods, one each."""
    owners = {pod.name.rpartition("-")[0]: pod for pod in case.pods if pod.kind == "Deployment"}
    return _list([_replicaset(name, pod) for name, pod in owners.items()])


def _list(items: list[JsonObject]) -> JsonObject:
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


def _owner(pod: Pod) -> JsonObject:
    kind = {"Deployment": "ReplicaSet", "StatefulSet": "StatefulSet", "Job": "Job"}[pod.kind]
    name = pod.workload if pod.kind == "StatefulSet" else pod.name.rpartition("-")[0]
    version = "batch/v1" if kind == "Job" else "apps/v1"
    return {
        "apiVersion": version,
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": kind,
        "name": name,
        "uid": stable_uid(kind, pod.namespace, name),
    }


def _pod(pod: Pod, number: int) -> JsonObject:
    newest: dict[str, Container] = {}
    earlier: dict[str, Container] = {}
    for container in sorted(pod.containers, key=lambda one: one.restart_count):
        if container.name in newest:
            earlier[container.name] = newest[container.name]
        newest[container.name] = container
    created = min(container.started for container in pod.containers) - 3_000_000_000
    statuses = [_status(container, earlier.get(name)) for name, container in newest.items()]
    running = any("running" in status["state"] for status in statuses)
    failed = any(status["state"].get("terminated", {}).get("exitCode") for status in statuses)
    labels = {"app": pod.workload}
    if pod.kind == "Deployment":
        labels["pod-template-hash"] = pod.name.split("-")[-2]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "creationTimestamp": rfc3339(created, 0),
            "labels": labels,
            "name": pod.name,
            "namespace": pod.namespace,
            "ownerReferences": [_owner(pod)],
            "resourceVersion": str(918_000 + number),
            "uid": stable_uid("Pod", pod.namespace, pod.name),
        },
        "spec": {
            "containers": [
                {
                    "image": image_of(container),
                    "imagePullPolicy": "IfNotPresent",
                    "name": name,
                    "resources": {"limits": {"memory": "512Mi"}},
                }
                for name, container in newest.items()
            ],
            "nodeName": pod.node,
            "restartPolicy": "Never" if pod.kind == "Job" else "Always",
            "serviceAccountName": "default",
        },
        "status": {
            "conditions": [
                {
                    "lastProbeTime": None,
                    "lastTransitionTime": rfc3339(created + MINUTE // 6, 0),
                    "status": str(running),
                    "type": "Ready",
                },
                {
                    "lastProbeTime": None,
                    "lastTransitionTime": rfc3339(created, 0),
                    "status": "True",
                    "type": "PodScheduled",
                },
            ],
            "containerStatuses": statuses,
            "hostIP": "10.240.0.4",
            "phase": "Running" if running else "Failed" if failed else "Succeeded",
            "podIP": f"10.244.1.{10 + number}",
            "podIPs": [{"ip": f"10.244.1.{10 + number}"}],
            "qosClass": "Burstable",
            "startTime": rfc3339(created, 0),
        },
    }


def _status(container: Container, before: Container | None) -> JsonObject:
    image = image_of(container)
    digest = hashlib.sha256(image.encode()).hexdigest()
    state = _terminated(container) if container.finished else {"running": {"startedAt": rfc3339(container.started, 0)}}
    return {
        "containerID": _container_id(container),
        "image": image,
        "imageID": f"{image.rpartition(':')[0]}@sha256:{digest}",
        "lastState": _terminated(before) if before else {},
        "name": container.name,
        "ready": not container.finished,
        "restartCount": container.restart_count,
        "started": not container.finished,
        "state": state,
    }


def _terminated(container: Container) -> JsonObject:
    assert container.finished is not None
    reason = container.reason or ("Completed" if container.exit_code == 0 else "Error")
    return {
        "terminated": {
            "containerID": _container_id(container),
            "exitCode": container.exit_code,
            "finishedAt": rfc3339(container.finished, 0),
            "reason": reason,
            "startedAt": rfc3339(container.started, 0),
        }
    }


def _container_id(container: Container) -> str:
    identity = f"{container.owner.namespace}/{container.owner.name}/{container.name}/{container.restart_count}"
    return "containerd://" + hashlib.sha256(identity.encode()).hexdigest()


def _replicaset(name: str, pod: Pod) -> JsonObject:
    digest = name.rpartition("-")[2]
    labels = {"app": pod.workload, "pod-template-hash": digest}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "annotations": {"deployment.kubernetes.io/desired-replicas": "2", "deployment.kubernetes.io/revision": "3"},
            "creationTimestamp": rfc3339(min(one.started for one in pod.containers) - MINUTE, 0),
            "generation": 1,
            "labels": labels,
            "name": name,
            "namespace": pod.namespace,
            "uid": stable_uid("ReplicaSet", pod.namespace, name),
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "blockOwnerDeletion": True,
                    "controller": True,
                    "kind": "Deployment",
                    "name": pod.workload,
                    "uid": stable_uid("Deployment", pod.namespace, pod.workload),
                }
            ],
        },
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [
                        {"image": image_of(one), "name": one.name}
                        for one in {one.name: one for one in pod.containers}.values()
                    ]
                },
            },
        },
        "status": {"availableReplicas": 2, "observedGeneration": 1, "readyReplicas": 2, "replicas": 2},
    }
