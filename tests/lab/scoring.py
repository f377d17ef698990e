"""The kit's answers against the lab's truth: confusion matrix, precision, recall, wrong single answers.

Only contracted columns are read. An answer of ``unknown`` is neither right nor wrong; it is counted.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.truth import SECOND, nanoseconds, read_table

Row = dict[str, Any]


@dataclass
class Score:
    """Counts of one comparison, printable."""

    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    swallowed: int = 0
    split: int = 0
    judged: int = 0

    @property
    def precision(self) -> float:
        """Of the entries called console_only, the share that is."""
        called = sum(count for (_, answer), count in self.confusion.items() if answer == "console_only")
        return self.confusion["console_only", "console_only"] / called if called else 1.0

    @property
    def recall(self) -> float:
        """Of the entries that never reached Elasticsearch, the share called so."""
        true = sum(count for (truth, _), count in self.confusion.items() if truth == "console_only")
        return self.confusion["console_only", "console_only"] / true if true else 1.0

    @property
    def cause_accuracy(self) -> float:
        """Of the entries rightly called console_only, the share with an accepted cause."""
        total = sum(self.causes.values())
        return sum(count for (truth, answer), count in self.causes.items() if truth == answer) / total if total else 1.0

    def table(self) -> str:
        """Both matrices as text."""
        parts = [
            f"{self.judged} entries judged; precision {self.precision:.4f}, recall {self.recall:.4f}, "
            f"cause accuracy {self.cause_accuracy:.4f}; {self.split} wrongly split, {self.swallowed} swallowed"
        ]
        parts += ["verdicts (truth in rows, answer in columns):", matrix(self.confusion)]
        parts += ["causes of console_only (truth in rows, answer in columns):", matrix(self.causes)]
        parts += ["wrong answers:" if self.wrong else "no wrong answer"]
        parts += [f"  {len(texts):>5} x {what}: {texts[0][:100]!r}" for what, texts in self.wrong.items()]
        return "\n".join(parts)

    def unknowns(self) -> Counter[str]:
        """True verdicts of the entries that were called unknown."""
        return Counter({truth: count for (truth, answer), count in self.confusion.items() if answer == "unknown"})


def matrix(counts: Counter[tuple[str, str]]) -> str:
    """A confusion matrix with its sums."""
    columns = sorted({answer for _, answer in counts})
    rows = sorted({truth for truth, _ in counts})
    width = max([10, *(len(name) for name in rows)])
    lines = [" " * width + "".join(f" {name[:17]:>17}" for name in columns)]
    lines += [f"{row:<{width}}" + "".join(f" {counts[row, column] or '.':>17}" for column in columns) for row in rows]
    return "\n".join(lines)


def answer(command: str, *arguments: object) -> dict[str, Any]:
    """Ask the installed command for JSON; exit 3 is an answer with gaps."""
    program = Path(sys.executable).with_name("incident-kit")
    done = subprocess.run(
        [program, command, *map(str, arguments), "--output", "json"], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 3):
        raise RuntimeError(f"incident-kit {command}: exit {done.returncode}\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def captured_times(raw: Path) -> set[tuple[str, str, int]]:
    """(pod, container, kubelet time) of every console line that the evidence holds."""
    seen = set()
    for path in raw.glob("console/*/*/**/*"):
        if not path.is_file():
            continue
        pod = path.relative_to(raw / "console").parts[1]
        container = re.split(r"\.", path.name)[0] if path.parent.name == pod else path.parent.name
        for line in _lines(path):
            stamp = line.split(" ", 1)[0]
            if re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z$", stamp):
                seen.add((pod, container, nanoseconds(stamp)))
    return seen


def _lines(path: Path) -> Iterator[str]:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return iter(content.decode(errors="replace").split("\n"))


def score_console(rows: list[Row], truth: Path, raw: Path, window: tuple[int, int]) -> Score:
    """Compare ``console-only --verdicts`` with the truth of every captured line.

    Args:
        rows: The answer's rows; those of side ``elastic`` are not looked at.
        truth: The truth's folder.
        raw: The bundle's raw folder: what was not captured cannot be judged.
        window: From and to, epoch nanoseconds.
    """
    score = Score()
    captured = captured_times(raw)
    lines = {(row["pod"], row["container"], row["at"]): row for row in read_table(truth / "lines.jsonl.gz")}
    wanted = {
        key: row
        for key, row in lines.items()
        if row["first"] and key in captured and window[0] <= row["at"] < window[1] and row["verdict"] != "in_flight"
    }
    said: dict[tuple[str, str, int], Row] = {}
    for row in rows:
        if row["side"] != "console" or row["time"] is None:
            continue
        key = (row["pod"], row["container"], nanoseconds(row["time"]))
        said[key] = row
        if not window[0] <= key[2] < window[1]:
            continue
        if key in lines and not lines[key]["first"] and lines[key]["sequence"] is not None:
            score.split += 1
    for key, row in wanted.items():
        if key not in said:
            score.swallowed += 1
            score.wrong[f"swallowed, of {key[0]}/{key[1]}"].append(row["text"])
            continue
        _compare(score, row, said[key])
    return score


def _compare(score: Score, row: Row, said: Row) -> None:
    score.judged += 1
    verdict = said["verdict"]
    if verdict == "late" and not row.get("tells_arrival"):
        verdict = "matched"  # where no document tells its arrival, the truth does not know lateness
    if verdict in row.get("accepts", ()):
        verdict = row["verdict"]
    who = f"{row['pod']}/{row['container']}"
    score.confusion[row["verdict"], verdict] += 1
    if row["verdict"] == verdict == "console_only":
        cause = said["cause"] or "none"
        score.causes[cause if cause in row["causes"] else row["cause"], cause] += 1
        if cause not in row["causes"]:
            score.wrong[f"cause of {who} is {row['cause']}, said {cause} ({said.get('evidence')})"].append(row["text"])
    elif verdict not in ("unknown", row["verdict"]):
        true = f"{row['verdict']} {row['cause'] or ''}".strip()
        score.wrong[f"{who} is {true}, said {verdict} {said['cause'] or ''}"].append(row["text"])


@dataclass
class RabbitScore:
    """Connections: right single answers, stated ambiguities, wrong single answers, missed."""

    right: int = 0
    ambiguous: int = 0
    none: int = 0
    missed: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"connections: {self.right} right, {self.ambiguous} ambiguous, {self.none} none, {self.missed} missed, "
            f"{len(self.wrong)} wrong single answers {self.wrong[:5]}"
        )


def score_rabbit(truth: Path, ask: Any, window: tuple[int, int]) -> RabbitScore:
    """Ask for every pod that held a connection in the window.

    Args:
        truth: The truth's folder.
        ask: A function from ``namespace/pod`` to the rows of ``rabbit``, or None for an unknown pod.
        window: From and to, epoch nanoseconds.
    """
    score = RabbitScore()
    connections = read_table(truth / "connections.jsonl.gz")
    owners: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
    for row in connections:
        owners[row["peer_host"], row["peer_port"], row["rabbit_node"]].append(row)
    by_pod: dict[str, list[Row]] = defaultdict(list)
    for row in connections:
        if row["opened_at"] < window[1]:
            by_pod[f"{row['namespace']}/{row['pod']}"].append(row)
    for pod, true in by_pod.items():
        seen = set()
        for row in ask(pod) or []:
            key = (row["peer_host"], row["peer_port"], row["rabbit_node"])
            seen.add(key)
            if row["match"] in ("ambiguous", "none"):
                score.ambiguous += row["match"] == "ambiguous"
                score.none += row["match"] == "none"
            elif (owner := _owner(owners[key], row))["pod"] == row["pod"]:
                score.right += 1
            else:
                score.wrong.append(
                    f"{row['connection']} on {row['rabbit_node']} given to {row['pod']}, is {owner['pod']}"
                )
        score.missed += sum((row["peer_host"], row["peer_port"], row["rabbit_node"]) not in seen for row in true)
    return score


def _owner(candidates: list[Row], row: Row) -> Row:
    """Whose a connection was: the same address and port come again with a pod that has the address after another one."""
    if row["connected_at"] is None or not candidates:
        return candidates[-1] if candidates else {"pod": None}
    opened = nanoseconds(row["connected_at"])
    return min(candidates, key=lambda one: abs(one["opened_at"] - opened))


def missing_changes(rows: list[Row], truth: Path, kinds: tuple[str, ...]) -> list[str]:
    """The changes of the truth that the answer does not have, by kind, name, time and person.

    A sync may stand in the list as the change of the workload of the same name, with the sync as its evidence.
    """
    missing = []
    for change in read_table(truth / "changes.jsonl.gz"):
        if change["kind"] not in kinds:
            continue
        near = [
            row
            for row in rows
            if row["name"] == change["name"]
            and (row["kind"] == change["kind"] or change["kind"] == "Application")
            and row["time"]
            and change["from"] - 3 * SECOND <= nanoseconds(row["time"]) <= change["to"] + 6 * SECOND
        ]
        person = change["by"] if change["kind"] == "Application" else None
        if not any(person in (None, row["by"]) for row in near):
            missing.append(f"{change['what']} of {change['kind']} {change['name']} by {change['by']}")
    return missing


def expected_findings(truth: Path) -> set[tuple[str, str, str]]:
    """(rule, kind, name) that the scenario's acts must lead to."""
    changes = read_table(truth / "changes.jsonl.gz")
    connected = read_table(truth / "connections.jsonl.gz")
    # Of a pod that was deleted before the capture no status tells the reason; the last one lives.
    killed = [change["name"] for change in changes if change.get("reason") == "OOMKilled"][-1:]
    stale = {row["pod"] for row in connected if row["pod"].startswith("orders-api-") and row["restart_count"] == 0}
    restarted = {change["name"] for change in changes if change["what"] == "restart"}
    return {
        ("rollback-undone", "Application", "payments-api"),
        ("manual-run", "Job", "orders-jobs-by-hand"),
        *(("oom-killed", "Pod", name) for name in killed),
        *(("stale-config", "Pod", name) for name in stale - restarted),
    }
