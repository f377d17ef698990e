"""Collect the scenario's evidence by hand, as somebody with only kubectl and curl would.

``python -m tests.lab.handmade [FOLDER]`` writes the raw layout that ``incident-kit import`` reads.
It uses nothing of the kit, so that an import can be compared with what was there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.lab.scenario.lab import LAB, NAMESPACE, TRUTH, Lab

PLURALS = (
    "pods",
    "replicasets",
    "deployments",
    "statefulsets",
    "daemonsets",
    "jobs",
    "cronjobs",
    "events",
    "configmaps",
    "services",
    "endpointslices",
    "networkpolicies",
    "ingresses",
    "namespaces",
    "nodes",
)
RABBIT = ("overview", "nodes", "connections", "channels", "consumers", "queues", "vhosts")


def instant(nanoseconds: int) -> str:
    """Epoch nanoseconds as RFC 3339 with whole microseconds."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat().replace("+00:00", "Z")


def console(lab: Lab, pod: dict[str, Any], folder: Path) -> None:
    """``kubectl logs --timestamps``, current and previous, of each container of a pod."""
    kubernetes = lab.facts["kubernetes"]
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    target = folder / "console" / namespace / name
    target.mkdir(parents=True, exist_ok=True)
    for status in pod["status"].get("containerStatuses", []):
        container = status["name"]
        base = [
            kubernetes["kubectl"],
            "--kubeconfig",
            kubernetes["kubeconfig"],
            "-n",
            namespace,
            "logs",
            name,
            "-c",
            container,
            "--timestamps",
        ]
        wanted = [(f"{container}.log", base)]
        if status["restartCount"]:
            wanted.append((f"{container}.previous.log", [*base, "--previous"]))
        for file, command in wanted:
            done = subprocess.run(command, capture_output=True, check=False)
            if done.returncode == 0:
                (target / file).write_bytes(done.stdout)


def collect(lab: Lab, folder: Path) -> dict[str, int]:
    """Write everything; returns how many objects, hits and lines there are."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("kubernetes", "elasticsearch", "rabbitmq", "argocd"):
        (folder / part).mkdir(parents=True)
    window = json.loads((TRUTH / "window.json").read_text())
    captured = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    body = {"start": instant(window["from"]), "end": instant(window["to"]), "captured_at": captured, "cluster": "lab"}
    (folder / "window.json").write_text(json.dumps(body, indent=1))
    counts: dict[str, int] = {}
    for plural in PLURALS:
        text = lab.kubectl("get", plural, "-A", "-o", "json")
        (folder / "kubernetes" / f"{plural}.json").write_text(text)
        counts[plural] = len(json.loads(text)["items"])
    for pod in json.loads((folder / "kubernetes" / "pods.json").read_text())["items"]:
        if pod["metadata"]["namespace"] == NAMESPACE:
            console(lab, pod, folder)
    hits = lab.hits("logs-shop-*", {"match_all": {}})
    lines = (
        json.dumps({key: hit[key] for key in ("_index", "_id", "_source")}, ensure_ascii=False) + "\n" for hit in hits
    )
    (folder / "elasticsearch" / "hits.ndjson").write_text("".join(lines))
    (folder / "elasticsearch" / "mappings.json").write_text(
        json.dumps(lab.elastic("GET", "/logs-shop-*/_mapping"), indent=1)
    )
    counts["hits"] = len(hits)
    for name in RABBIT:
        (folder / "rabbitmq" / f"{name}.json").write_text(json.dumps(lab.rabbit(f"/{name}"), indent=1))
    for node in lab.facts["rabbitmq"]["nodes"]:
        shutil.copyfile(node["log"], folder / "rabbitmq" / f"{node['name']}.log")
    applications = lab.kubectl("get", "applications.argoproj.io", "-A", "-o", "json", check=False)
    if applications:
        (folder / "argocd" / "applications.json").write_text(applications)
    counts["console lines"] = sum(1 for path in console_files(folder) for _ in path.open("rb"))
    return counts


def console_files(folder: Path) -> Iterator[Path]:
    """The console files of a raw folder."""
    return folder.glob("console/*/*/*.log")


def main() -> None:
    """Collect into a folder, by default beside the lab's other state."""
    parser = argparse.ArgumentParser(prog="tests.lab.handmade", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=LAB / "handmade")
    folder = parser.parse_args().folder
    print(json.dumps(collect(Lab.running(), folder)), folder)


if __name__ == "__main__":
    main()
