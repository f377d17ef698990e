"""The private truth: what this process logged, sent, lost and connected to, as it happens.

One JSON line per event, appended by a single ``write`` to a file on the node. The page
cache keeps it when the process is killed, so the journal outlives every fault but a power cut.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from labservice.settings import Pod


class Journal:
    """Appends events; safe from several threads."""

    def __init__(self, folder: Path, pod: Pod) -> None:
        """Open one file for this process.

        Args:
            folder: The node's folder, mounted into the pod.
            pod: Who this process is; a restarted container opens a later file.
        """
        folder.mkdir(parents=True, exist_ok=True)
        started = time.time_ns()
        path = folder / f"{pod.uid}.{pod.container}.{started}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.write(
            "started",
            namespace=pod.namespace,
            pod=pod.name,
            uid=pod.uid,
            container=pod.container,
            ip=pod.ip,
            image=os.environ.get("IMAGE", ""),
        )

    def write(self, event: str, **facts: object) -> None:
        """Append one event with the time it happened (epoch nanoseconds)."""
        row = {"event": event, "at": time.time_ns(), **facts}
        os.write(self._file, (json.dumps(row, ensure_ascii=False) + "\n").encode())
