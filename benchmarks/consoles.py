"""Consoles of many pods, against ``kubectl logs`` in a shell loop, eight at a time: ``python -m benchmarks.consoles``.

Needs the lab's Kubernetes. Starts ``PODS`` pods (100 by default) that each print ``LINES`` lines (2000) in a namespace of its
own, takes their consoles in three ways, counts the lines of each, prints one table, and deletes the namespace.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.measure import run_python

PODS = int(os.environ.get("PODS", "100"))
LINES = int(os.environ.get("LINES", "2000"))
NAMESPACE = "kit-bench-consoles"
LAB = Path(os.environ.get("INCIDENT_KIT_LAB") or Path.home() / ".cache" / "incident-kit-lab")
# Every fiftieth line holds something to hide.
SHELL = """i=0; while [ $i -lt {lines} ]; do
  case $((i % 50)) in 0) who=bob$i@example.com;; *) who=customer-$i;; esac
  echo "[08:00:00 INF] Order $i of $who accepted in $i ms"; i=$((i+1))
done; sleep 86400"""
KEY = b"benchmark" * 4


def main() -> None:
    """Start the pods, measure, print, and remove them."""
    facts = json.loads((LAB / "lab.json").read_text())["kubernetes"]
    try:
        start(facts)
        print("| way | pods | lines | MB | seconds | CPU s | peak MiB |\n" + "| --- " * 7 + "|")
        for _ in range(2):
            for work in WORKS:
                measure(work)
    finally:
        kubectl(facts, "delete", "namespace", NAMESPACE, "--wait=false")


def kubectl(facts: dict[str, Any], *arguments: str, stdin: str | None = None) -> str:
    """Run kubectl as the lab's administrator."""
    command = [facts["kubectl"], "--kubeconfig", facts["kubeconfig"], *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True, timeout=300).stdout


def start(facts: dict[str, Any]) -> None:
    """Pods that print and then sleep, all of them printing done."""
    kubectl(facts, "create", "namespace", NAMESPACE)
    items = [pod(number, facts["shell_image"]) for number in range(PODS)]
    kubectl(facts, "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    end = time.monotonic() + 600
    waiting = {f"many-{number}" for number in range(PODS)}
    while waiting:
        if time.monotonic() > end:
            raise TimeoutError(f"{len(waiting)} pods did not print within ten minutes, {min(waiting)} among them")
        phases = kubectl(
            facts, "-n", NAMESPACE, "get", "pods", "--no-headers", "-o", "custom-columns=:.metadata.name,:.status.phase"
        )
        running = {line.split()[0] for line in phases.splitlines() if line.split()[1] == "Running"} & waiting
        for name in sorted(running):
            last = kubectl(facts, "-n", NAMESPACE, "logs", name, "--tail=1")
            if f"Order {LINES - 1} " in last:
                waiting.discard(name)
        time.sleep(1)


def pod(number: int, image: str) -> dict[str, Any]:
    """One small pod."""
    command = ["/bin/sh", "-c", SHELL.format(lines=LINES)]
    resources = {"requests": {"cpu": "1m", "memory": "4Mi"}}
    container = {"name": "app", "image": image, "imagePullPolicy": "IfNotPresent", "command": command}
    spec = {"containers": [{**container, "resources": resources}], "terminationGracePeriodSeconds": 0}
    metadata = {"name": f"many-{number}", "namespace": NAMESPACE}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {**spec, "automountServiceAccountToken": False},
    }


def measure(work: str) -> None:
    """Run one way in a fresh interpreter and print its row."""
    seconds, usage, output = run_python(work, "-W", "ignore", "-m", "benchmarks.consoles", work)
    lines, size = (int(word) for word in output.split()[-2:])
    assert lines == PODS * LINES, f"{work}: {lines} of {PODS * LINES} lines"
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    print(f"| {work} | {PODS} | {lines} | {size / 1e6:.1f} | {seconds:.1f} | {cpu:.1f} | {peak:.0f} |", flush=True)


def kubectl_eight_at_a_time(facts: dict[str, Any], folder: Path) -> None:
    """What people do: a shell loop over the pods' names."""
    base = f"{facts['kubectl']} --kubeconfig {facts['kubeconfig']} -n {NAMESPACE}"
    loop = f"{base} get pods -o name | xargs -P 8 -I % sh -c '{base} logs --timestamps % > {folder}/$(basename %).log'"
    subprocess.run(loop, shell=True, check=True, timeout=600)


def kit_consoles_only(facts: dict[str, Any], folder: Path) -> None:
    """The kit's readers, sixteen at a time as by default: redacted, compressed, lines counted."""
    from incident_kit.capture.store import RawStore
    from incident_kit.redaction import Redactor
    from incident_kit.sources.console import console_files, read_console
    from incident_kit.sources.kubernetes import Cluster

    cluster, store = Cluster(kubeconfig=facts["kubeconfig"]), RawStore(folder, Redactor(KEY))
    files = [file for one in cluster.list("pods", NAMESPACE) for file in console_files(one)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda file: store.text(f"{file.relative}.gz", read_console(cluster, file, None)), files))


def kit_whole_capture(facts: dict[str, Any], folder: Path) -> None:
    """``incident-kit capture`` of the namespace: all kinds of objects, consoles, tables, checksums."""
    profile = f'[profiles.b.kubernetes]\nkubeconfig = "{facts["kubeconfig"]}"\n[profiles.b.argocd]\nenabled = false\n'
    (folder / "incident-kit.toml").write_text(profile)
    command = ["capture", "--profile", "b", "--namespace", NAMESPACE, "--from", "-2h", "-o", "many.incident"]
    program = Path(sys.executable).with_name("incident-kit")
    done = subprocess.run([program, *command], cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stderr[-2000:])


def counted(folder: Path) -> tuple[int, int]:
    """Lines and bytes of all consoles under a folder, by their own end."""
    import gzip

    lines = size = 0
    for path in folder.rglob("*.log*"):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines, size = lines + data.count(b"\n"), size + len(data)
    return lines, size


WORKS: dict[str, Callable[[dict[str, Any], Path], None]] = {
    work.__name__: work for work in (kubectl_eight_at_a_time, kit_consoles_only, kit_whole_capture)
}

if __name__ == "__main__":
    if len(sys.argv) == 2:
        with tempfile.TemporaryDirectory() as temporary:
            WORKS[sys.argv[1]](json.loads((LAB / "lab.json").read_text())["kubernetes"], Path(temporary))
            print(*counted(Path(temporary)))
    else:
        main()
