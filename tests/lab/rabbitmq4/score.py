"""What the kit makes of each capture, against the truth: right, ambiguous, none, missed, and wrong single answers.

The captures know the broker alone. The pods' objects are laid beside what was captured, as somebody would who collected
them by hand, and imported.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from incident_kit.correlate.rabbitmq.owners import Matched, matched_connections
from incident_kit.evidence import Evidence, read_evidence
from incident_kit.importing import import_folder
from tests.lab.rabbitmq4.pods import BY_CASE, CLIENTS, ONE, objects
from tests.lab.rabbitmq4.truth import Owned, read

#: What came within the last moments may be in no list and not yet in the log; a watch sees what lasts a fifth of a second.
_LAG = 3_000_000_000
_SAME = 35_000_000_000
COLUMNS = ("right", "ambiguous", "none", "missed", "wrong")


def imported(folder: Path, started: int, rabbitmq: Iterable[tuple[str, bytes]], window: dict[str, Any]) -> Evidence:
    """Evidence of what a capture holds of the broker and of the pods' objects.

    Args:
        folder: an empty one, for the files and the bundle.
        started: when the play began (ns).
        rabbitmq: names and contents of the files of the broker.
        window: as ``window.json`` has it.
    """
    files = {f"rabbitmq/{name}": content for name, content in rabbitmq}
    for plural, items in objects(started).items():
        files[f"kubernetes/{plural}.json"] = json.dumps({"items": items}).encode()
    files["window.json"] = json.dumps(window).encode()
    for name, content in files.items():
        path = folder / "collected" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return read_evidence(import_folder(folder / "collected", folder / "pods.incident", force=True))


class Score:
    """Counts by case, and in words what is wrong, what is missing and what has one honest answer and did not get it."""

    def __init__(self, evidence: Evidence, truth: list[Owned], until: int) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.words: list[str] = []
        self.strangers: list[str] = []
        self._truth, self._until = truth, until
        seen: list[Owned] = []
        for matched in matched_connections(evidence):
            true = self._true(matched)
            if true is None:
                self.strangers.append(f"{matched.connection.connection} on {matched.connection.rabbit_node}")
                continue
            seen.append(true)
            self._judge(matched, true)
        for one in truth:
            if one.opened_at < until - _LAG and one not in seen:
                self.counts[one.case]["missed"] += 1
                self.words.append(f"missed: {one}")

    def _true(self, matched: Matched) -> Owned | None:
        connection = matched.connection
        fitting = [
            one
            for one in self._truth
            if (one.host, one.port, one.rabbit_node)
            == (connection.peer_host, connection.peer_port, connection.rabbit_node)
        ]
        begin = connection.connected_at
        near = [one for one in fitting if begin is None or abs(one.opened_at - begin) < _SAME]
        if near and (begin is not None or len(near) == 1):
            return min(near, key=lambda one: abs(one.opened_at - (begin or 0)))
        return self._too_short(matched)

    @staticmethod
    def _too_short(matched: Matched) -> Owned | None:
        """A connection that was over before the watch looked: of the one client that has the address."""
        connection = matched.connection
        clients = [client for client in CLIENTS if client.ip == connection.peer_host]
        if len(clients) != 1 or connection.peer_port is None:
            return None
        node, port, begin = str(connection.rabbit_node), connection.peer_port, connection.begin or 0
        return Owned(clients[0].case, node, clients[0].ip, port, begin, connection.closed_at)

    def _judge(self, matched: Matched, true: Owned) -> None:
        client, match, connection = BY_CASE[true.case], matched.match, matched.connection
        if match.single:
            right = match.lives[0].pod == client.pod
            self.counts[true.case]["right" if right else "wrong"] += 1
            if not right:
                self.words.append(
                    f"wrong: {connection.connection} of {client.pod}: {match.lives[0].pod}, {match.reason}"
                )
        else:
            self.counts[true.case][match.kind] += 1
            if client.honest == ONE:
                self.words.append(f"{match.kind}: {connection.connection} of {client.pod}: {match.reason}")
        self._judge_end(matched, true)

    def _judge_end(self, matched: Matched, true: Owned) -> None:
        """Whether the kit ends what went on, or lets go on what had ended before the capture."""
        connection, closed = matched.connection, matched.connection.closed_at
        known = f"{connection.connection} on {connection.rabbit_node} of {true.case}"
        if closed is not None and (true.closed_at is None or true.closed_at > closed + _SAME):
            self.words.append(f"end: {known} went on, and was ended by the kit: {connection.close_reason}")
        elif closed is None and true.closed_at is not None and true.closed_at < self._until - _LAG:
            self.words.append(f"end: {known} had ended, and is open to the kit")

    @property
    def total(self) -> Counter[str]:
        """Counts over all cases."""
        return sum(self.counts.values(), Counter())


def score(play: Path, capture: str) -> tuple[Score, Evidence]:
    """The score of one capture of a play, and the evidence it is of."""
    played, bundle, folder = (
        json.loads((play / "played.json").read_text()),
        play / f"{capture}.incident",
        play / capture,
    )
    manifest = json.loads((bundle / "manifest.json").read_text())
    window = {**manifest["window"], "captured_at": manifest["captured_at"], "cluster": manifest["cluster"]}
    shutil.rmtree(folder, ignore_errors=True)
    files = ((path.name, path.read_bytes()) for path in (bundle / "raw" / "rabbitmq").iterdir())
    evidence, at = imported(folder, played["started"], files, window), played["captures"][capture]
    return Score(evidence, [one for one in read(play / "truth.jsonl") if one.opened_at < at], at), evidence
