"""Bundles made by the import itself from a few objects, for tests of what is asked of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from incident_kit.evidence import Evidence, read_evidence
from incident_kit.importing import import_folder
from incident_kit.window import Window

START, END, CAPTURED = "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", "2026-11-20T11:00:30Z"


def bundle(
    folder: Path,
    files: dict[str, Any],
    *,
    captured_at: str | None = CAPTURED,
    name: str = "x",
    start: str = START,
    end: str = END,
) -> Evidence:
    """Evidence imported from files by path: text as it is, lists as Kubernetes Lists or arrays."""
    raw = folder / f"{name}-raw"
    window = {"start": start, "end": end, "cluster": "test"} | ({"captured_at": captured_at} if captured_at else {})
    for path, content in {"window.json": window, **files}.items():
        target = raw / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            target.write_text(content, encoding="utf-8")
            continue
        if path.startswith("kubernetes/"):
            content = {"kind": "List", "apiVersion": "v1", "items": content}
        target.write_text(json.dumps(content), encoding="utf-8")
    output = folder / f"{name}.incident"
    import_folder(raw, output, window=Window.parse(start, end))
    return read_evidence(output)


def pod(
    name: str,
    *,
    ip: str | None = None,
    uid: str | None = None,
    namespace: str = "shop",
    created: str = "09:00:00",
    **more: Any,
) -> dict[str, Any]:
    """A running pod object; ``finished`` ends it, ``node``, ``host_network``, ``owner``, ``image`` as named."""
    finished = more.get("finished")
    terminated = (
        {"exitCode": 0, "reason": "Completed", "startedAt": day(created), "finishedAt": day(finished)}
        if finished
        else None
    )
    state = {"terminated": terminated} if terminated else {"running": {"startedAt": day(created)}}
    image = more.get("image", "registry/app:1")
    owner = more.get("owner")
    return {
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": name, "namespace": namespace, "uid": uid or f"uid-{namespace}-{name}", "creationTimestamp": day(created),
            "labels": more.get("labels", {}),
            **({"ownerReferences": [{"kind": owner[0], "name": owner[1], "uid": f"uid-{owner[1]}", "controller": True}]} if owner else {}),
        },
        "spec": {"nodeName": more.get("node", "node-1"), "hostNetwork": more.get("host_network", False),
                 "containers": [{"name": "app", "image": image, "imagePullPolicy": more.get("pull", "IfNotPresent")}]},
        "status": {
            "phase": "Succeeded" if finished else "Running", "startTime": day(created), "podIP": ip, "podIPs": [{"ip": ip}] if ip else [],
            "hostIP": more.get("host_ip", "10.0.0.4"),
            "containerStatuses": [{"name": "app", "restartCount": 0, "ready": not finished, "image": image,
                                   "imageID": more.get("image_id", "registry/app@sha256:aa"), "containerID": f"containerd://{name}", "state": state}],
        },
    }  # fmt: skip


def day(time: str | None) -> str | None:
    """An instant of the tests' day."""
    return f"2026-11-20T{time}Z" if time else None


def node(name: str, ip: str, cidr: str | None = None) -> dict[str, Any]:
    """A Node object."""
    return {"kind": "Node", "metadata": {"name": name, "uid": f"uid-{name}"}, "spec": {"podCIDR": cidr} if cidr else {},
            "status": {"addresses": [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}]}}  # fmt: skip


def replica_set(
    name: str,
    template_hash: str,
    image: str,
    *,
    namespace: str = "shop",
    created: str = "08:00:00",
    revision: str = "3",
) -> dict[str, Any]:
    """A ReplicaSet of a Deployment."""
    deployment = name.removesuffix(f"-{template_hash}")
    return {
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "creationTimestamp": day(created),
                     "labels": {"pod-template-hash": template_hash}, "annotations": {"deployment.kubernetes.io/revision": revision},
                     "ownerReferences": [{"kind": "Deployment", "name": deployment, "uid": f"uid-{deployment}", "controller": True}]},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}},
    }  # fmt: skip


def connection(
    peer: str, port: int, at: str, *, name: str | None = None, node: str = "rabbit@rabbit-0", **more: Any
) -> dict[str, Any]:
    """A connection as the management API lists it."""
    from incident_kit.window import parse_rfc3339

    opened = parse_rfc3339(day(at) or "")
    bracketed = f"[{peer}]" if ":" in peer else peer
    return {"name": f"{bracketed}:{port} -> 10.0.9.9:5672", "node": node, "peer_host": peer, "peer_port": port, "state": "running",
            "connected_at": (opened or 0) // 1_000_000, "vhost": "shop", "user": "app", "channels": 1,
            **({"user_provided_name": name} if name else {}), **more}  # fmt: skip


RUNNING_NODES = [
    {"name": "rabbit@rabbit-0", "running": True, "partitions": []},
    {"name": "rabbit@rabbit-1", "running": True, "partitions": []},
]
