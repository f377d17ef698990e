"""One document as a row: the rule, for any shape of ``_source``, failure stores included.

`documents.columns` says the same of whole blocks where it can; a property test holds both together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

from incident_kit.normalise.logs.documents.table import SAID
from incident_kit.normalise.logs.fields import FieldRoles, first_text, flatten, is_property, lookup, properties_of
from incident_kit.normalise.logs.hits import Hit
from incident_kit.normalise.logs.json_lines import render
from incident_kit.normalise.logs.times import time_value, time_values


def rows_table(hits: Sequence[Hit], roles: FieldRoles) -> pa.Table:
    """Hits as a SAID table, each read by itself."""
    rows = [document_row(hit, roles) for hit in hits]
    for name in ("time", "ingested_at"):
        for row, instant in zip(rows, time_values([row[name] for row in rows]), strict=True):
            row[name] = instant
    return pa.Table.from_pylist(rows, SAID)


def document_row(hit: Hit, roles: FieldRoles) -> dict[str, Any]:
    """One hit as a row; hashes are taken batch-wise later."""
    source, rejected = _unwrap(hit)
    inner = _nested_message(source, roles)
    value = roles.value
    time = value(source, "time")
    message, original = _message(source, inner, roles)
    exception = _exception(source, roles)
    spoken = inner if inner is not None else source
    level = roles.level(source) or (roles.level(inner) if inner is not None else None)
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
        "properties": json_object(properties),
        "rejected": rejected,
        "original": original,
    }


def tells_its_entry(hit: Hit, roles: FieldRoles) -> bool:
    """Whether a hit says whose, when and what it was, so that losing the rest of it leaves no other entry in doubt."""
    row = document_row(hit, roles)
    return bool(row["pod"] and row["message"]) and time_value(row["time"]) is not None


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
    for path, value in flatten(source):
        if is_property(path, roles):
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


def json_object(properties: dict[str, Any]) -> str | None:
    """Properties as JSON with sorted names, so that the order in which a document has them says nothing."""
    return orjson.dumps(properties, default=str, option=orjson.OPT_SORT_KEYS).decode() if properties else None
