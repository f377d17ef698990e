"""Where a broker's log may be: files, consoles of broker pods, documents in Elasticsearch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from incident_kit.in_order import WORKERS, in_order
from incident_kit.normalise.context import Context
from incident_kit.normalise.rabbitmq.metricbeat import dig, is_connection
from incident_kit.normalise.rabbitmq.records import Record, read_record
from incident_kit.normalise.raw import RawFolder, open_bytes, read_bytes
from incident_kit.window import parse_rfc3339

#: Only text that holds one of these can be a broker's record that anyone asks for. A shipper sends each line as a document,
#: so every line that is read must hold one; what a broker says of itself stands whole, as its clients log such things, too.
LOG_MARKS = (
    b"AMQP connection", b"rabbit on node", b"limit alarm", b"has a client-provided name", b"granted access to vhost",
    b"RabbitMQ is asked to stop...", b"Successfully stopped RabbitMQ and its dependencies", b"Starting RabbitMQ ",
    b"running_partitioned_network",
)  # fmt: skip
_SHIPPED = re.compile(
    r"^(accepting AMQP|closing AMQP|[Cc]onnection |Error on AMQP|rabbit on node|RabbitMQ is asked to stop|"
    r"Successfully stopped RabbitMQ|\s*Starting RabbitMQ \d)"
)
#: The same for documents, and what Metricbeat's have.
_ANY_MARK = (*LOG_MARKS, b"rabbitmq.connection")
_BLOCK, _SEAM = 4 << 20, 64
_LOG_NAME = re.compile(r"^(?P<hint>.+?)\.log(?:[.\-][\w\-]+)*?(?:\.gz)?$")


@dataclass(slots=True)
class LogText:
    """One broker's log text.

    Attributes:
        hint: file name's stem, pod or host that wrote it.
        name: as gaps state it.
        lines: its lines in order.
    """

    hint: str
    name: str
    lines: list[str]


@dataclass(slots=True)
class FromElastic:
    """What the documents hold of RabbitMQ.

    Attributes:
        metrics: ``_source`` of Metricbeat connection documents.
        records: broker log records by the host or pod that wrote them.
    """

    metrics: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, list[Record]] = field(default_factory=dict)


def log_files(raw: RawFolder, context: Context) -> Iterator[LogText]:
    """``rabbitmq/<node>.log`` with its rotated parts, oldest first, one text per node."""
    parts: dict[str, list[Path]] = {}
    for path in raw.files("rabbitmq/*.log*"):
        match = _LOG_NAME.match(path.name)
        if match:
            parts.setdefault(match["hint"], []).append(path)
    for hint, paths in parts.items():
        lines: list[str] = []
        # RabbitMQ rotates to .0, .1 ...: the highest number is the oldest, the plain file the newest.
        for path in sorted(paths, key=_age, reverse=True):
            data = read_bytes(path, raw.relative(path), context, "rabbitmq")
            lines += data.decode("utf-8", errors="backslashreplace").splitlines()
        yield LogText(hint, f"rabbitmq/{hint}.log", lines)


def _age(path: Path) -> int:
    numbers = re.findall(r"\.log\.(\d+)", path.name)
    return int(numbers[0]) + 1 if numbers else 0


def consoles(raw: RawFolder, context: Context) -> Iterator[LogText]:
    """Console files that hold a broker's records, one text per container."""
    texts: dict[tuple[str, str, str], list[Path]] = {}
    files = [*raw.files("console/*/*/*.log*"), *raw.files("console/*/*/*/*.log*")]
    for path in _holding(files, LOG_MARKS):
        parts = raw.relative(path).split("/")
        container = parts[3].split(".", 1)[0]
        texts.setdefault((parts[1], parts[2], container), []).append(path)
    for (namespace, pod, container), paths in texts.items():
        lines: list[str] = []
        for path in paths:
            data = read_bytes(path, raw.relative(path), context, "console")
            lines += data.decode("utf-8", errors="backslashreplace").splitlines()
        yield LogText(pod, f"console of {namespace}/{pod}, container {container}", lines)


def _holding(paths: Iterable[Path], marks: tuple[bytes, ...]) -> Iterator[Path]:
    """Those of the files that hold a mark: every console is asked, so in threads, and by one automaton for all marks."""
    expression = "|".join(re.escape(mark.decode()) for mark in marks).replace(r"\ ", " ")
    with ThreadPoolExecutor(WORKERS) as pool:
        for path, holds in in_order(pool, lambda path: (path, _holds(path, expression)), paths):
            if holds:
                yield path


def _holds(path: Path, expression: str) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    tail = b""
    try:
        with open_bytes(path) as stream:
            while block := stream.read(_BLOCK):
                # A mark may stand over two blocks; the few bytes of their seam are asked by themselves.
                asked = pa.array([block, tail + block[:_SEAM]], pa.large_binary())
                if pc.any(pc.match_substring_regex(asked, expression)).as_py():
                    return True
                tail = block[-_SEAM:]
    except (OSError, EOFError):
        return False  # torn: the console's own normaliser reports it
    return False


def from_elastic(raw: RawFolder) -> FromElastic:
    """Broker records and Metricbeat documents among the hits; other documents are not even decoded."""
    found = FromElastic()
    files = [
        path
        for path in raw.files("elasticsearch/**/*")
        if path.name not in ("query.json", "mappings.json") and re.search(r"\.(ndjson|jsonl|json)(\.gz)?$", path.name)
    ]
    for path in _holding(files, _ANY_MARK):
        for source in _marked_sources(path):
            if is_connection(source):
                found.metrics.append(source)
            elif (record := _record_of(source)) is not None:
                found.records.setdefault(_host_of(source), []).append(record)
    return found


def _marked_sources(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with open_bytes(path) as stream:
            if re.search(r"\.json(\.gz)?$", path.name):
                yield from _sources(_decoded(stream.read()))
                return
            for line in stream:
                if any(mark in line for mark in _ANY_MARK):
                    yield from _sources(_decoded(line))
    except (OSError, EOFError):
        return  # torn: the documents' own normaliser reports it


def _decoded(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None  # broken: the documents' own normaliser reports it


def _sources(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        for item in document:
            yield from _sources(item)
    elif isinstance(document, dict):
        hits = document.get("hits")
        if isinstance(hits, dict):
            yield from _sources(hits.get("hits"))
        elif isinstance(hits, list):
            yield from _sources(hits)
        elif isinstance(document.get("_source"), dict):
            yield document["_source"]


def _record_of(source: dict[str, Any]) -> Record | None:
    message = dig(source, "message") or dig(source, "event.original") or dig(source, "log")
    if not isinstance(message, str):
        return None
    record = read_record(message.split("\n", 1)[0])
    if record is not None:
        rest = message.partition("\n")[2]
        return Record(record.time, record.pid, f"{record.message}\n{rest}" if rest else record.message, record.zoned)
    time = parse_rfc3339(str(source.get("@timestamp", "")))
    if time is None or not _SHIPPED.match(message):
        return None
    pid = dig(source, "rabbitmq.log.pid") or dig(source, "process.pid")
    return Record(time, pid if isinstance(pid, str) else None, message)


def _host_of(source: dict[str, Any]) -> str:
    for path in (
        "rabbitmq.node.name",
        "kubernetes.pod.name",
        "kubernetes.pod_name",
        "podName",
        "host.name",
        "host.hostname",
    ):
        value = dig(source, path)
        if isinstance(value, str) and value:
            return value
    return ""
