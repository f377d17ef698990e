"""Files of hits to hits: one hit a line, or whole ``_search`` answers; what the answers say of their completeness."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from incident_kit.normalise.context import Context
from incident_kit.normalise.raw import RawFolder, decode_json

#: Files in the folder that are not hits.
_OTHER = {
    "query.json",
    "mappings.json",
    "mapping.json",
    "query.json.gz",
    "mappings.json.gz",
    "field_caps.json",
    "settings.json",
    "info.json",
}
_TORN = (OSError, EOFError, zlib.error)


@dataclass(slots=True)
class Hit:
    """One hit as Elasticsearch gave it."""

    index: str
    identifier: str
    source: dict[str, Any]


@dataclass(slots=True)
class Reading:
    """What the files and answers say of their own completeness.

    Attributes:
        files: files of hits that were found.
        incomplete: why the reading is known to lack documents; empty when it is whole.
    """

    files: list[Path] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    totals: dict[str, tuple[int, int, bool]] = field(default_factory=dict)


def hit_files(raw: RawFolder) -> list[Path]:
    """Files that should hold hits."""
    found = [
        p
        for pattern in (
            "elasticsearch/*.ndjson*",
            "elasticsearch/*.jsonl*",
            "elasticsearch/**/*.ndjson*",
            "elasticsearch/**/*.json",
            "elasticsearch/**/*.json.gz",
            "elasticsearch/*.json",
            "elasticsearch/*.json.gz",
        )
        for p in raw.files(pattern)
    ]
    return sorted({p for p in found if p.name not in _OTHER and not p.name.startswith((".", "mapping", "query"))})


def read_hits(raw: RawFolder, files: list[Path], context: Context, reading: Reading) -> Iterator[Hit]:
    """Every hit of all files; what is broken becomes a gap and the rest is read."""
    for path in files:
        name = raw.relative(path)
        if ".ndjson" in path.name or ".jsonl" in path.name:
            yield from _lines(raw, path, name, context, reading)
        else:
            data = raw.bytes(path, context, "elasticsearch")
            if not data.strip():
                _incomplete(reading, context, name, "the file is empty")
                continue
            if data.lstrip()[:1] == b"{" and b"\n{" in data.strip() and not _is_json(data):
                yield from _json_lines(data.split(b"\n"), name, context, reading)
                continue
            document = decode_json(data, name, context, "elasticsearch", repair=True)
            if document is None:
                reading.incomplete.append(f"{name} is broken")
                continue
            if isinstance(document, list) and not _is_json(data):
                reading.incomplete.append(f"{name} is cut off")
            yield from hits_of(document, name, context, reading)


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


def _lines(raw: RawFolder, path: Path, name: str, context: Context, reading: Reading) -> Iterator[Hit]:
    def lines() -> Iterator[bytes]:
        try:
            with raw.open(path) as stream:
                yield from stream
        except _TORN as error:
            _incomplete(reading, context, name, f"the file is torn: {error}")

    yield from _json_lines(lines(), name, context, reading)


def _json_lines(lines: Any, name: str, context: Context, reading: Reading) -> Iterator[Hit]:
    broken: list[int] = []
    ended = True
    for number, line in enumerate(lines, 1):
        stripped = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not stripped:
            continue
        try:
            document = orjson.loads(stripped)
        except orjson.JSONDecodeError:
            try:
                document = orjson.loads(stripped.decode("utf-8", errors="replace"))
            except orjson.JSONDecodeError as error:
                broken.append(number)
                ended = line.endswith(b"\n")
                if len(broken) <= 20:
                    context.gap(
                        "elasticsearch",
                        f"{name} line {number}",
                        f"broken JSON: {error}; the line is left out",
                        "Collect it again.",
                    )
                continue
        ended = True
        yield from hits_of(document, f"{name} line {number}", context, reading)
    if len(broken) > 20:
        context.gap("elasticsearch", name, f"{len(broken)} lines are broken JSON and left out", "Collect it again.")
    if broken and not ended:
        _incomplete(reading, context, name, "the file is cut off in its last line")
    elif broken:
        reading.incomplete.append(f"{name}: {len(broken)} broken lines")


def hits_of(document: Any, name: str, context: Context, reading: Reading) -> Iterator[Hit]:
    """Hits of an answer, of an array of either, or one hit."""
    if isinstance(document, list):
        for one in document:
            yield from hits_of(one, name, context, reading)
        return
    if not isinstance(document, dict):
        context.gap("elasticsearch", name, f"expected a hit, found {type(document).__name__}", "")
        return
    if "responses" in document and isinstance(document["responses"], list):
        yield from hits_of(document["responses"], name, context, reading)
        return
    if "rawResponse" in document and isinstance(document["rawResponse"], dict):
        document = document["rawResponse"]
    answer = document.get("hits")
    if isinstance(answer, dict) and isinstance(answer.get("hits"), list):
        _judge_answer(document, answer, name, context, reading)
        yield from hits_of(answer["hits"], name, context, reading)
        return
    if "error" in document and "status" in document and "_source" not in document:
        _incomplete(reading, context, name, f"Elasticsearch answered with an error: {str(document['error'])[:300]}")
        return
    if "_source" in document or ("fields" in document and "_id" in document):
        source = document.get("_source")
        if not isinstance(source, dict):
            source = {
                k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in document.get("fields", {}).items()
            }
        yield Hit(str(document.get("_index", "")), str(document.get("_id", "")), source)
        return
    # A bare document, as some exports write them; its content stands in for the missing _id.
    yield Hit(str(document.get("_index", "")), str(document.get("_id") or f"{name}"), document)


def _judge_answer(
    document: dict[str, Any], answer: dict[str, Any], name: str, context: Context, reading: Reading
) -> None:
    shards = document.get("_shards") or {}
    if isinstance(shards, dict) and shards.get("failed"):
        _incomplete(reading, context, name, f"{shards['failed']} of {shards.get('total')} shards failed")
    if document.get("timed_out"):
        _incomplete(reading, context, name, "the search timed out")
    if document.get("terminated_early"):
        _incomplete(reading, context, name, "the search was terminated early")
    clusters = document.get("_clusters") or {}
    if isinstance(clusters, dict) and (clusters.get("skipped") or clusters.get("failed") or clusters.get("partial")):
        _incomplete(reading, context, name, "a remote cluster did not answer in full")
    total = answer.get("total")
    value, relation = (total.get("value"), total.get("relation", "eq")) if isinstance(total, dict) else (total, "eq")
    if isinstance(value, int):
        # Pages of one search repeat their total; their hits add up, so the judgement waits for the last file.
        key = f"{value}"
        before = reading.totals.get(key, (value, 0, False))
        reading.totals[key] = (value, before[1] + len(answer["hits"]), before[2] or relation == "gte")


def close_reading(context: Context, reading: Reading) -> None:
    """Compare what was counted with what was fetched, after the last file."""
    for value, fetched, at_least in reading.totals.values():
        if at_least and fetched <= value:
            _incomplete(reading, context, "elasticsearch", f"at least {value} documents match, {fetched} were fetched")
        elif fetched < value:
            _incomplete(reading, context, "elasticsearch", f"{value} documents match, {fetched} were fetched")


def _incomplete(reading: Reading, context: Context, name: str, reason: str) -> None:
    reading.incomplete.append(f"{name}: {reason}")
    context.gap(
        "elasticsearch",
        name,
        reason,
        "Fetch all pages (point in time and search_after) and import again.",
        start=context.window.start,
        end=context.window.end,
    )
