"""A hand-collected folder with hostile text, small enough to import in a test."""

from __future__ import annotations

import json
from pathlib import Path

SCRIPT = "<script>alert(1)</script>"
ESCAPE = "\x1b]0;owned\x07\x1b[2J"
POD = "orders-api-5fc5964bfc-4pfpf"


def write_folder(folder: Path) -> Path:
    """A pod that logged ten entries, of which Elasticsearch holds seven; one holds a script, one an escape."""
    _write(folder / "window.json", {"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z", "cluster": "lab",
                                    "captured_at": "2026-11-20T09:30:00Z"})  # fmt: skip
    _write(folder / "kubernetes/pods.json", {"kind": "List", "items": [_pod()]})
    texts = [f"Order {number} accepted for customer {number * 7}" for number in range(8)]
    texts += [f"Payment refused: {SCRIPT}", f"Upstream said: {ESCAPE}"]
    lines = [
        f"2026-11-20T08:{10 + n:02d}:00.123456789Z 2026-11-20 08:{10 + n:02d}:00.123 INFO {t}"
        for n, t in enumerate(texts)
    ]
    console = folder / f"console/shop/{POD}/app.log"
    console.parent.mkdir(parents=True)
    console.write_text("\n".join(lines) + "\n", encoding="utf-8")
    documents = folder / "elasticsearch/hits.ndjson"
    documents.parent.mkdir()
    hits = [_hit(number, text) for number, text in enumerate(texts[:7])]
    documents.write_text("".join(json.dumps(hit) + "\n" for hit in hits), encoding="utf-8")
    return folder


def _pod():
    state = {"running": {"startedAt": "2026-11-20T08:40:00Z"}}
    last = {
        "terminated": {
            "startedAt": "2026-11-20T08:00:05Z",
            "finishedAt": "2026-11-20T08:39:50Z",
            "reason": "OOMKilled",
            "exitCode": 137,
        }
    }
    status = {"name": "app", "restartCount": 1, "ready": True, "image": "registry.example/orders-api:1.4.2",
              "imageID": "registry.example/orders-api@sha256:" + "ab" * 32, "containerID": "containerd://" + "cd" * 32,
              "state": state, "lastState": last}  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD, "namespace": "shop", "uid": "0f", "creationTimestamp": "2026-11-20T08:00:00Z"},
        "spec": {"nodeName": "node-a", "containers": [{"name": "app", "image": "registry.example/orders-api:1.4.2"}]},
        "status": {"phase": "Running", "podIP": "10.1.2.3", "podIPs": [{"ip": "10.1.2.3"}], "startTime": "2026-11-20T08:00:01Z",
                   "containerStatuses": [status], "conditions": []},
    }  # fmt: skip


def _hit(number, text):
    source = {
        "@timestamp": f"2026-11-20T08:{10 + number:02d}:00.123Z",
        "message": text,
        "log.level": "INFO",
        "podName": POD,
    }
    return {"_index": "logs-app", "_id": f"d{number}", "_source": source}


def _write(path: Path, content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
