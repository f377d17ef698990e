"""What really happened: journals, the kubelet's own files and Elasticsearch's documents, joined.

A journal says what a process logged and what its sink did; the node's files say what reached the
console and at which kubelet time; Elasticsearch says which document ids exist. Since each attempt
to ship carries its own id, an entry's fate is a fact, whatever the sink believed. Nothing here
uses the kit.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.lab.scenario.lab import TRUTH, Lab

Row = dict[str, Any]
SECOND = 1_000_000_000
RECOVERY_SECONDS = 45  # how long after an outage a full queue is still the outage's
BURST_SECONDS = 30

# DESIGN's order of precedence: of several true causes the first is the answer, the rest are accepted.
PRECEDENCE = (
    "below_level",
    "burst",
    "shipping_outage",
    "before_logger",
    "not_logged",
    "never_arrives",
    "too_long",
    "died_before_flush",
    "rotation_edge",
    "pod_absent",
)
MARKS = ("without_pod_name", "truncated", "at_other_time")


def nanoseconds(text: str) -> int:
    """An RFC 3339 time with up to nine digits as epoch nanoseconds."""
    head, _, rest = text.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(head).replace(tzinfo=UTC).timestamp())
    return seconds * SECOND + int((rest or "0").ljust(9, "0")[:9])


@dataclass
class Line:
    """One line of the kubelet's file."""

    at: int
    stream: str
    text: str


@dataclass
class Process:
    """One process of a container: its journal, and the container instance that it was."""

    started: Row
    events: list[Row]
    restart_count: int = 0
    ended: bool = False
    entries: dict[int, Row] = field(default_factory=dict)
    sent: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    fates: dict[int, list[tuple[str, Row]]] = field(default_factory=lambda: defaultdict(list))
    attached_at: int | None = None
    bursts: list[int] = field(default_factory=list)

    def index(self) -> None:
        """Sort the journal's events by what they are about."""
        for event in self.events:
            match event["event"]:
                case "entry":
                    self.entries[event["sequence"]] = event
                case "sent":
                    for sequence, identifier in event["ids"].items():
                        self.sent[int(sequence)].append(identifier)
                case "dropped" | "marked" | "refused":
                    self.fates[event["sequence"]].append((event["event"], event))
                case "acknowledged" | "gave_up":
                    for sequence in event["sequences"]:
                        self.fates[sequence].append((event["event"], event))
                case "sink_attached":
                    self.attached_at = event["at"]
                case "ordered" if event["order"]["do"] == "burst":
                    self.bursts.append(event["at"])
        if not any(event["event"] in ("no_sink", "sink_attached") for event in self.events):
            self.attached_at = self.started["at"]  # the Go and Java sinks are there from the first entry


def read_processes(folder: Path) -> list[Process]:
    """All journals, as processes; the n-th process of a container is its n-th instance."""
    by_container: dict[tuple[str, str], list[Process]] = defaultdict(list)
    for path in sorted(folder.glob("*.jsonl")):
        events = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
        if not events:
            continue
        process = Process(started=events[0], events=events)
        process.index()
        by_container[process.started["uid"], process.started["container"]].append(process)
    for processes in by_container.values():
        processes.sort(key=lambda process: process.started["at"])
        for number, process in enumerate(processes):
            process.restart_count = number
            process.ended = number < len(processes) - 1
    return [process for processes in by_container.values() for process in processes]


def mark_ended(processes: list[Process], watched: Path) -> None:
    """A pod that was deleted or has finished has no running process, whatever its journal says last."""
    if not watched.exists():
        return
    last: dict[str, Row] = {}
    decoder, text, place = json.JSONDecoder(), watched.read_text(), 0
    while place < len(text.rstrip()):
        event, place = decoder.raw_decode(text, place + len(text[place:]) - len(text[place:].lstrip()))
        last[event["object"]["metadata"]["uid"]] = event
    for process in processes:
        event = last.get(process.started["uid"])
        if event is None:
            continue
        finished = event["object"]["status"].get("phase") in ("Succeeded", "Failed")
        process.ended = process.ended or finished or event["type"] == "DELETED"


def read_console(folder: Path) -> dict[tuple[str, str, int], list[Line]]:
    """The kept console files by pod uid, container and restart count, in time order."""
    consoles: dict[tuple[str, str, int], list[Line]] = defaultdict(list)
    for path in folder.glob("*/*/*"):
        uid, container = path.parent.parent.name.rsplit("_", 1)[1], path.parent.name
        restart_count = int(path.name.split(".")[0])
        for line in path.read_text(errors="surrogateescape").split("\n"):
            if line:
                at, stream, _flag, *text = line.split(" ", 3)
                consoles[uid, container, restart_count].append(Line(nanoseconds(at), stream, text[0] if text else ""))
    for lines in consoles.values():
        lines.sort(key=lambda line: line.at)
    return consoles


