"""What console entries say beside their message: JSON objects by field roles, and the pairs behind a message."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers, put
from incident_kit.normalise.logs.documents.shape import HitShape
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.formats.layout import Parsed
from incident_kit.normalise.logs.formats.pair_columns import pair_texts
from incident_kit.normalise.logs.formats.pairs import level_of, pairs_of
from incident_kit.normalise.logs.json_columns import json_said
from incident_kit.normalise.logs.text_bytes import BRACE, fitted, holds

_JSON_START = r"^\s*\{"
#: Pairs, JSON behind a message, fields on lines of their own.
_MAY_SAY = r"[\w]=|\{[\"']|\n\s+[\w.]+: "


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


def add_json(texts: pa.Array, roles: FieldRoles, shape: HitShape, said: Said) -> None:
    """What entries say that are JSON objects, by field roles."""
    begun = np.flatnonzero(fitted(texts, _JSON_START, BRACE))
    if not len(begun):
        return
    table, found = json_said(texts.take(pa.array(begun)), roles, shape)
    rows = begun[found]
    column = {name: table[name].combine_chunks() for name in table.column_names}
    parsed = said.parsed
    parsed.format = put(parsed.format, rows, pa.repeat("json", len(rows)))
    parsed.level = put(parsed.level, rows, column["level"])
    parsed.logger = put(parsed.logger, rows, column["logger"])
    said.messages = put(said.messages, rows, column["message"])
    said.heads = put(said.heads, rows, column["head"])
    said.app_time = put(said.app_time, rows, column["time"])
    said.template = put(said.template, rows, column["template"])
    said.properties = put(said.properties, rows, column["properties"])


def add_pairs(texts: pa.Array, said: Said) -> None:
    """What other entries say in pairs or in JSON behind the message; their level, where nothing else told it."""
    if not holds(texts, b"=", b'{"', b"{'", b"\n"):
        return
    parsed = said.parsed
    plain = pc.not_equal(pc.fill_null(parsed.format, ""), "json")
    rows = np.flatnonzero(pc.and_(plain, pc.match_substring_regex(texts, _MAY_SAY)))
    properties, told = pair_texts(texts.take(pa.array(rows)))
    told &= np.asarray(parsed.level.take(pa.array(rows)).is_valid())
    said.properties = put(said.properties, rows[told], properties.filter(pa.array(told)))
    _add_pairs_of_each(texts, rows[~told], said)


def _add_pairs_of_each(texts: pa.Array, rows: Integers, said: Said) -> None:
    levels: list[str | None] = []
    properties: list[str | None] = []
    known = said.parsed.level.take(pa.array(rows)).to_pylist()
    for text, level in zip(texts.take(pa.array(rows)).to_pylist(), known, strict=True):
        found = pairs_of(text)
        levels.append(level or level_of(text, found))
        properties.append(orjson.dumps(found, default=str).decode() if found else None)
    said.parsed.level = put(said.parsed.level, rows, pa.array(levels, pa.string()))
    said.properties = put(said.properties, rows, pa.array(properties, pa.string()))
