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
from tests.lab.tailed import Tailed

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
    "unexplained",
)
# A lag that is surely late, and one that surely is not; between them both answers are accepted.
LATE_SECONDS, PROMPT_SECONDS = 15, 5
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")  # of the Python services, which have a bootstrap logger
TOO_LONG_FOR_A_KEYWORD = "immense term"
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
    sent_at: dict[str, int] = field(default_factory=dict)
    attached_at: int | None = None
    stamps_arrival: bool = False
    ships_from: str = "DEBUG"
    bursts: list[int] = field(default_factory=list)
    tailed: set[int] = field(default_factory=set)  # lines of other containers

    def index(self) -> None:
        """Sort the journal's events by what they are about."""
        for event in self.events:
            match event["event"]:
                case "entry":
                    self.entries[event["sequence"]] = event
                case "sent":
                    for sequence, identifier in event["ids"].items():
                        self.sent[int(sequence)].append(identifier)
                        self.sent_at[identifier] = event["at"]
                case "dropped" | "marked" | "refused":
                    self.fates[event["sequence"]].append((event["event"], event))
                case "acknowledged" | "gave_up":
                    for sequence in event["sequences"]:
                        self.fates[sequence].append((event["event"], event))
                case "tailed":
                    self.tailed.add(event["sequence"])
                case "sink_attached":
                    self.attached_at = event["at"]
                    self.stamps_arrival = event.get("stamps_arrival", False)
                    self.ships_from = event.get("ships_from", "DEBUG")
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
    pieces: dict[tuple[str, str, int], list[tuple[int, str, str, str]]] = defaultdict(list)
    for path in folder.glob("*/*/*"):
        key = (path.parent.parent.name.rsplit("_", 1)[1], path.parent.name, int(path.name.split(".")[0]))
        for line in filter(None, path.read_text(errors="surrogateescape").split("\n")):
            at, stream, flag, *text = line.split(" ", 3)
            pieces[key].append((nanoseconds(at), stream, flag, text[0] if text else ""))
    return {key: _whole(sorted(found, key=lambda piece: piece[0])) for key, found in pieces.items()}


def _whole(pieces: list[tuple[int, str, str, str]]) -> list[Line]:
    """Lines of pieces: what is longer than the runtime's 16 KiB comes in several, marked P until the last."""
    lines: list[Line] = []
    begun: dict[str, Line] = {}
    for at, stream, flag, text in pieces:
        if stream in begun:
            begun[stream].text += text
        else:
            begun[stream] = Line(at, stream, text)
            lines.append(begun[stream])
        if flag == "F":
            del begun[stream]
    return lines


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
        if LEVELS.index(entry["level"]) < LEVELS.index(process.ships_from):
            found.add("below_level")
    for event, facts in process.fates[sequence]:
        if event == "dropped" and facts["why"] in PRECEDENCE:
            found.add(facts["why"])
        elif event == "dropped":
            in_burst = any(0 <= facts["at"] - begin <= BURST_SECONDS * SECOND for begin in process.bursts)
            found.add("burst" if in_burst or not in_outage else "shipping_outage")
        elif event == "refused":
            found.add("too_long" if TOO_LONG_FOR_A_KEYWORD in facts["reason"] else "never_arrives")
        elif event == "gave_up" and facts.get("why") == "too_many_requests":
            found.add("burst")  # the server's queue was full
            if not any(0 <= facts["at"] - begin <= BURST_SECONDS * SECOND for begin in process.bursts):
                # By others' bursts, which nothing of this container tells; nor whether anything went through then.
                found |= {"unexplained", "shipping_outage"}
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


def judge(
    process: Process,
    sequence: int,
    documents: set[str],
    outages: list[tuple[int, int]],
    failures: frozenset[str] = frozenset(),
) -> Row:
    """An entry's verdict, cause and documents; where another verdict is as true, it is accepted too.

    Args:
        process: which process logged it.
        sequence: the entry's number there.
        documents: ids of all documents.
        outages: from and to of each.
        failures: ids that the documents in failure stores were sent with.
    """
    present = [identifier for identifier in process.sent[sequence] if identifier in documents]
    if not present and any(identifier in failures for identifier in process.sent[sequence]):
        return {"verdict": "rejected", "cause": None, "causes": [], "documents": []}
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
    row: Row = {"verdict": verdict, "cause": None, "causes": [], "documents": present}
    if process.stamps_arrival and verdict == "matched":
        lag = (process.sent_at[present[0]] - process.entries[sequence]["at"]) / SECOND
        row["tells_arrival"] = True
        row["verdict"] = "late" if lag > LATE_SECONDS else "matched"
        row["accepts"] = ["matched", "late"] if PROMPT_SECONDS < lag <= LATE_SECONDS else []
    return row


def entry_rows(
    processes: list[Process],
    consoles: dict[tuple[str, str, int], list[Line]],
    documents: set[str],
    outages: list[tuple[int, int]],
    failures: frozenset[str],
) -> tuple[list[Row], list[Row]]:
    """One row for each console line, and one for each document."""
    lines: list[Row] = []
    shipped: list[Row] = []
    tailed = Tailed.of(processes, nanoseconds)
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
            container = (started["uid"], started["container"])
            if tailed.covers(container):
                verdict = tailed.judge(container, row["at"], documents)
            elif sequence is None:
                accepted = causes_past_logger(process, row["at"], outages)
                verdict = {"verdict": "console_only", "cause": accepted[0], "causes": accepted, "documents": []}
            else:
                verdict = judge(process, sequence, documents, outages, failures)
            if sequence is not None:
                entry = process.entries[sequence]
                verdict |= {"level": entry["level"], "logger": entry["logger"]}
                shown[sequence] = min(row["at"], shown.get(sequence, row["at"]))
            lines.append({**who, **row, **verdict})
        for sequence, identifiers in process.sent.items():
            present = [identifier for identifier in identifiers if identifier in documents]
            for number, identifier in enumerate(present):
                known = sequence in shown or sequence in process.tailed
                fate = "duplicate" if number else "entry" if known else "elastic_only"
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


def write_truth(lab: Lab, folder: Path = TRUTH, indices: str = "logs-shop-*") -> str:
    """Join everything and write the truth's tables; returns a summary to print."""
    # The services go on while we read: what is read later must know what was read before.
    hits = lab.hits(indices, {"match_all": {}})
    refused = lab.hits(f"{indices}::failures", {"match_all": {}})
    consoles = read_console(folder / "console")
    processes = read_processes(folder / "private")
    mark_ended(processes, folder / "objects" / "pods.json")
    documents = {hit["_id"] for hit in hits}
    changes = read_changes(folder)
    outages = [
        (row["from"], row["to"]) for row in changes if row["kind"] == "Elasticsearch" and row["what"] == "outage"
    ]
    failures = frozenset(hit["_source"]["document"]["id"] for hit in refused)
    lines, shipped = entry_rows(processes, consoles, documents, outages, failures)
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
