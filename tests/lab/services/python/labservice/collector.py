"""A log shipper of the node: tails the kubelet's files of some pods and ships each line: ``python -m labservice.collector``.

It has the two faults that real ones have: it follows a file by its name, so that what was written between its last look
and a rotation is lost; and it ships lines without the pod's metadata until it has learnt them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from labservice.journal import Journal
from labservice.settings import Pod, Shipping
from labservice.shipping import BulkShipper

LOOK_SECONDS = 1.0


@dataclass
class Tail:
    """One container's file, followed by name."""

    path: Path
    pod: str
    uid: str
    container: str
    file: IO[bytes] | None = None
    inode: int = 0
    rest: bytes = field(default=b"")

    def lines(self) -> Iterator[str]:
        """Whole lines since the last look; when the name leads to another file, the old one is let go unread."""
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:  # in the middle of a rotation
            return
        if inode != self.inode:
            if self.file:
                self.file.close()
            self.file, self.inode, self.rest = self.path.open("rb"), inode, b""
        assert self.file
        *whole, self.rest = (self.rest + self.file.read()).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")


class Collector:
    """Tails, numbers, ships."""

    def __init__(self) -> None:
        self.pod = Pod.from_environment()
        self.journal = Journal(Path(os.environ["TRUTH_FOLDER"]), self.pod)
        self.folder = Path(os.environ["POD_LOGS"])
        self.apps = tuple(os.environ["COLLECTS"].split(","))
        self.decodes = tuple(os.environ.get("DECODES", "").split(","))
        self.shipper = BulkShipper(Shipping.from_environment(), self.journal)
        self.shipper.start()
        self.learns_at = time.monotonic() + float(os.environ.get("METADATA_SECONDS", "5"))
        self.tails: dict[Path, Tail] = {}
        self.sequence = 0

    def run(self) -> None:
        """Look for files and for lines, for ever."""
        while True:
            for path in sorted(self.folder.glob(f"{self.pod.namespace}_*/*/0.log")):
                _, name, uid = path.parent.parent.name.split("_")
                if path not in self.tails and name.startswith(self.apps):
                    self.tails[path] = Tail(path, name, uid, path.parent.name)
            for tail in self.tails.values():
                for line in tail.lines():
                    self.ship(tail, line)
            time.sleep(LOOK_SECONDS)

    def ship(self, tail: Tail, line: str) -> None:
        """One line as one document, as Filebeat and Fluent Bit write it."""
        stamp, stream, _flag, *text = line.split(" ", 3)
        self.sequence += 1
        labelled = time.monotonic() >= self.learns_at
        self.journal.write(
            "tailed",
            sequence=self.sequence,
            uid=tail.uid,
            container=tail.container,
            stamp=stamp,
            labelled=labelled,
        )
        document: dict[str, object] = {"message": text[0] if text else ""}
        if tail.pod.startswith(self.decodes) and text and text[0].startswith("{"):
            document = json.loads(text[0])
        document |= {"@timestamp": stamp, "stream": stream, "input": {"type": "container"}}
        if labelled:
            document["kubernetes"] = {
                "namespace": self.pod.namespace,
                "pod": {"name": tail.pod, "uid": tail.uid},
                "container": {"name": tail.container},
                "node": {"name": self.pod.node},
            }
        self.shipper.offer(self.sequence, document)


if __name__ == "__main__":
    Collector().run()
