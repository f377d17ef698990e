"""A synthetic incident of any size in the raw layout: services that log to the console and to Elasticsearch.

Eight in a hundred thousand documents are withheld, so that there is something to find; heartbeats repeat, every
other template is unique to its entry. Deterministic by seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
TEMPLATES = (
    "Handled {method} {path} in {n} ms for tenant {tenant}",
    "Order {n} of tenant {tenant} accepted, {m} lines",
    "Message {n} taken from queue {tenant}.work, {m} left",
    "Cache miss for key {tenant}:{n}",
    "heartbeat",
    "Retrying payment {n}, attempt {m}",
    "User {tenant} logged in from session {n}",
    "Flushed {m} rows to table {tenant}",
)
LEVELS = ("INFO", "INFO", "INFO", "DEBUG", "INFO", "WARN", "INFO", "INFO")
METHODS, PATHS = ("GET", "POST", "PUT"), ("/orders", "/orders/{id}/lines", "/health", "/payments")
LOST_PER_MILLION = 80


def write_incident(folder: Path, entries: int, pods: int = 40, seed: int = 1) -> int:
    """Write an incident with this many console entries; the number of withheld documents."""
    generator = random.Random(seed)
    lost = 0
    (folder / "kubernetes").mkdir(parents=True)
    (folder / "elasticsearch").mkdir()
    names = [f"service{i % 8}-7c9f8d6b{i % 10}-{'bcdfg'[i % 5]}{i:04d}" for i in range(pods)]
    share = entries // pods
    for number, pod in enumerate(names):
        target = folder / "console" / "bench" / pod
        target.mkdir(parents=True)
        with (
            (target / "app.log").open("w", buffering=1 << 20) as console,
            (folder / "elasticsearch" / f"{number:03d}.ndjson").open("w", buffering=1 << 20) as hits,
        ):
            for line, document in _entries(pod, share, generator):
                console.write(line)
                if generator.random() * 1_000_000 < LOST_PER_MILLION:
                    lost += 1
                else:
                    hits.write(document)
    window = {"start": _text(START), "end": _text(START + timedelta(hours=3)), "cluster": "bench"}
    (folder / "window.json").write_text(json.dumps(window))
    (folder / "kubernetes" / "pods.json").write_text(
        json.dumps({"items": [_pod(name, i) for i, name in enumerate(names)]})
    )
    return lost


def _entries(pod: str, count: int, generator: random.Random) -> Iterator[tuple[str, str]]:
    step = timedelta(hours=2) / max(count, 1)
    for i in range(count):
        moment = START + step * i
        kind = generator.randrange(len(TEMPLATES))
        message = TEMPLATES[kind].format(
            method=METHODS[i % 3], path=PATHS[i % 4], n=generator.randrange(10**7), m=i % 97, tenant=f"t{i % 50}"
        )
        written = _text(moment)
        app_time = _text(moment - timedelta(microseconds=generator.randrange(50, 4000)))
        line = f"{written} {app_time} {LEVELS[kind]:<5} [worker-{i % 4}] com.example.Service{kind} - {message}\n"
        source = {
            "@timestamp": app_time[:23] + "Z",
            "log.level": LEVELS[kind],
            "log.logger": f"com.example.Service{kind}",
            "message": message,
            "podName": pod,
        }
        yield line, f'{{"_index":"logs-bench","_id":"{pod}-{i}","_source":{json.dumps(source)}}}\n'


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def _pod(name: str, number: int) -> dict[str, object]:
    started = "2026-11-20T07:59:00Z"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "bench", "uid": f"uid-{number}", "creationTimestamp": started},
        "spec": {"containers": [{"name": "app", "image": "registry.example/bench:1"}], "nodeName": "node-1"},
        "status": {
            "phase": "Running",
            "startTime": started,
            "podIP": f"10.2.{number // 250}.{number % 250 + 1}",
            "containerStatuses": [
                {
                    "name": "app",
                    "image": "registry.example/bench:1",
                    "imageID": "registry.example/bench@sha256:" + "0" * 64,
                    "containerID": f"containerd://{number:064d}",
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": started}},
                }
            ],
        },
    }
