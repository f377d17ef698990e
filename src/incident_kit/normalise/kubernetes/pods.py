"""PODS and CONTAINERS rows from pod objects."""

from __future__ import annotations

from typing import Any

import orjson

from incident_kit.nested import Document, instant, listing, mapping, text
from incident_kit.normalise.kubernetes.instances import instance_rows
from incident_kit.normalise.kubernetes.owners import OwnerIndex, controller
from incident_kit.normalise.kubernetes.printed import printed_status


def pod_row(pod: Document, cluster: str, owners: OwnerIndex, containers: list[dict[str, Any]]) -> dict[str, Any]:
    """The PODS row of one pod object.

    Args:
        pod: the object.
        cluster: name of the cluster.
        owners: objects to walk the owner chain with.
        containers: the pod's CONTAINERS rows, for the end of a finished pod.
    """
    spec, status = mapping(pod, "spec"), mapping(pod, "status")
    owner, workload = controller(pod), owners.workload(pod)
    printed = printed_status(pod)
    labels = mapping(pod, "metadata", "labels")
    return {
        "cluster": cluster,
        "namespace": text(pod, "metadata", "namespace"),
        "pod": text(pod, "metadata", "name"),
        "pod_uid": text(pod, "metadata", "uid"),
        "created_at": instant(pod, "metadata", "creationTimestamp"),
        "scheduled_at": _condition_since(status, "PodScheduled"),
        "started_at": instant(status, "startTime"),
        "ready_at": _condition_since(status, "Ready"),
        "sandbox_at": _sandbox_made_anew(status, containers),
        "deleted_at": instant(pod, "metadata", "deletionTimestamp"),
        "finished_at": _finished_at(status, containers),
        "phase": text(status, "phase"),
        "status": printed.status,
        "ready": printed.ready,
        "restarts": printed.restarts,
        "reason": text(status, "reason"),
        "message": text(status, "message"),
        "node": text(spec, "nodeName"),
        "host_ip": text(status, "hostIP"),
        "pod_ips": pod_ips(status),
        "host_network": spec.get("hostNetwork") is True,
        "service_account": text(spec, "serviceAccountName"),
        "qos_class": text(status, "qosClass"),
        "owner_kind": owner.kind if owner else None,
        "owner_name": owner.name if owner else None,
        "workload_kind": workload.kind if workload else None,
        "workload": workload.name if workload else None,
        "application": owners.application(pod),
        "template_hash": text(labels, "pod-template-hash") or text(labels, "controller-revision-hash"),
        "revision": owners.revision(pod),
        "resources": _resources(spec),
        "labels": _json(labels),
        "annotations": _json(_annotations(pod)),
    }


def container_rows(pod: Document, cluster: str) -> list[dict[str, Any]]:
    """CONTAINERS rows of one pod object."""
    identity = {
        "cluster": cluster,
        "namespace": text(pod, "metadata", "namespace"),
        "pod": text(pod, "metadata", "name"),
        "pod_uid": text(pod, "metadata", "uid"),
    }
    return [{**identity, **row} for row in instance_rows(pod)]


def pod_ips(status: Document) -> list[str]:
    """Addresses of both families; podIP first."""
    found = [text(status, "podIP"), *(text(item, "ip") for item in listing(status, "podIPs"))]
    return list(dict.fromkeys(ip for ip in found if ip))


def _condition_since(status: Document, kind: str) -> int | None:
    for condition in listing(status, "conditions"):
        if condition.get("type") == kind and condition.get("status") == "True":
            return instant(condition, "lastTransitionTime")
    return None


def _sandbox_made_anew(status: Document, containers: list[dict[str, Any]]) -> int | None:
    """When the sandbox before the present one ended: containers had run, and ended, before this one was ready.

    The kubelet tells that a sandbox is ready a moment after it is, so the end before it is the better bound.
    """
    ready = _condition_since(status, "PodReadyToStartContainers")
    ran = [row for row in containers if row["container_type"] in ("app", "sidecar")]
    ends = [end for row in ran if (end := row.get("finished_at")) is not None and ready is not None and end <= ready]
    return max(ends) if ends else None


def _finished_at(status: Document, containers: list[dict[str, Any]]) -> int | None:
    if text(status, "phase") not in ("Succeeded", "Failed"):
        return None
    ends = [row["finished_at"] for row in containers if row.get("finished_at") is not None]
    if ends:
        return int(max(ends))
    # Evicted or refused at admission: no container ever reported an end, a condition tells when it was decided.
    for kind in ("DisruptionTarget", "Ready", "ContainersReady"):
        for condition in listing(status, "conditions"):
            if condition.get("type") == kind and (moment := instant(condition, "lastTransitionTime")):
                return moment
    return None


def _resources(spec: Document) -> str | None:
    found = {
        str(item.get("name")): mapping(item, "resources")
        for field in ("initContainers", "containers")
        for item in listing(spec, field)
        if mapping(item, "resources")
    }
    return _json(found) if found else None


def _annotations(document: Document) -> Document:
    annotations = mapping(document, "metadata", "annotations")
    return {key: value for key, value in annotations.items() if not key.endswith("last-applied-configuration")}


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
