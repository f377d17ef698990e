"""The application's values of whole blocks as JSON texts: what `fields.properties_of` finds, written by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags
from incident_kit.normalise.logs.fields import (
    LONGEST_LIST,
    LONGEST_TEXT,
    MOST_PROPERTIES,
    FieldRoles,
    is_property,
)

_TEXT = pa.string()
#: What a JSON text must escape.
_ESCAPED = r'["\\\x00-\x1f]'


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field that is no object, by its dotted path."""

    path: str
    values: pa.Array


def properties_column(leaves: list[Leaf], size: int, roles: FieldRoles) -> tuple[pa.Array, Flags]:
    """JSON objects with sorted names, null where there are no properties; and rows that columns cannot tell."""
    told = sorted((leaf for leaf in leaves if is_property(leaf.path, roles)), key=lambda leaf: leaf.path)
    doubtful = np.zeros(size, dtype=bool)
    counts = np.zeros(size, dtype=np.int64)
    parts: list[pa.Array] = []
    seen: dict[str, Flags] = {}
    for leaf in told:
        valid = np.asarray(leaf.values.is_valid())
        # One name spelt nested and dotted in one document: the later one counts, and columns have no order.
        doubtful |= valid & seen.get(leaf.path, False)
        seen[leaf.path] = valid | seen.get(leaf.path, False)
        counts += valid
        written, unsure = _written(leaf.values)
        doubtful |= unsure
        prefix = pa.scalar(f",{orjson.dumps(leaf.path).decode()}:", pa.string())
        parts.append(pc.binary_join_element_wise(prefix, written, ""))
    doubtful |= counts > MOST_PROPERTIES
    if not parts:
        return pa.nulls(size, pa.string()), doubtful
    # Arrow's join drops rows of which every part is null, so that one part is always there; the first comma goes with it.
    joined = pc.binary_join_element_wise(pa.repeat("{", size), *parts, "", null_handling="skip")
    inner = pc.utf8_slice_codeunits(joined, len("{,"))
    whole = pc.binary_join_element_wise("{", inner, "}", "")
    none = pc.equal(inner, "")
    return pc.if_else(none, pa.scalar(None, _TEXT), whole) if pc.any(none).as_py() else whole, doubtful


def _written(values: pa.Array) -> tuple[pa.Array, Flags]:
    """Each value as JSON text; and the rows where the decoded column no longer says how it was written."""
    unsure = np.zeros(len(values), dtype=bool)
    kind = values.type
    if pa.types.is_string(kind):
        return _quoted(pc.utf8_slice_codeunits(values, 0, LONGEST_TEXT)), unsure
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return values.cast(pa.string()), unsure
    if pa.types.is_floating(kind):
        # 1, 1.0 and 1e0 are one float: which it was only the text knows.
        unsure = np.asarray(pc.fill_null(pc.equal(values, pc.floor(values)), False))
        numbers = orjson.dumps(values.to_pylist())[1:-1].decode().split(",")
        return pa.array([None if text == "null" else text for text in numbers] if len(values) else [], _TEXT), unsure
    return _listed(values), unsure


def _listed(values: pa.ListArray) -> pa.Array:
    """Lists of texts, integers and flags (`shape` takes no others) as JSON texts; null where one is too long to keep."""
    kind = values.type.value_type
    inner = _quoted(values.values) if pa.types.is_string(kind) else values.values.cast(_TEXT)
    lists = pa.ListArray.from_arrays(values.offsets, pc.fill_null(inner, "null"))
    whole = pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")
    kept = pc.fill_null(pc.less_equal(pc.list_value_length(values), LONGEST_LIST), False)
    return pc.if_else(kept, whole, pa.scalar(None, _TEXT))


def _quoted(texts: pa.Array) -> pa.Array:
    quoted = pc.binary_join_element_wise('"', texts, '"', "")
    rows = pc.fill_null(pc.match_substring_regex(texts, _ESCAPED), False)
    if not pc.any(rows).as_py():
        return quoted
    escaped = [orjson.dumps(text).decode() for text in texts.filter(rows).to_pylist()]
    return pc.replace_with_mask(quoted, rows, pa.array(escaped, quoted.type))
