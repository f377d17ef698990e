"""What whole blocks of documents say, as columns: the same as `rows.document_row` says of each.

Rows about which columns prove nothing (lists and objects where a text is expected, a message that is JSON, a template
nobody rendered, failure stores) are named, and read one by one.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags
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
from incident_kit.normalise.logs.documents.table import SAID
from incident_kit.normalise.logs.fields import FieldRoles

#: Indices whose documents were refused.
_REFUSED_INDEX = r"(?i)^\.fs-|dead.*letter|letter.*dead|dlq|deadletter"
#: A hit with one of these is an answer or holds one.
_NO_HIT = frozenset({"responses", "rawResponse", "hits"})


def said_columns(hits: pa.Table, roles: FieldRoles) -> tuple[pa.Table, Flags]:
    """A SAID table with one row for each hit, and the rows that must be read one by one."""
    size = hits.num_rows
    tops = {name: hits[name].chunk(0) for name in hits.column_names}
    source = tops.get("_source")
    doubtful = np.zeros(size, dtype=bool)
    named = all(name in tops and pa.types.is_string(tops[name].type) for name in ("_index", "_id"))
    if source is None or not pa.types.is_struct(source.type) or not named or _NO_HIT & tops.keys():
        return SAID.empty_table(), np.ones(size, dtype=bool)
    doubtful |= ~flags(pc.and_(pc.and_(source.is_valid(), tops["_index"].is_valid()), tops["_id"].is_valid()))
    for name, array in tops.items():
        if name != "_source":
            doubtful |= not_finite(array, size)
    nodes = dict(nodes_of(source, ()))
    for node in nodes.values():
        doubtful |= not_finite(node.values, size)
    block = Block(size, nodes, roles, doubtful)
    for node in block.at("document.source"):
        block.doubt(node.valid)
    block.doubt(_refused(tops["_index"]))
    columns = {
        "document_id": pc.binary_join_element_wise(tops["_index"], tops["_id"], "/"),
        **{name: _name(block, name) for name in ("namespace", "pod", "container", "node", "image", "logger")},
        "time": time_of(block, "time"),
        "ingested_at": time_of(block, "ingested"),
        "level": level_of(block),
        "message": _message(block),
        "exception": text_of(block, "exception", doubt=("list", "object")),
        "template": text_of(block, "template"),
        "properties": properties_of(block),
        "rejected": pa.nulls(size, pa.string()),
        "original": text_of(block, "original", doubt=("list", "number", "flag")),
    }
    return pa.Table.from_arrays([columns[f.name].cast(f.type) for f in SAID], schema=SAID), block.doubtful


def _refused(indices: pa.Array) -> Flags:
    """Which documents were refused; a block's documents lie in few indices."""
    encoded = indices.dictionary_encode()
    return flags(pc.match_substring_regex(encoded.dictionary, _REFUSED_INDEX).take(encoded.indices))


def _name(block: Block, role: str) -> pa.Array:
    return text_of(block, role, doubt=("list",))


def _message(block: Block) -> pa.Array:
    found = text_of(block, "message", doubt=("list", "object", "number", "flag"))
    block.doubt(np.asarray(found.is_null()))
    block.doubt(flags(pc.starts_with(found, "{")))
    return found