def align(process: Process, lines: Iterable[Line]) -> list[Row]:
    """Find each line's entry: entries of a stream reach the console in the journal's order.

    A line that no entry explains was written past the logger (a banner, the runtime's last words);
    of neighbouring ones only the first is certain to begin an entry.
    """
    rows: list[Row] = []
    by_stream: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_stream[line.stream].append(line)
    for stream, stream_lines in by_stream.items():
        waiting = [entry for entry in process.entries.values() if entry["console"] and entry["stream"] == stream]
        rest: list[str] = []
        place = 0
        current: int | None = None
        for line in stream_lines:
            if rest and line.text == rest[0]:
                rest.pop(0)
                rows.append({"at": line.at, "stream": stream, "text": line.text, "sequence": current, "first": False})
                continue
            expected = waiting[place]["text"].split("\n") if place < len(waiting) else None
            if expected and line.text == expected[0].rstrip("\r"):
                current, rest = waiting[place]["sequence"], expected[1:]
                place += 1
                rows.append({"at": line.at, "stream": stream, "text": line.text, "sequence": current, "first": True})
            else:
                follows = bool(rows) and rows[-1]["sequence"] is None and line.at - rows[-1]["at"] < SECOND // 20
                rows.append(
                    {"at": line.at, "stream": stream, "text": line.text, "sequence": None, "first": not follows}
                )
    return rows


def causes(process: Process, sequence: int, outages: list[tuple[int, int]]) -> list[str]:
    """Every cause that is true of an entry without a document, the answer first; empty: still in flight."""
    entry = process.entries[sequence]
    found: set[str] = set()
    in_outage = any(begin <= entry["at"] <= end + RECOVERY_SECONDS * SECOND for begin, end in outages)
    if process.attached_at is None:
        found.add("pod_absent")
    elif entry["at"] < process.attached_at:
        found.add("before_logger")
    for event, facts in process.fates[sequence]:
        if event == "dropped" and facts["why"] in PRECEDENCE:
            found.add(facts["why"])
        elif event == "dropped":
            in_burst = any(0 <= facts["at"] - begin <= BURST_SECONDS * SECOND for begin in process.bursts)
            found.add("burst" if in_burst or not in_outage else "shipping_outage")
        elif event == "refused":
            found.add("never_arrives")
        elif event == "gave_up":
            found.add("shipping_outage")
    if not found and process.ended:
        found.add("died_before_flush")
    if found and "below_level" not in found and any(begin <= entry["at"] <= end for begin, end in outages):
        found.add("shipping_outage")  # it would have been lost anyway: nothing arrived then
    return sorted(found, key=PRECEDENCE.index)


def causes_past_logger(process: Process, at: int, outages: list[tuple[int, int]]) -> list[str]:
    """The causes of a line that no logger wrote: a banner is among an instance's first entries, too."""
    found = {"not_logged"}
    logged = [entry["at"] for entry in process.entries.values()]
    if not logged or at <= min(logged) + SECOND:
        found.add("before_logger")
    if process.attached_at is None:
        found.add("pod_absent")
    if any(begin <= at <= end for begin, end in outages):
        found.add("shipping_outage")
    return sorted(found, key=PRECEDENCE.index)


def judge(process: Process, sequence: int, documents: set[str], outages: list[tuple[int, int]]) -> Row:
    """An entry's verdict, cause and documents."""
    present = [identifier for identifier in process.sent[sequence] if identifier in documents]
    if not present:
        true = causes(process, sequence, outages)
        return {
            "verdict": "console_only" if true else "in_flight",
            "cause": true[0] if true else None,
            "causes": true,
            "documents": [],
        }
    marks = {facts["why"] for event, facts in process.fates[sequence] if event == "marked"}
    verdict = next((mark for mark in MARKS if mark in marks), "matched")
    return {"verdict": verdict, "cause": None, "causes": [], "documents": present}


