"""Where a broker's log may be: files, consoles of broker pods, documents in Elasticsearch."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from incident_kit.in_order import WORKERS, in_order
from incident_kit.lines import whole_lines
from incident_kit.normalise.context import Context
from incident_kit.normalise.rabbitmq.marks import ANY_MARK, LOG_MARK, marked_lines
from incident_kit.normalise.rabbitmq.metricbeat import dig, is_connection
from incident_kit.normalise.rabbitmq.records import Record, read_record, record_of_fields
from incident_kit.normalise.raw import RawFolder, read_bytes, read_chunks
from incident_kit.window import parse_rfc3339

_SHIPPED = re.compile(
    r"^(accepting (?:AMQP|STOMP)|[Cc]losing (?:AMQP|STOMP|MQTT)|[Cc]onnection |Error on AMQP|(?:Accepted |Rejected )?(?:Web )?MQTT \w+ |"
    r"STOMP (?:connection|detected) |rabbit on node|RabbitMQ is asked to stop|Successfully stopped RabbitMQ|"
    r"\s*Starting RabbitMQ \d)"
)
#: Where shippers put the fields of a JSON line: Filebeat, and Fluent Bit's Merge_Log_Key.
_DECODED_BELOW = ("json", "log_processed", "parsed")
_BLOCK = 4 << 20
_OTHERS = frozenset({"query.json", "mappings.json"})
_HITS_NAME = re.compile(r"\.(?:ndjson|jsonl|json)(?:\.gz)?$")
_ANSWER_NAME = re.compile(r"\.json(?:\.gz)?$")
_LOG_NAME = re.compile(r"^(?P<hint>.+?)\.log(?:[.\-][\w\-]+)*?(?:\.gz)?$")


@dataclass(slots=True)
class LogText:
    """One broker's log text.

    Attributes:
        hint: file name's stem, pod or host that wrote it.
        name: as gaps state it.
        lines: its lines in order.
        is_file: whether the hint is a file's name, which somebody may have chosen.
    """

    hint: str
    name: str
    lines: list[str]
    is_file: bool = False


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
        yield LogText(hint, f"rabbitmq/{hint}.log", lines, is_file=True)


def _age(path: Path) -> int:
    numbers = re.findall(r"\.log\.(\d+)", path.name)
    return int(numbers[0]) + 1 if numbers else 0


def consoles(raw: RawFolder, context: Context) -> Iterator[LogText]:
    """Console files that hold a broker's records, one text per container."""
    texts: dict[tuple[str, str, str], list[Path]] = {}
    files = [*raw.files("console/*/*/*.log*"), *raw.files("console/*/*/*/*.log*")]
    for path, _ in groupby(_marked_lines(files, LOG_MARK, raw, context), key=itemgetter(0)):
        parts = raw.relative(path).split("/")
        texts.setdefault((parts[1], parts[2], parts[3].split(".", 1)[0]), []).append(path)
    for (namespace, pod, container), paths in texts.items():
        lines: list[str] = []
        for path in paths:
            data = read_bytes(path, raw.relative(path), context, "console")
            lines += data.decode("utf-8", errors="backslashreplace").splitlines()
        yield LogText(pod, f"console of {namespace}/{pod}, container {container}", lines)


def from_elastic(raw: RawFolder, context: Context) -> FromElastic:
    """Broker records and Metricbeat documents among the hits; other documents are not even decoded."""
    found = FromElastic()
    files = [
        path for path in raw.files("elasticsearch/**/*") if _HITS_NAME.search(path.name) and path.name not in _OTHERS
    ]
    for path, lines in groupby(_marked_lines(files, ANY_MARK, raw, context), key=itemgetter(0)):
        documents = (_answer(path),) if _ANSWER_NAME.search(path.name) else (_decoded(line) for _, line in lines)
        for source in chain.from_iterable(map(_sources, documents)):
            if is_connection(source):
                found.metrics.append(source)
            elif (record := _record_of(source)) is not None:
                found.records.setdefault(_host_of(source), []).append(record)
    return found


def _marked_lines(files: Sequence[Path], mark: str, raw: RawFolder, context: Context) -> Iterator[tuple[Path, bytes]]:
    """Lines of files that hold a mark, file by file: most files hold none, and all of every file is looked at."""
    unknown = (path for path in files if raw.relative(path) not in context.unmarked)
    blocks = ((path, block) for path in unknown for block in whole_lines(_readable_chunks(path)))
    with ThreadPoolExecutor(WORKERS) as pool:
        for path, lines in in_order(pool, lambda work: (work[0], marked_lines(work[1], mark)), blocks):
            yield from ((path, line) for line in lines)


def _readable_chunks(path: Path) -> Iterator[bytes]:
    try:
        yield from read_chunks(path, _BLOCK)
    except (OSError, EOFError, zlib.error):
        return  # torn: whoever reads the file for its own sake reports it


def _answer(path: Path) -> Any:
    """A whole answer of Elasticsearch; None when it is broken."""
    return _decoded(b"".join(_readable_chunks(path)))


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
    time = parse_rfc3339(str(source.get("@timestamp", "")))
    message = dig(source, "message") or dig(source, "event.original") or dig(source, "log")
    if not isinstance(message, str):
        return _decoded_by_shipper(source, time)
    record = read_record(message.split("\n", 1)[0])
    if record is not None:
        rest = message.partition("\n")[2]
        # The document's own time tells the zone of a line that states none, as the kubelet's does.
        return replace(record, message=f"{record.message}\n{rest}" if rest else record.message, stamp=time)
    if time is None or not _SHIPPED.match(message):
        return None
    pid = dig(source, "rabbitmq.log.pid") or dig(source, "process.pid")
    return Record(time, pid if isinstance(pid, str) else None, message)


def _decoded_by_shipper(source: dict[str, Any], time: int | None) -> Record | None:
    """A record of the JSON formatter that the shipper took apart into fields, at the top or below one of its own."""
    for place in (source, *(source.get(name) for name in _DECODED_BELOW)):
        if isinstance(place, dict) and isinstance(place.get("msg"), str):
            record = record_of_fields(place)
            if record is not None:
                return replace(record, stamp=time)
            pid = place.get("pid")
            return Record(time, pid if isinstance(pid, str) else None, place["msg"]) if time is not None else None
    return None


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
