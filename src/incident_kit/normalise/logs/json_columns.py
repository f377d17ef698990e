"""What many JSON console entries say: as columns where these can be vouched for, else each by `json_lines.json_entry`.

The columns are those of documents, and so is what they leave to the reader of single entries: see `documents.block`.
A property test holds both together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers, put
from incident_kit.normalise.logs.documents.block import (
    Block,
    flags,
    level_of,
    nodes_of,
    not_finite,
    properties_of,
    text_of,
    time_of,
)
from incident_kit.normalise.logs.documents.rows import json_object
from incident_kit.normalise.logs.documents.shape import HitShape
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.json_lines import json_entry
from incident_kit.normalise.logs.text_bytes import bytes_of, holds, offsets_of

#: What JSON entries say; ``head`` is the message's first line, the message ends with the exception that is not in it.
JSON_SAID = pa.schema(
    [
        ("message", pa.large_string()),
        ("head", pa.large_string()),
        ("level", pa.string()),
        ("logger", pa.string()),
        ("time", pa.int64()),
        ("template", pa.string()),
        ("properties", pa.string()),
    ]
)
#: Fewer entries are read one by one sooner than a shape is learnt.
_FEWEST = 200


def json_said(texts: pa.Array, roles: FieldRoles, shape: HitShape, fewest: int = _FEWEST) -> tuple[pa.Table, Integers]:
    """A JSON_SAID table of the texts that are JSON objects, and which these are, in order.

    Args:
        texts: whole entries that begin with a brace.
        roles: field roles.
        shape: fields that the container's entries have, learnt as they are read.
        fewest: fewer texts are read one by one.
    """
    lines = np.arange(len(texts))
    if holds(texts, b"\n"):
        lines = np.flatnonzero(np.asarray(pc.invert(pc.match_substring(texts, "\n"))))
    columns, sure = JSON_SAID.empty_table(), lines[:0]
    if len(lines) >= fewest and not roles.level_words:
        columns, places = _columns(texts.take(pa.array(lines)), roles, shape)
        sure = lines[places]
    aside = np.ones(len(texts), dtype=bool)
    aside[sure] = False
    rest = np.flatnonzero(aside)
    rows, odd = _rows(texts.take(pa.array(rest)), roles)
    if not rows.num_rows:
        return columns, sure
    numbers = np.concatenate([sure, rest[odd]])
    order = np.argsort(numbers, kind="stable")
    return pa.concat_tables([columns, rows]).combine_chunks().take(pa.array(order)), numbers[order]


def _rows(texts: pa.Array, roles: FieldRoles) -> tuple[pa.Table, list[int]]:
    """Entries read by themselves, and which of the texts they are."""
    found = [(row, entry) for row, text in enumerate(texts.to_pylist()) if (entry := json_entry(text, roles))]
    rows = [_row(entry) for _, entry in found]
    return pa.Table.from_pylist(rows, JSON_SAID), [row for row, _ in found]


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    message = entry["message"]
    return {
        **entry,
        "message": _body(message, entry["exception"]),
        "head": message.partition("\n")[0],
        "properties": json_object(entry["properties"]),
    }


def _body(message: str, exception: str | None) -> str:
    return message if not exception or exception in message else f"{message}\n{exception}"


def _columns(texts: pa.Array, roles: FieldRoles, shape: HitShape) -> tuple[pa.Table, Integers]:
    """What can be read as columns of texts of one line each, and which of them these are."""
    lines = pc.binary_join_element_wise(texts, *pa.array(["", "\n"], texts.type))
    offsets = offsets_of(lines)
    decoded = shape.decode(bytes_of(lines), offsets - offsets[0])
    if decoded is None:
        return JSON_SAID.empty_table(), np.zeros(0, np.int64)
    names = decoded.hits.column_names
    size = decoded.hits.num_rows
    whole = pa.StructArray.from_arrays([decoded.hits[name].chunk(0) for name in names], names)
    nodes = dict(nodes_of(whole, ()))
    block = Block(size, nodes, roles, np.zeros(size, dtype=bool))
    for node in nodes.values():
        block.doubt(not_finite(node.values, size))
    message = text_of(block, "message", doubt=("list", "object", "number", "flag"))
    template = text_of(block, "template")
    level = level_of(block)
    block.doubt(flags(pc.or_kleene(message.is_null(), pc.equal(message, template))))
    block.doubt(flags(pc.starts_with(message, "{")))  # JSON as a text
    if {"@m", "@mt"} & set(names):  # CLEF leaves Information out
        block.doubt(np.asarray(level.is_null()))
    columns = {
        "message": _bodies(message, text_of(block, "exception")),
        "head": _first_lines(message),
        "level": level,
        "logger": text_of(block, "logger", doubt=("list", "number", "flag")),
        "time": time_of(block, "time"),
        "template": template,
        "properties": properties_of(block),
    }
    table = pa.Table.from_arrays([columns[field.name].cast(field.type) for field in JSON_SAID], schema=JSON_SAID)
    if not block.doubtful.any():
        return table, decoded.lines
    return table.filter(pa.array(~block.doubtful)), decoded.lines[~block.doubtful]


def _bodies(messages: pa.Array, exceptions: pa.Array) -> pa.Array:
    rows = np.flatnonzero(pc.and_(exceptions.is_valid(), messages.is_valid()))
    if not len(rows):
        return messages
    own = (column.take(pa.array(rows)).to_pylist() for column in (messages, exceptions))
    return put(messages, rows, pa.array(map(_body, *own), messages.type))


def _first_lines(messages: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(messages, r"(?s)\n.*$", "") if holds(messages, b"\n") else messages
