"""Files of hits to hits: one hit a line, or whole ``_search`` answers; what the answers say of their completeness."""

from __future__ import annotations

import io
import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from incident_kit.lines import whole_lines
from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.salvage import readable_beginning
from incident_kit.normalise.raw import RawFolder, decode_json, lenient_json, read_chunks

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
#: What Kibana (bsearch, Discover's request) and ``_async_search`` wrap around an answer.
_WRAPPERS = ("result", "rawResponse", "response")
#: What only an answer has, and no document.
_ANSWERS_ONLY = frozenset({"_shards", "rawResponse", "timed_out", "is_running", "isRunning"})
_TORN = (OSError, EOFError, zlib.error)
#: Broken lines that are told one by one.
_TOLD_LINES = 20
_BLOCK, _SMALL_BLOCK = 4 << 20, 256 << 10


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
        if is_lines(path):
            lines = HitLines(name, context, reading)
            blocks = map(io.BytesIO, line_blocks(path, lines, _SMALL_BLOCK))
            for number, line in enumerate(itertools.chain.from_iterable(blocks), 1):
                yield from lines.hits(number, line)
            lines.close()
        else:
            data = raw.bytes(path, context, "elasticsearch")
            if not data.strip():
                _incomplete(reading, context, name, "the file is empty")
                continue
            if _is_by_line(data):
                lines = HitLines(name, context, reading)
                for number, line in enumerate(data.split(b"\n"), 1):
                    yield from lines.hits(number, line)
                lines.close()
                continue
            told = len(context.gaps)
            document = decode_json(data, name, context, "elasticsearch", repair=True)
            if document is None:
                reading.incomplete.append(f"{name} is broken")
                continue
            if isinstance(document, list) and len(context.gaps) > told and not _is_json(data):
                reading.incomplete.append(f"{name} is cut off")
            yield from hits_of(document, name, context, reading)


def _is_by_line(data: bytes) -> bool:
    """Whether a file that is no one JSON document has one a line, rather than several over many lines each."""
    beginning = data.strip()
    first = beginning.partition(b"\n")[0]
    return beginning[:1] == b"{" and b"\n{" in beginning and first.rstrip()[-1:] == b"}" and not _is_json(data)


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


@dataclass(slots=True)
class HitLines:
    """The lines of one file, one document each; what is broken is counted and told when the file ends.

    Attributes:
        name: the file as gaps state it.
        context: where gaps go.
        reading: what is known of the completeness of all files.
        tells: whether the readable part of a broken hit says whose, when and what it was; else it could be any.
        broken: broken lines so far.
        lost: those of them that could be any document.
        cut: whether the last line is broken and has no end.
    """

    name: str
    context: Context
    reading: Reading
    tells: Callable[[Hit], bool] = lambda _: False
    broken: int = 0
    lost: int = 0
    cut: bool = False

    def hits(self, number: int, line: bytes) -> Iterator[Hit]:
        """Hits of a line, by its number from 1."""
        stripped = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not stripped:
            return
        try:
            document = lenient_json(stripped)
        except ValueError as error:
            yield from self._broken(number, line, error)
            return
        self.cut = False
        yield from hits_of(document, f"{self.name} line {number}", self.context, self.reading)

    def _broken(self, number: int, line: bytes, error: ValueError) -> Iterator[Hit]:
        """The hit at the beginning of a broken line, where it is whole enough to be told from others."""
        name = f"{self.name} line {number}"
        hit = salvaged_hit(line, name)
        self.cut = not line.endswith(b"\n")
        self.broken += 1
        self.lost += hit is None or not self.tells(hit)
        if self.broken <= _TOLD_LINES:
            used = "the line is left out" if hit is None else "the fields before the break are used"
            self.context.gap("elasticsearch", name, f"broken JSON: {error}; {used}", "Collect it again.")
        if hit is not None:
            yield hit

    def torn(self, error: BaseException) -> None:
        """The file could not be read any further."""
        _incomplete(self.reading, self.context, self.name, f"the file is torn: {error}")

    def close(self) -> None:
        """Judge the file after its last line."""
        if self.broken > _TOLD_LINES:
            reason = f"{self.broken} lines are broken JSON"
            self.context.gap("elasticsearch", self.name, reason, "Collect it again.")
        if self.cut:
            _incomplete(self.reading, self.context, self.name, "the file is cut off in its last line")
        elif self.lost:
            self.reading.incomplete.append(f"{self.name}: {self.lost} broken lines that could be any document")


def salvaged_hit(line: bytes, name: str) -> Hit | None:
    """The hit in the readable beginning of a broken line; None when there is none."""
    document = readable_beginning(line)
    source = document.get("_source")
    if not isinstance(source, dict) or not source:
        return None
    # Without its _id it is still no other document.
    return Hit(str(document.get("_index", "")), str(document.get("_id") or name), source)


def line_blocks(path: Path, lines: HitLines, size: int = _BLOCK) -> Iterator[bytes]:
    """Blocks of whole lines of a file; the rest of a torn one is missing, and said to be."""
    return whole_lines(_readable_chunks(path, lines, size))


def _readable_chunks(path: Path, lines: HitLines, size: int) -> Iterator[bytes]:
    try:
        yield from read_chunks(path, size)
    except _TORN as error:
        lines.torn(error)


def is_lines(path: Path) -> bool:
    """Whether a file of hits has one document a line."""
    return ".ndjson" in path.name or ".jsonl" in path.name


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
    document = _unwrapped(document, name, context, reading)
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
    if _ANSWERS_ONLY & set(document):
        _incomplete(reading, context, name, "an answer of Elasticsearch in a form that is not known")
        return
    # A bare document, as some exports write them; its content stands in for the missing _id.
    yield Hit(str(document.get("_index", "")), str(document.get("_id") or f"{name}"), document)


def _unwrapped(document: dict[str, Any], name: str, context: Context, reading: Reading) -> dict[str, Any]:
    """The answer within what Kibana and asynchronous searches wrap around it."""
    for wrapper in _WRAPPERS:
        inner = document.get(wrapper)
        if isinstance(inner, dict) and ("hits" in inner or any(isinstance(inner.get(one), dict) for one in _WRAPPERS)):
            if document.get("is_partial") or document.get("isPartial"):
                _incomplete(reading, context, name, "the answer is partial (is_partial)")
            return _unwrapped(inner, name, context, reading)
    return document


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
