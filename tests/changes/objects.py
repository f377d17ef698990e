"""Kubernetes and Argo CD objects as their servers return them, cut to what a test is about."""

from __future__ import annotations

from typing import Any

from tests.changes.bundles import rfc

Document = dict[str, Any]

TRACKING = "argocd.argoproj.io/tracking-id"


def written(manager: str, clock: str, *paths: str) -> Document:
    """An entry of managedFields; a path is ``data.KEY`` or ``spec.template``."""
    fields: Document = {}
    for path in paths:
        here = fields
        for part in path.split("."):
            here = here.setdefault(f"f:{part}", {})
    return {"manager": manager, "operation": "Update", "time": rfc(clock), "fieldsV1": fields}


def config_map(name: str, created: str, *writes: Document, kind: str = "ConfigMap", **more: Any) -> Document:
    """A ConfigMap (or Secret) with the writes to its data."""
    metadata = {
        "name": name, "namespace": "shop", "uid": f"{kind}-{name}", "creationTimestamp": rfc(created),
        "managedFields": list(writes), **more,
    }  # fmt: skip
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": {"LOG_LEVEL": "x", "TIMEOUT": "y"}}


def template(
    image: str = "registry.lab/orders-api:1.4.2", annotations: Document | None = None, **container: Any
) -> Document:
    """A pod template with one container ``app``."""
    metadata: Document = {"labels": {"app": "orders-api"}}
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": image, **container}]}}


def deployment(
    name: str, pod_template: Document, *writes: Document, application: str | None = None, **more: Any
) -> Document:
    """A Deployment."""
    annotations = {TRACKING: f"{application}:apps/Deployment:shop/{name}"} if application else {}
    metadata = {
        "name": name, "namespace": "shop", "uid": f"deployment-{name}", "creationTimestamp": rfc("06:00"),
        "annotations": annotations | more.pop("annotations", {}), "managedFields": list(writes),
    }  # fmt: skip
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"template": pod_template, **more},
    }


def replica_set(
    owner: str, revision: int, created: str, pod_template: Document, *, history: str | None = None
) -> Document:
    """A ReplicaSet of a Deployment."""
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    if history:
        annotations["deployment.kubernetes.io/revision-history"] = history
    metadata = {
        "name": f"{owner}-{revision}", "namespace": "shop", "uid": f"rs-{owner}-{revision}", "creationTimestamp": rfc(created),
        "annotations": annotations,
        "ownerReferences": [{"kind": "Deployment", "name": owner, "uid": f"deployment-{owner}", "controller": True}],
    }  # fmt: skip
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": {"template": pod_template}}


def pod(
    name: str,
    started: str,
    pod_template: Document | None = None,
    *,
    owner: Document | None = None,
    previous: tuple[str, str] | None = None,
    phase: str = "Running",
    ready: bool = True,
    created: str | None = None,
    ip: str | None = None,
) -> Document:
    """A pod whose container ``app`` runs since a time, after an earlier instance where one is given."""
    made = pod_template or template()
    owners = []
    if owner is not None:
        owners = [
            {
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
            }
        ]
    status: Document = {"name": "app", "restartCount": 1 if previous else 0, "image": made["spec"]["containers"][0]["image"],
                        "imageID": "", "state": {"running": {"startedAt": rfc(started)}}}  # fmt: skip
    if previous:
        ended = {"startedAt": rfc(previous[0]), "finishedAt": rfc(previous[1]), "exitCode": 1, "reason": "Error"}
        status["lastState"] = {"terminated": ended}
    if phase != "Running":
        status["state"] = {
            "terminated": {"startedAt": rfc(started), "finishedAt": rfc(started), "exitCode": 0, "reason": "Completed"}
        }
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": rfc(started)}
    metadata = {
        "name": name, "namespace": "shop", "uid": f"pod-{name}", "creationTimestamp": rfc(created or (previous or (started,))[0]),
        "labels": made["metadata"].get("labels", {}), "annotations": made["metadata"].get("annotations", {}),
        "ownerReferences": owners,
    }  # fmt: skip
    statuses = {"phase": phase, "conditions": [condition], "containerStatuses": [status]}
    if ip:
        statuses |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": dict(made["spec"]), "status": statuses}


def cron_job(
    name: str, schedule: str, *writes: Document, last: str | None = None, created: str = "06:00", **spec: Any
) -> Document:
    """A CronJob."""
    metadata = {
        "name": name, "namespace": "shop", "uid": f"cronjob-{name}", "creationTimestamp": rfc(created),
        "managedFields": list(writes),
    }  # fmt: skip
    status = {"lastScheduleTime": rfc(last)} if last else {}
    body = {"schedule": schedule, "jobTemplate": {"spec": {"template": template()}}, **spec}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": body, "status": status}


