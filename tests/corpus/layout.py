"""Write a case as an import folder, and its truth beside it."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterable
from pathlib import Path

from .kubernetes_objects import pods_json, replicasets_json
from .model import MINUTE, Case, Container, Document, Entry, JsonObject, local, rfc3339

PARTIAL = 16_384


def write(case: Case, folder: Path) -> Path:
    """Write ``folder/import`` and ``folder/truth.jsonl``; the import folder is returned."""
    target = folder / "import"
    target.mkdir(parents=True)
    window: JsonObject = {"start": rfc3339(case.start, 0), "end": rfc3339(case.end, 0), "cluster": "corpus"}
    if case.captured_at is not None:
        window["captured_at"] = rfc3339(case.captured_at, 0)
    _json(target / "window.json", window)
    if case.with_pods_json:
        _json(target / "kubernetes" / "pods.json", pods_json(case))
        _json(target / "kubernetes" / "replicasets.json", replicasets_json(case))
    for container in case.containers():
        _write_console(case, container, target / "console" / container.owner.namespace / container.owner.name)
    if case.with_elasticsearch:
        _write_elasticsearch(case, target / "elasticsearch")
    if case.profile:
        (target.parent / "incident-kit.toml").write_text(case.profile, encoding="utf-8")
    with (folder / "truth.jsonl").open("w", encoding="utf-8") as out:
        for row in truth(case):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return target


def truth(case: Case) -> Iterable[JsonObject]:
    """One row per readable console entry within the window, and per document without one."""
    claimed: set[int] = set()
    for entry in case.entries():
        if not _readable(case, entry):
            continue
        if entry.document is not None:
            claimed.update(map(id, (entry.document, *entry.parts)))
        container = entry.container
        yield {
            "side": "console",
            "time": rfc3339(entry.time),
            "namespace": container.owner.namespace,
            "pod": container.owner.name,
            "container": container.name,
            "restart_count": container.restart_count,
            "text": entry.text.partition("\n")[0][:300].encode("utf-8", "replace").decode(),
            "verdicts": sorted(entry.verdicts),
            "causes": sorted(cause or "" for cause in entry.causes),
            "why": entry.why,
            "judged": entry.judged and case.start <= entry.time < case.end,
            "alike": _alike(entry),
        }
    for document in case.documents:
        if id(document) in claimed:
            continue
        yield {
            "side": "elastic",
            "time": document.source.get("@timestamp"),
            "namespace": document.container.owner.namespace,
            "pod": document.container.owner.name,
            "container": document.container.name,
            "restart_count": None,
            "text": str(document.source.get("message", document.source.get("msg", document.source.get("event", ""))))[
                :300
            ],
            "document_id": document.identifier,
            "verdicts": sorted(document.verdicts or _fate(case, document)),
            "causes": [""],
            "why": document.why,
            "judged": case.start <= document.time < case.end,
            "alike": "",
        }


def _fate(case: Case, document: Document) -> set[str]:
    """What an unclaimed document is when the case does not say: unknown where its console cannot be read."""
    container = document.container
    if container.unreadable is not None or (
        container.readable_from is not None and document.time < container.readable_from
    ):
        return {"unknown"}
    return {"elastic_only"}


def _alike(entry: Entry) -> str:
    """Entries that nobody could tell apart carry the same mark; the scorer adds that they stand close together."""
    if entry.event is None:
        return ""
    event = entry.event
    return f"{event.level}|{event.logger}|{event.template}|{json.dumps(event.properties, sort_keys=True, default=str)}|{bool(event.exception)}"


def _readable(case: Case, entry: Entry) -> bool:
    container = entry.container
    if container.unreadable is not None or (not entry.container.owner.listed and case.console_layout == "none"):
        return False
    return container.readable_from is None or entry.time >= container.readable_from


def _write_console(case: Case, container: Container, folder: Path) -> None:
    if container.unreadable is not None:
        if container.unreadable:
            _text(case, folder / f"{container.name}.log", container.unreadable)
        return
    entries = [entry for entry in container.entries if _readable(case, entry)]
    if case.console_layout == "cri":
        for name, part in _rotated(case, container, entries):
            _text(case, folder / container.name / name, "".join(_cri_lines(case, part)))
        return
    newest = max(one.restart_count for one in container.owner.containers if one.name == container.name)
    if container.restart_count < newest - 1:
        raise ValueError(f"{container.name} {container.restart_count} is out of kubectl's reach: mark it unreadable")
    ending = "log" if container.restart_count == newest else "previous.log"
    _text(case, folder / f"{container.name}.{ending}", "".join(_kubectl_lines(case, entries)))


def _rotated(case: Case, container: Container, entries: list[Entry]) -> Iterable[tuple[str, list[Entry]]]:
    name = f"{container.restart_count}.log"
    if case.rotate_every is None:
        yield name, entries
        return
    count = case.rotate_every
    parts = [entries[n : n + count] for n in range(0, len(entries), count)]
    for part, following in itertools.pairwise(parts):
        yield f"{name}.{local(following[0].time, '%Y%m%d-%H%M%S', 0)}", part
    yield name, parts[-1] if parts else []


def _line_times(entry: Entry) -> Iterable[tuple[int, str]]:
    time = entry.time
    for number, line in enumerate(entry.text.split("\n")):
        time += entry.pauses.get(number, 4_000 if number else 0)
        yield time, line


def _kubectl_lines(case: Case, entries: list[Entry]) -> Iterable[str]:
    for time, line, _ in _interleaved(entries):
        yield f"{_stamp(case, time)} {line}\n"


def _interleaved(entries: list[Entry]) -> list[tuple[int, str, str]]:
    return sorted(
        ((time, line, entry.stream) for entry in entries for time, line in _line_times(entry)), key=lambda one: one[0]
    )


def _cri_lines(case: Case, entries: list[Entry]) -> Iterable[str]:
    for time, line, stream in _interleaved(entries):
        raw = line.encode("utf-8", "surrogateescape")
        while len(raw) > PARTIAL:
            cut = PARTIAL
            while raw[cut] & 0xC0 == 0x80:
                cut -= 1
            yield f"{_stamp(case, time)} {stream} P {raw[:cut].decode('utf-8', 'surrogateescape')}\n"
            raw, time = raw[cut:], time + 100
        yield f"{_stamp(case, time)} {stream} F {raw.decode('utf-8', 'surrogateescape')}\n"


def _stamp(case: Case, time: int) -> str:
    if case.console_zone == "Z":
        return rfc3339(time)
    hours = int(case.console_zone[:3])
    return rfc3339(time + hours * 60 * MINUTE, zone=case.console_zone)


def _write_elasticsearch(case: Case, folder: Path) -> None:
    hits = [{"_index": one.index, "_id": one.identifier, "_source": one.source} for one in case.documents]
    if case.total is not None or case.shards_failed:
        answer = {
            "took": 31,
            "timed_out": False,
            "_shards": {"total": 5, "successful": 5 - case.shards_failed, "skipped": 0, "failed": case.shards_failed},
            "hits": {"total": case.total or {"value": len(hits), "relation": "eq"}, "max_score": None, "hits": hits},
        }
        _json(folder / "answer.json", answer)
    else:
        for number in range(case.elasticsearch_files):
            lines = "".join(
                json.dumps(hit, ensure_ascii=False) + "\n" for hit in hits[number :: case.elasticsearch_files]
            )
            torn = (
                '{"_index": "shop-logs-2026.11.20", "_id": "torn", "_source": {"message": "User\n' if case.torn else ""
            )
            _text(case, folder / f"hits-{number}.ndjson", lines + torn)
    for name, content in (("query", case.query), ("mappings", case.mappings)):
        if content is not None:
            _json(folder / f"{name}.json", content)


def _json(path: Path, content: JsonObject) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _text(case: Case, path: Path, content: str) -> None:
    raw = content.encode("utf-8", "surrogateescape")
    path.parent.mkdir(parents=True, exist_ok=True)
    if case.compressed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(raw, mtime=0))
    else:
        path.write_bytes(raw)
