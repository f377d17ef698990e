"""A small incident in the import layout, built line by line, and the kit's answer to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incident_kit.answers.console_only import console_only
from incident_kit.evidence import read_evidence
from incident_kit.importing import import_folder
from incident_kit.window import format_ns, parse_rfc3339

SECOND = 1_000_000_000
START = parse_rfc3339("2026-11-20T10:00:00Z") or 0
POD = "orders-api-7c9f8d6b5-x2k4q"


@dataclass
class Incident:
    """Console lines and documents of pods; every `log` writes both."""

    lines: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)
    documents: list[dict[str, Any]] = field(default_factory=list)
    window: dict[str, Any] = field(default_factory=dict)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    mappings: dict[str, Any] | None = None
    query: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None
    rotations: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def say(self, at: float, text: str, pod: str = POD, container: str = "app") -> None:
        """Text on the console only, at so many seconds after the window's start."""
        instant = START + round(at * SECOND)
        for number, line in enumerate(text.split("\n")):
            self.lines.setdefault((pod, container), []).append((instant + number * 4_000, line))

    def ship(self, at: float, message: str, level: str = "INFO", pod: str | None = POD, **more: Any) -> None:
        """A document only."""
        source: dict[str, Any] = {
            "@timestamp": format_ns(START + round(at * SECOND)),
            "message": message,
            "level": level,
            **more,
        }
        if pod is not None:
            source["podName"] = pod
        self.documents.append({"_index": "logs", "_id": f"d{len(self.documents)}", "_source": source})

    def log(
        self, at: float, message: str, level: str = "INFO", pod: str = POD, *, shipped: bool = True, **more: Any
    ) -> None:
        """One entry on the console and, if shipped, its document."""
        stamp = (format_ns(START + round(at * SECOND)) or "")[11:23]
        self.say(at + 0.0002, f"{stamp} [main] {level:<5} shop.Orders - {message}", pod)
        if shipped:
            self.ship(at, message, level, pod, **more)

    def usual(
        self,
        begin: float = 10,
        end: float = 600,
        every: float = 5,
        pod: str = POD,
        skip: tuple[float, float] | None = None,
    ) -> None:
        """An ordinary service: a different text every few seconds, heartbeats in between."""
        at, number = begin, 0
        while at < end:
            lost = skip is not None and skip[0] <= at < skip[1]
            self.log(at, f"Order {1000 + number} settled for {number * 7 % 90}.5 EUR", pod=pod, shipped=not lost)
            self.log(at + every / 2, "Heartbeat: consumer alive", pod=pod, shipped=not lost)
            at, number = at + every, number + 1

    def write(self, folder: Path) -> Path:
        """The incident as an import folder."""
        folder.mkdir(parents=True, exist_ok=True)
        window = {"start": format_ns(START), "end": format_ns(START + 1800 * SECOND), "cluster": "test", **self.window}
        (folder / "window.json").write_text(json.dumps(window))
        for (pod, container), lines in self.lines.items():
            self._console(folder / "console" / "shop" / pod, pod, container, sorted(lines, key=lambda one: one[0]))
        elastic = folder / "elasticsearch"
        elastic.mkdir(exist_ok=True)
        if self.answer is not None:
            (elastic / "answer.json").write_text(
                json.dumps({**self.answer, "hits": {**self.answer.get("hits", {}), "hits": self.documents}})
            )
        else:
            (elastic / "hits.ndjson").write_text("".join(json.dumps(one) + "\n" for one in self.documents))
        for name, content in (("mappings", self.mappings), ("query", self.query)):
            if content is not None:
                (elastic / f"{name}.json").write_text(json.dumps(content))
        if self.statuses:
            (folder / "kubernetes").mkdir(exist_ok=True)
            (folder / "kubernetes" / "pods.json").write_text(
                json.dumps({"items": [_pod(pod, status) for pod, status in self.statuses.items()]})
            )
        return folder

    def _console(self, folder: Path, pod: str, container: str, lines: list[tuple[int, str]]) -> None:
        cuts = self.rotations.get((pod, container))
        if cuts is None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{container}.log").write_text("".join(f"{format_ns(time)} {text}\n" for time, text in lines))
            return
        target = folder / container
        target.mkdir(parents=True, exist_ok=True)
        for number, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(lines)], strict=True)):
            name = "0.log" if end == len(lines) else f"0.log.20261120-10000{number}"
            (target / name).write_text(
                "".join(f"{format_ns(time)} stdout F {text}\n" for time, text in lines[begin:end])
            )

    def answered(self, folder: Path) -> list[dict[str, Any]]:
        """Every verdict as plain rows."""
        bundle = import_folder(self.write(folder / "import"), folder / "case.incident", force=True)
        frame = console_only(read_evidence(bundle), verdicts=True)
        return [
            {key: None if value is None or value != value else value for key, value in row.items()}
            for row in frame.to_dict("records")
        ]


def _pod(pod: str, statuses: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": pod,
            "namespace": "shop",
            "uid": f"uid-{pod}",
            "creationTimestamp": "2026-11-20T09:59:59Z",
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "shop/orders:1.4.2"}]},
        "status": {"phase": "Running", "containerStatuses": statuses},
    }


def terminated(at: float, code: int, reason: str) -> dict[str, Any]:
    """Status of a container that ended."""
    end = (format_ns(START + round(at) * SECOND) or "")[:19] + "Z"
    return {
        "name": "app",
        "restartCount": 0,
        "image": "shop/orders:1.4.2",
        "imageID": "shop/orders@sha256:" + "a" * 64,
        "containerID": "containerd://" + "b" * 64,
        "ready": False,
        "state": {
            "terminated": {
                "exitCode": code,
                "reason": reason,
                "startedAt": "2026-11-20T10:00:00Z",
                "finishedAt": end,
                "containerID": "containerd://" + "b" * 64,
            }
        },
        "lastState": {},
    }


def lost(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(cause, text) of the console_only rows."""
    return [(str(row["cause"]), str(row["text"])) for row in rows if row["verdict"] == "console_only"]