def entry_rows(
    processes: list[Process],
    consoles: dict[tuple[str, str, int], list[Line]],
    documents: set[str],
    outages: list[tuple[int, int]],
) -> tuple[list[Row], list[Row]]:
    """One row for each console line, and one for each document."""
    lines: list[Row] = []
    shipped: list[Row] = []
    for process in processes:
        started = process.started
        who = {
            "namespace": started["namespace"],
            "pod": started["pod"],
            "pod_uid": started["uid"],
            "container": started["container"],
            "restart_count": process.restart_count,
            "image": started["image"],
        }
        shown: dict[int, int] = {}
        for row in align(process, consoles.get((started["uid"], started["container"], process.restart_count), [])):
            sequence = row["sequence"]
            if sequence is None:
                accepted = causes_past_logger(process, row["at"], outages)
                verdict: Row = {"verdict": "console_only", "cause": accepted[0], "causes": accepted, "documents": []}
            else:
                verdict = judge(process, sequence, documents, outages)
                entry = process.entries[sequence]
                verdict |= {"level": entry["level"], "logger": entry["logger"]}
                shown[sequence] = min(row["at"], shown.get(sequence, row["at"]))
            lines.append({**who, **row, **verdict})
        for sequence, identifiers in process.sent.items():
            present = [identifier for identifier in identifiers if identifier in documents]
            for number, identifier in enumerate(present):
                fate = "duplicate" if number else "entry" if sequence in shown else "elastic_only"
                shipped.append({**who, "id": identifier, "sequence": sequence, "fate": fate, "at": shown.get(sequence)})
    return lines, shipped


def connection_rows(processes: list[Process], nodes: dict[int, str]) -> list[Row]:
    """One row for each AMQP connection, with the socket's two ends as the pod saw them."""
    rows = []
    for process in processes:
        started = process.started
        closed = {
            (event["local"], event["peer"]): event["at"] for event in process.events if event["event"] == "disconnected"
        }
        for event in process.events:
            if event["event"] != "connected":
                continue
            host, _, port = event["local"].rpartition(":")
            rows.append(
                {
                    "namespace": started["namespace"],
                    "pod": started["pod"],
                    "pod_uid": started["uid"],
                    "restart_count": process.restart_count,
                    "rabbit_node": nodes[int(event["peer"].rpartition(":")[2])],
                    "peer_host": host,
                    "peer_port": int(port),
                    "client_name": event["client_name"],
                    "vhost": event["vhost"],
                    "opened_at": event["at"],
                    "closed_at": closed.get((event["local"], event["peer"])),
                    "ended_with_process": process.ended,
                }
            )
    return sorted(rows, key=lambda row: row["opened_at"])


def read_changes(folder: Path) -> list[Row]:
    """The scenario's own changes, as written when they happened."""
    return [json.loads(line) for line in (folder / "changes.jsonl").read_text().splitlines()]


def write_truth(lab: Lab, folder: Path = TRUTH) -> str:
    """Join everything and write the truth's tables; returns a summary to print."""
    # The services go on while we read: what is read later must know what was read before.
    hits = lab.hits("logs-shop-*", {"match_all": {}})
    consoles = read_console(folder / "console")
    processes = read_processes(folder / "private")
    mark_ended(processes, folder / "objects" / "pods.json")
    documents = {hit["_id"] for hit in hits}
    changes = read_changes(folder)
    outages = [
        (row["from"], row["to"]) for row in changes if row["kind"] == "Elasticsearch" and row["what"] == "outage"
    ]
    lines, shipped = entry_rows(processes, consoles, documents, outages)
    nodes = {node["amqp_port"]: node["name"] for node in lab.facts["rabbitmq"]["nodes"]}
    tables = {
        "lines": lines,
        "documents": shipped,
        "connections": connection_rows(processes, nodes),
        "changes": changes,
    }
    for name, rows in tables.items():
        write_table(folder / f"{name}.jsonl.gz", rows)
    unexplained = documents - {row["id"] for row in shipped}
    return summary(tables, len(documents), len(unexplained))


def write_table(path: Path, rows: list[Row]) -> None:
    """One JSON object a line, compressed without a time so that equal tables are equal files."""
    text = "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def read_table(path: Path) -> list[Row]:
    """Read what ``write_table`` wrote."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def summary(tables: dict[str, list[Row]], documents: int, unexplained: int) -> str:
    """Counts by verdict and cause, in a few lines."""
    firsts = [row for row in tables["lines"] if row["first"]]
    verdicts = Counter(row["verdict"] for row in firsts)
    by_cause = Counter(row["cause"] for row in firsts if row["cause"])
    fates = Counter(row["fate"] for row in tables["documents"])
    return "\n".join(
        [
            f"console: {len(tables['lines'])} lines, {len(firsts)} entries {dict(verdicts.most_common())}",
            f"causes: {dict(by_cause.most_common())}",
            f"documents: {documents}, {dict(fates.most_common())}, of nobody's journal: {unexplained}",
            f"connections: {len(tables['connections'])}, changes: {len(tables['changes'])}",
        ]
    )
