"""A small hand-collected folder: two pods, one of them with an entry that never arrived."""

import json
from pathlib import Path

POD = "orders-api-7c9f8d6b5-x2k4q"


def write_folder(root: Path) -> Path:
    """Write the folder; every file of the layout that a careful person would collect."""
    texts = {
        "window.json": json.dumps(
            {"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z", "cluster": "shop-test"}
        ),
        "kubernetes/pods.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod()]}),
        f"console/shop/{POD}/app.log": "".join(console()),
        "elasticsearch/hits.ndjson": "".join(hits()),
    }
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def console():
    return [
        f"2026-11-20T08:{minute:02d}:00.000000000Z 2026-11-20 08:{minute:02d}:00,000 INFO orders - Order {minute} accepted\n"
        for minute in range(60)
    ]


def hits():
    for minute in range(60):
        if minute != 30:
            source = {
                "@timestamp": f"2026-11-20T08:{minute:02d}:00.000Z",
                "message": f"Order {minute} accepted",
                "log.level": "INFO",
                "podName": POD,
            }
            yield json.dumps({"_index": "logs", "_id": str(minute), "_source": source}) + "\n"


def pod():
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": POD,
            "namespace": "shop",
            "uid": "0b9c7d1e-0000-4000-8000-000000000001",
            "creationTimestamp": "2026-11-20T07:59:00Z",
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [
                {
                    "name": "app",
                    "image": "registry.example/orders-api:1.4.2",
                    "env": [{"name": "PASSWORD", "value": "hunter2-in-the-clear"}],
                }
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": "10.2.3.4",
            "podIPs": [{"ip": "10.2.3.4"}],
            "startTime": "2026-11-20T07:59:01Z",
            "containerStatuses": [
                {
                    "name": "app",
                    "ready": True,
                    "restartCount": 0,
                    "image": "registry.example/orders-api:1.4.2",
                    "imageID": "registry.example/orders-api@sha256:" + "a" * 64,
                    "containerID": "containerd://" + "b" * 64,
                    "state": {"running": {"startedAt": "2026-11-20T07:59:05Z"}},
                }
            ],
        },
    }
