"""Elasticsearch hits to ELASTIC_DOCUMENTS: any shape of ``_source``, failure stores included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.buckets import BucketWriter, column
from incident_kit.normalise.logs.fields import FieldRoles, first_text, lookup, properties_of
from incident_kit.normalise.logs.hits import Hit
from incident_kit.normalise.logs.json_lines import render
from incident_kit.normalise.logs.levels import fold_level
from incident_kit.normalise.logs.normal_form import hashes, normal_forms
from incident_kit.normalise.logs.times import time_values
from incident_kit.tables.logs import ELASTIC_DOCUMENTS

_BATCH = 50_000
_PLAIN = (
    "document_id",
    "namespace",
    "pod",
    "container",
    "node",
    "image",
    "level",
    "logger",
    "message",
    "exception",
    "template",
    "properties",
    "rejected",
)


@dataclass(slots=True)
class DocumentFacts:
    """What was read, for coverage.

    Attributes:
        count: documents read.
        pods: documents per pod.
        levels: folded levels seen.
        untimed: documents without a time.
    """

    count: int = 0
    pods: Counter[str] = field(default_factory=Counter)
    untimed: int = 0
    unlabelled: int = 0
    rejected: int = 0


def write_documents(hits: Iterator[Hit], roles: FieldRoles, context: Context, writer: BucketWriter) -> DocumentFacts:
    """Write all hits; returns what was read."""
    facts = DocumentFacts()
    rows: list[dict[str, Any]] = []
    for hit in hits:
        row = document_row(hit, roles)
        facts.count += 1
        facts.rejected += row["rejected"] is not None
        if row["pod"] is None:
            facts.unlabelled += 1
        else:
            facts.pods[row["pod"]] += 1
        rows.append(row)
        if len(rows) >= _BATCH:
            _write(rows, context, writer, facts)
            rows = []
    _write(rows, context, writer, facts)
    if facts.untimed:
        context.gap(
            "elasticsearch",
            "documents",
            f"{facts.untimed} documents carry no time that could be read; they are left out",
            "Name the time field in the profile (fields.time).",
        )
    return facts


def _write(rows: list[dict[str, Any]], context: Context, writer: BucketWriter, facts: DocumentFacts) -> None:
    times, ingested = time_values([r["time"] for r in rows]), time_values([r["ingested_at"] for r in rows])
    timed = []
    for row, time, arrived in zip(rows, times, ingested, strict=True):
        row["time"], row["ingested_at"] = time, arrived
        if time is not None:
            timed.append(row)
    facts.untimed += len(rows) - len(timed)
    writer.write(_batch(timed, context.cluster), [r["pod"] for r in timed])


def document_row(hit: Hit, roles: FieldRoles) -> dict[str, Any]:
    """One hit as a row; hashes are taken batch-wise later."""
    source, rejected = _unwrap(hit)
    inner = _nested_message(source, roles)
    value = roles.value
    time = value(source, "time")
    message, original = _message(source, inner, roles)
    exception = _exception(source, roles)
    spoken = inner if inner is not None else source
    level = fold_level(value(source, "level")) or (fold_level(value(inner, "level")) if inner is not None else None)
    if time is None and inner is not None:
        time = value(inner, "time")
    template = value(spoken, "template") if inner is not None else value(source, "template")
    properties = properties_of(spoken, roles)
    return {
        "document_id": f"{hit.index}/{hit.identifier}",
        "namespace": _name(value(source, "namespace")),
        "pod": _name(value(source, "pod")),
        "container": _name(value(source, "container")),
        "node": _name(value(source, "node")),
        "image": _name(value(source, "image")),
        "time": time,
        "ingested_at": value(source, "ingested"),
        "level": level,
        "logger": _name(value(spoken, "logger")),
        "message": message,
        "exception": exception,
        "template": template if isinstance(template, str) else None,
        "properties": orjson.dumps(properties, default=str).decode() if properties else None,
        "rejected": rejected,
        "original": original,
    }


def _name(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, str) and value else None


def _unwrap(hit: Hit) -> tuple[dict[str, Any], str | None]:
    """The document itself, and why it was refused when it stands in a failure store or dead-letter index."""
    source = hit.source
    error = source.get("error")
    nested = lookup(source, "document.source")
    failed = nested is not None and (error is not None or lookup(source, "error.message") is not None)
    if failed or hit.index.startswith(".fs-"):
        reason = (
            first_text(lookup(source, "error.message"))
            or first_text(lookup(source, "error.type"))
            or "in a failure store"
        )
        if isinstance(nested, str):
            nested = _json_object(nested)
        return (nested if isinstance(nested, dict) else source), reason
    index = hit.index.lower()
    if ("dead" in index and "letter" in index) or "dlq" in index or "deadletter" in index:
        reason = first_text(lookup(source, "error.message")) or first_text(source.get("reason")) or f"in {hit.index}"
        for path in ("document.source", "original", "event.original", "message", "payload", "data"):
            raw = lookup(source, path)
            inner = raw if isinstance(raw, dict) else _json_object(raw) if isinstance(raw, str) else None
            if inner:
                return inner, reason
        return source, reason
    return source, None


def _json_object(text: str) -> dict[str, Any] | None:
    stripped = text.lstrip()
    if not stripped.startswith("{"):
        return None
    try:
        found = orjson.loads(stripped)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _nested_message(source: dict[str, Any], roles: FieldRoles) -> dict[str, Any] | None:
    raw = roles.value(source, "message")
    if isinstance(raw, dict):
        return raw
    return _json_object(raw) if isinstance(raw, str) and raw[:1] == "{" else None


def _message(source: dict[str, Any], inner: dict[str, Any] | None, roles: FieldRoles) -> tuple[str | None, str | None]:
    raw = roles.value(source, "message")
    original = first_text(roles.value(source, "original"))
    if inner is not None:
        spoken = roles.value(inner, "message") or roles.value(inner, "template")
        outer = raw if isinstance(raw, str) else None
        if isinstance(spoken, str) and spoken:
            return spoken, original or outer
        return outer, original
    text = first_text(raw)
    if text is None:
        template = first_text(roles.value(source, "template"))
        text = original if template is None else render(template, _slots(source, roles))
    return text, original


def _slots(source: dict[str, Any], roles: FieldRoles) -> dict[str, Any]:
    """Values by the last part of their name, for a template that nobody rendered."""
    found: dict[str, Any] = {}
    for path, value in properties_of(source, roles).items():
        found.setdefault(path.rpartition(".")[2], value)
    for container in ("fields", "labels", "metadata", "Properties", "properties", "State"):
        values = source.get(container)
        if isinstance(values, dict):
            found |= values
    return found


def _exception(source: dict[str, Any], roles: FieldRoles) -> str | None:
    value = roles.value(source, "exception")
    if isinstance(value, dict):
        value = value.get("stack_trace") or value.get("stackTraceString") or value.get("stack") or value.get("message")
    if isinstance(value, list) and value and isinstance(value[0], dict):
        first = value[0]
        value = f"{first.get('ClassName')}: {first.get('Message')}\n{first.get('StackTraceString') or ''}"
    return value if isinstance(value, str) else None


def _batch(rows: list[dict[str, Any]], cluster: str) -> pa.Table:
    if not rows:
        return ELASTIC_DOCUMENTS.schema.empty_table()
    messages = pa.array([r["message"] for r in rows], pa.large_string())
    forms = normal_forms(messages)
    heads = normal_forms(pa.array([_head(r["message"]) for r in rows], pa.large_string()))
    originals = normal_forms(pa.array([r["original"] for r in rows], pa.large_string()))
    columns: dict[str, Any] = {name: [r[name] for r in rows] for name in _PLAIN}
    columns |= {
        "cluster": [cluster] * len(rows),
        "time": pa.array([r["time"] for r in rows], pa.int64()),
        "ingested_at": pa.array([r["ingested_at"] for r in rows], pa.int64()),
        "id_hash": hashes(pa.array([r["document_id"] for r in rows], pa.large_string())),
        "message_hash": hashes(forms),
        "head_hash": hashes(heads),
        "text_hash": hashes(originals),
    }
    schema = ELASTIC_DOCUMENTS.schema
    return pa.Table.from_arrays([column(columns[f.name], f.type) for f in schema], schema=schema)


def _head(message: str | None) -> str | None:
    return None if message is None else message.lstrip().partition("\n")[0]
