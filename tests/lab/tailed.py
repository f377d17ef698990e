"""What a log shipper of the node did with the lines of others: read, labelled, shipped, or lost at a rotation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.lab.truth import Process

Container = tuple[str, str]  # pod uid, container


@dataclass
class Tailed:
    """Lines that a collector read, by container and kubelet time (ns).

    Attributes:
        read: process and sequence in the collector's own journal, and whether the line was labelled with its pod.
        last: time of the last line read.
    """

    read: dict[tuple[str, str, int], tuple[Process, int, bool]] = field(default_factory=dict)
    last: dict[Container, int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def of(cls, processes: Iterable[Process], nanoseconds: Any) -> Tailed:
        """Gather what all collectors read."""
        found = cls()
        for process in processes:
            for event in process.events:
                if event["event"] == "tailed":
                    key = (event["uid"], event["container"])
                    at = nanoseconds(event["stamp"])
                    found.read[*key, at] = (process, event["sequence"], event["labelled"])
                    found.last[key] = max(found.last[key], at)
        return found

    def covers(self, container: Container) -> bool:
        """Whether somebody tails this container."""
        return container in self.last

    def judge(self, container: Container, at: int, documents: set[str]) -> dict[str, Any]:
        """A line's verdict, cause and documents; see ``tests.lab.truth.judge``."""
        verdict: dict[str, Any] = {"verdict": "in_flight", "cause": None, "causes": [], "documents": []}
        known = self.read.get((*container, at))
        if known:
            process, sequence, labelled = known
            verdict["documents"] = [each for each in process.sent[sequence] if each in documents]
            if verdict["documents"]:
                verdict["verdict"] = "matched" if labelled else "without_pod_name"
        elif at < self.last[container]:  # it read on in the next file
            verdict |= {"verdict": "console_only", "cause": "rotation_edge", "causes": ["rotation_edge"]}
        return verdict
