"""What console entries say beside their message: JSON objects by field roles, and the pairs behind a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.formats.layout import Parsed, put
from incident_kit.normalise.logs.formats.pairs import level_of, pairs_of
from incident_kit.normalise.logs.json_lines import json_entry
from incident_kit.normalise.logs.text_bytes import holds

_JSON_START = r"^\s*\{"
#: Pairs, JSON behind a message, fields on lines of their own.
_MAY_SAY = r"[\w]=|\{\"|\n\s+[\w.]+: "

Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(slots=True)
class Said:
    """Columns of what entries say, null where they do not.

    Attributes:
        parsed: their first lines taken apart, completed here by what JSON and pairs say.
        messages: whole messages.
        heads: their first lines, without what follows the message.
        app_time: the application's own times, int64 ns.
        template: message templates.
        properties: JSON objects of the values.
    """

    parsed: Parsed
    messages: pa.Array
    heads: pa.Array
    app_time: pa.Array
    template: pa.Array
    properties: pa.Array


def add_json(texts: pa.Array, roles: FieldRoles, said: Said) -> None:
    """What entries say that are JSON objects, by field roles."""
    rows = np.flatnonzero(pc.match_substring_regex(texts, _JSON_START))
    found = [
        (row, entry)
        for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True)
        if (entry := json_entry(text, roles)) is not None
    ]
    if not found:
        return
    rows = np.array([row for row, _ in found], dtype=np.int64)
    entries = [entry for _, entry in found]
    parsed = said.parsed
    parsed.format = put(parsed.format, rows, pa.repeat("json", len(rows)))
    parsed.level = put(parsed.level, rows, _column(entries, "level"))
    parsed.logger = put(parsed.logger, rows, _column(entries, "logger"))
    said.messages = put(said.messages, rows, pa.array(map(_body, entries), said.messages.type))
    heads = pa.array((entry["message"].partition("\n")[0] for entry in entries), said.heads.type)
    said.heads = put(said.heads, rows, heads)
    said.app_time = put(said.app_time, rows, pa.array((entry["time"] for entry in entries), pa.int64()))
    said.template = put(said.template, rows, _column(entries, "template"))
    properties = (_json(entry["properties"]) if entry["properties"] else None for entry in entries)
    said.properties = put(said.properties, rows, pa.array(properties, pa.string()))


def _column(entries: list[dict[str, Any]], name: str) -> pa.Array:
    return pa.array((entry[name] for entry in entries), pa.string())


def _body(entry: dict[str, Any]) -> str:
    """The message with the exception that does not stand in it."""
    message, exception = entry["message"], entry["exception"]
    return str(message) if not exception or exception in message else f"{message}\n{exception}"


def add_pairs(texts: pa.Array, said: Said) -> None:
    """What other entries say in pairs or in JSON behind the message; their level, where nothing else told it."""
    if not holds(texts, b"=", b'{"', b"\n"):
        return
    parsed = said.parsed
    plain = pc.not_equal(pc.fill_null(parsed.format, ""), "json")
    rows = np.flatnonzero(pc.and_(plain, pc.match_substring_regex(texts, _MAY_SAY)))
    levels: list[str | None] = []
    properties: list[str | None] = []
    known = parsed.level.take(pa.array(rows)).to_pylist()
    for text, level in zip(texts.take(pa.array(rows)).to_pylist(), known, strict=True):
        found = pairs_of(text)
        levels.append(level or level_of(text, found))
        properties.append(_json(found) if found else None)
    parsed.level = put(parsed.level, rows, pa.array(levels, pa.string()))
    said.properties = put(said.properties, rows, pa.array(properties, pa.string()))


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
