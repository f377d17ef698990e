"""Keeps what would evaporate while the scenario runs: console files and every state of every object.

A hard link to each of the kubelet's log files outlives rotation, restart and deletion; a watch
of pods and jobs remembers objects that are gone at the end. Both are the truth's, not the kit's.
"""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from tests.lab.scenario.lab import Lab


class ConsoleKeeper(threading.Thread):
    """Links every log file of the kubelet's into a folder of ours, under pod, container and inode."""

    def __init__(self, pod_logs: Path, kept: Path, namespace: str) -> None:
        super().__init__(name="console-keeper", daemon=True)
        self._pod_logs, self._kept, self._namespace = pod_logs, kept, namespace
        self._ended = threading.Event()

    def run(self) -> None:
        """Look again and again, faster than a container can restart twice."""
        while not self._ended.wait(0.2):
            self.sweep()

    def sweep(self) -> None:
        """Link what is new. Rotated files keep their inode when renamed; gzipped copies are skipped."""
        for path in self._pod_logs.glob(f"{self._namespace}_*/*/*.log*"):
            if path.name.endswith((".gz", ".tmp")):
                continue
            pod, container = path.parent.parent.name, path.parent.name
            try:
                link = self._kept / pod / container / f"{path.name.split('.')[0]}.{path.stat().st_ino}"
                if not link.exists():
                    link.parent.mkdir(parents=True, exist_ok=True)
                    os.link(path, link)
            except FileNotFoundError:
                continue  # deleted between the listing and the link: an older link has its content

    def stop(self) -> None:
        """One last sweep, then end."""
        self._ended.set()
        self.join()
        self.sweep()


class ObjectWatch:
    """``kubectl get KIND --watch -o json`` into a file, for as long as the scenario runs."""

    def __init__(self, lab: Lab, kinds: tuple[str, ...], folder: Path, namespace: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        facts = lab.facts["kubernetes"]
        base = [facts["kubectl"], "--kubeconfig", facts["kubeconfig"], "-n", namespace, "get"]
        self._processes = []
        for kind in kinds:
            with (folder / f"{kind}.json").open("wb") as file:
                command = [*base, kind, "--watch", "--output-watch-events", "-o", "json"]
                self._processes.append(subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL))

    def stop(self) -> None:
        """End the watches that we started."""
        for process in self._processes:
            process.terminate()
            process.wait(10)