def job(
    name: str,
    created: str,
    ended: str | None = None,
    *,
    cron: str | None = None,
    scheduled: str | None = None,
    manual: bool = False,
) -> Document:
    """A Job, of a CronJob where one is named."""
    annotations = {}
    if scheduled:
        annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] = rfc(scheduled)
    if manual:
        annotations["cronjob.kubernetes.io/instantiate"] = "manual"
    owners = [{"kind": "CronJob", "name": cron, "uid": f"cronjob-{cron}", "controller": True}] if cron else []
    status: Document = {"startTime": rfc(created)}
    if ended:
        done = {"type": "Complete", "status": "True", "lastTransitionTime": rfc(ended)}
        status |= {"completionTime": rfc(ended), "conditions": [done]}
    metadata = {
        "name": name, "namespace": "shop", "uid": f"job-{name}", "creationTimestamp": rfc(created), "annotations": annotations,
        "ownerReferences": owners,
    }  # fmt: skip
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"template": template()},
        "status": status,
    }


def service(name: str, selector: Document | None, ports: list[Document] | None = None, **spec: Any) -> Document:
    """A Service."""
    body = {"selector": selector, "ports": ports or [{"port": 80, "name": "http"}], **spec}
    metadata = {"name": name, "namespace": "shop", "uid": f"service-{name}", "creationTimestamp": rfc("06:00")}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body}


def event(kind: str, name: str, reason: str, message: str, clock: str, **annotations: str) -> Document:
    """An Event, in namespace shop (argocd for Applications)."""
    namespace = "argocd" if kind == "Application" else "shop"
    involved = {"kind": kind, "name": name, "namespace": namespace}
    return {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": f"{name}.{reason}.{clock}", "namespace": namespace,
        "annotations": annotations}, "involvedObject": involved, "reason": reason, "type": "Normal", "message": message,
        "firstTimestamp": rfc(clock), "lastTimestamp": rfc(clock), "count": 1,
    }  # fmt: skip


def revision(number: int) -> str:
    """A Git revision."""
    return f"{number:040x}"


def sync(number: int, clock: str, by: str | None = "ci", *, identifier: int, automated: bool = False) -> Document:
    """An entry of an Application's history."""
    who: Document = {"automated": True} if automated else {"username": by} if by else {}
    return {
        "id": identifier, "revision": revision(number), "deployStartedAt": rfc(clock), "deployedAt": rfc(clock),
        "initiatedBy": who, "source": {"repoURL": "https://git.example/deploy.git", "path": "orders", "targetRevision": "main"},
    }  # fmt: skip


def application(
    name: str,
    *history: Document,
    resources: list[Document] | None = None,
    operation: Document | None = None,
    conditions: list[Document] | None = None,
    images: list[str] | None = None,
    sync_status: str = "Synced",
    parent: str | None = None,
    **spec: Any,
) -> Document:
    """An Argo CD Application."""
    annotations = {TRACKING: f"{parent}:argoproj.io/Application:argocd/{name}"} if parent else {}
    status: Document = {
        "history": list(history), "resources": resources or [], "sync": {"status": sync_status}, "conditions": conditions or [],
        "summary": {"images": images or []}, "reconciledAt": rfc("11:00"),
    }  # fmt: skip
    if operation is not None:
        status["operationState"] = operation
    metadata = {
        "name": name,
        "namespace": "argocd",
        "uid": f"app-{name}",
        "annotations": annotations,
        "creationTimestamp": rfc("05:00"),
    }
    body = {"destination": {"namespace": "shop"}, "source": {"repoURL": "https://git.example/deploy.git"}, **spec}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": metadata,
        "spec": body,
        "status": status,
    }


def operation(
    number: int,
    clock: str,
    results: list[Document],
    *,
    phase: str = "Succeeded",
    by: str = "alice",
    **sync_options: Any,
) -> Document:
    """An Application's operationState."""
    return {
        "phase": phase, "startedAt": rfc(clock), "finishedAt": rfc(clock), "message": phase,
        "operation": {"initiatedBy": {"username": by}, "sync": {"revision": revision(number), **sync_options}},
        "syncResult": {"revision": revision(number), "resources": results},
    }  # fmt: skip


def result(kind: str, name: str, message: str, status: str = "Synced", images: list[str] | None = None) -> Document:
    """One resource of a sync's result."""
    found: Document = {"kind": kind, "name": name, "namespace": "shop", "message": message, "status": status}
    return found | ({"images": images} if images else {})
