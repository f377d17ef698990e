"""A synthetic incident of any size in the raw layout: services that log to the console and to Elasticsearch.

Eight in a hundred thousand documents are withheld, so that there is something to find, and a few are delivered twice;
heartbeats repeat, most other texts are unique to their entry. Pods write in turn, so that documents come interleaved
as an index returns them. Deterministic by seed, and vectorised: ten million entries take a minute.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
SECONDS = 2 * 3600
#: Parts of each message; a number names a column of `_values`.
TEMPLATES: tuple[tuple[str | int, ...], ...] = (
    ("Handled ", 0, " ", 1, " in ", 2, " ms for tenant t", 4),
    ("Order ", 2, " of tenant t", 4, " accepted, ", 3, " lines"),
    ("Message ", 2, " taken from queue t", 4, ".work, ", 3, " left"),
    ("Cache miss for key t", 4, ":", 2),
    ("heartbeat",),
    ("Retrying payment ", 2, ", attempt ", 3),
    ("User t", 4, " logged in from session ", 2),
    ("Flushed ", 3, " rows to table t", 4),
)
#: The same, with an e-mail address in every eighth line.
WITH_ADDRESSES = (*TEMPLATES[:6], ("User u", 2, "@t", 4, ".example.com logged in"), TEMPLATES[7])
LEVELS = ("INFO", "INFO", "INFO", "DEBUG", "INFO", "WARN", "INFO", "INFO")
METHODS, PATHS = ("GET", "POST", "PUT"), ("/orders", "/orders/{id}/lines", "/health", "/payments")
#: How a console may write: parts of a line, in which a word in braces is filled by the entry's own.
LAYOUTS = {
    "logback": "{time} {level} [{thread}] {logger} - {message}",
    "json": '{{"@timestamp":"{time}","message":"{message}","logger_name":"{logger}","thread_name":"{thread}","level":"{level}","tenant":"t1"}}',
    "logfmt": 'time={time} level={level} msg="{message}" logger={logger} thread={thread}',
    "klog": '{letter}{day} {clock}       1 worker.go:120] "{message}" thread="{thread}" attempt=3',
}
LOST_PER_MILLION, DOUBLED_PER_MILLION = 80, 20
_CHUNK = 200_000
_DOCUMENTS_PER_FILE = 1_000_000


def write_incident(
    folder: Path,
    entries: int,
    pods: int = 40,
    seed: int = 1,
    layout: str = "logback",
    templates: tuple[tuple[str | int, ...], ...] = TEMPLATES,
) -> int:
    """Write an incident with this many console entries; the number of withheld documents.

    Args:
        folder: where; it need not be there.
        entries: how many.
        pods: how many pods write them in turn.
        seed: of all that is random.
        layout: how the consoles write, of `LAYOUTS`.
        templates: what they write, one for each level of `LEVELS`.
    """
    random = np.random.default_rng(seed)
    names = [f"service{i % 8}-7c9f8d6b{i % 10}-{'bcdfg'[i % 5]}{i:04d}" for i in range(pods)]
    for place in ("kubernetes", "elasticsearch", *(f"console/bench/{name}" for name in names)):
        (folder / place).mkdir(parents=True)
    lost = 0
    with ExitStack() as stack:
        consoles = [stack.enter_context((folder / "console" / "bench" / name / "app.log").open("wb")) for name in names]
        for begin in range(0, entries, _CHUNK):
            number = np.arange(begin, min(begin + _CHUNK, entries))
            lines, documents = _both_sides(number, entries, names, random, LAYOUTS[layout], templates)
            for pod, console in enumerate(consoles):
                _write(console, lines.take(pa.array(np.flatnonzero(number % pods == pod))))
            kept, doubled = _fates(len(number), random)
            lost += int(len(number) - kept.sum())
            with (folder / "elasticsearch" / f"{begin // _DOCUMENTS_PER_FILE:03d}.ndjson").open("ab") as hits:
                _write(hits, documents.filter(pa.array(kept)))
                again = documents.filter(pa.array(kept & doubled))
                _write(hits, pc.replace_substring(again, '","_source"', '-again","_source"'))
    _write_frame(folder, names)
    return lost


def _fates(count: int, random: np.random.Generator) -> tuple[Any, Any]:
    """Which documents arrive, and which arrive twice."""
    return random.random(count) * 1e6 >= LOST_PER_MILLION, random.random(count) * 1e6 < DOUBLED_PER_MILLION


def _write(file: BinaryIO, lines: pa.Array) -> None:
    """Lines that end with their newline: the array's bytes are the file's."""
    if len(lines):
        file.write("".join(lines.to_pylist()).encode())


def _both_sides(
    number: np.ndarray[Any, Any],
    entries: int,
    names: list[str],
    random: np.random.Generator,
    layout: str,
    templates: tuple[tuple[str | int, ...], ...],
) -> tuple[pa.Array, pa.Array]:
    """Console lines and hits of some entries."""
    count = len(number)
    moment = number * (SECONDS * 1_000_000 // max(entries, 1))
    kind = random.integers(len(TEMPLATES), size=count)
    said = moment - random.integers(50, 4000, count) + 1_000_000
    turn = number // len(names)
    pod = pa.array(names).take(pa.array(number % len(names)))
    level, service = pa.array(LEVELS).take(pa.array(kind)), _text(kind)
    message = _messages(kind, _values(turn, random), templates)
    own = _join(*_time(said - 1_000_000))
    words = {
        "time": _join(own, "000Z"),
        "day": _join(pc.utf8_slice_codeunits(own, 5, 7), pc.utf8_slice_codeunits(own, 8, 10)),
        "clock": pc.utf8_slice_codeunits(own, 11, 26),
        "level": pc.utf8_rpad(level, 5) if layout.startswith("{time} {level}") else level,
        "letter": pc.utf8_slice_codeunits(level, 0, 1),
        "thread": _join("worker-", _text(turn % 4)),
        "logger": _join("com.example.Service", service),
        "message": message,
    }
    parts = [part for text, name, _, _ in Formatter().parse(layout) for part in (text, words.get(name or "", ""))]
    lines = _join(*_time(moment), "000Z ", *parts, "\n")
    documents = _join(
        '{"_index":"logs-bench","_id":"', pod, "-", _text(turn), '","_source":{"@timestamp":"',
        pc.utf8_slice_codeunits(own, 0, 23), 'Z","log.level":"', level, '","log.logger":"com.example.Service', service,
        '","message":"', message, '","podName":"', pod, '"}}\n',
    )  # fmt: skip
    return lines, documents


def _join(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _text(numbers: np.ndarray[Any, Any]) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def _time(microseconds: np.ndarray[Any, Any]) -> tuple[pa.Array, str, pa.Array]:
    """Date and second, point, fraction of times after `START`."""
    second, rest = np.divmod(microseconds, 1_000_000)
    first = int(second.min())
    words = [(START + timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%S") for s in range(first, int(second.max()) + 1)]
    return pa.array(words).take(pa.array(second - first)), ".", pc.utf8_lpad(_text(rest), 6, "0")


def _values(turn: np.ndarray[Any, Any], random: np.random.Generator) -> list[pa.Array]:
    return [
        pa.array(METHODS).take(pa.array(turn % 3)),
        pa.array(PATHS).take(pa.array(turn % 4)),
        _text(random.integers(10**7, size=len(turn))),
        _text(turn % 97),
        _text(turn % 50),
    ]


def _messages(
    kind: np.ndarray[Any, Any], values: list[pa.Array], templates: tuple[tuple[str | int, ...], ...]
) -> pa.Array:
    made = []
    for number, parts in enumerate(templates):
        rows = pa.array(np.flatnonzero(kind == number))
        texts = [pa.repeat(part, len(rows)) if isinstance(part, str) else values[part].take(rows) for part in parts]
        made.append(_join(*texts) if len(texts) > 1 else texts[0])
    place = np.argsort(np.argsort(kind, kind="stable"), kind="stable")
    return pa.concat_arrays(made).take(pa.array(place))


def _write_frame(folder: Path, names: list[str]) -> None:
    """The window and the pods."""
    window = {"start": _instant(START), "end": _instant(START + timedelta(hours=3)), "cluster": "bench"}
    (folder / "window.json").write_text(json.dumps(window))
    (folder / "kubernetes" / "pods.json").write_text(
        json.dumps({"items": [_pod(name, number) for number, name in enumerate(names)]})
    )


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _pod(name: str, number: int) -> dict[str, object]:
    started = "2026-11-20T07:59:00Z"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "bench", "uid": f"uid-{number}", "creationTimestamp": started},
        "spec": {"containers": [{"name": "app", "image": "registry.example/bench:1"}], "nodeName": "node-1"},
        "status": {
            "phase": "Running",
            "startTime": started,
            "podIP": f"10.2.{number // 250}.{number % 250 + 1}",
            "containerStatuses": [
                {
                    "name": "app",
                    "image": "registry.example/bench:1",
                    "imageID": "registry.example/bench@sha256:" + "0" * 64,
                    "containerID": f"containerd://{number:064d}",
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": started}},
                }
            ],
        },
    }
