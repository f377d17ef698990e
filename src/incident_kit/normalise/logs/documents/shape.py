"""Lines with one hit each, decoded as columns.

The shape (which fields, of which types) is learnt from the lines themselves and grows with them. Arrow decodes with it
as its schema and refuses whatever differs; a line that the shape cannot take in (one field with two types, broken JSON,
half a surrogate pair, a name twice) is set aside for the reader of single lines. Nothing is ever coerced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.json as pj

from incident_kit.arrays import Integers

#: A field's type, or the fields of an object.
Shape = dict[str, "Shape | pa.DataType"]

_LEARNT_FROM = 20
#: Lines set aside, and steps of learning, before a block is left to the reader of single lines.
_MOST_ASIDE = 12
_MOST_STEPS = 60
#: Blocks left alone before the rest of the file is.
_MOST_LEFT = 3
#: Objects deeper than this are left to the reader of single lines.
_DEEPEST = 6
_ROW = re.compile(r"in row (\d+)")
_UNCONVERTED = re.compile(r"couldn't parse: ?(.*)$", re.DOTALL)


@dataclass(slots=True)
class Decoded:
    """What of a block could be decoded as columns.

    Attributes:
        hits: one row for each decoded line, one column for each field of the hits.
        lines: their line numbers within the block, from 0.
        aside: line numbers for the reader of single lines.
    """

    hits: pa.Table
    lines: Integers
    aside: Integers


@dataclass(slots=True)
class HitShape:
    """The shape of one file's hits, learnt as it is read; safe to use from several threads."""

    shape: Shape = field(default_factory=dict)
    left: int = 0

    def decode(self, block: bytes, offsets: Integers) -> Decoded | None:
        """A block of whole lines as columns; None when it must be read line by line.

        Args:
            block: UTF-8 lines.
            offsets: where each line begins, and the end of the last.
        """
        if self.left >= _MOST_LEFT or not _is_utf8(block):
            return None
        odd = _odd_lines(block, offsets)
        lines = np.flatnonzero(~odd)
        if not self.shape:
            for number in lines[:: max(1, len(lines) // _LEARNT_FROM)].tolist():
                self._learn(block[offsets[number] : offsets[number + 1]])
        for _ in range(_MOST_STEPS):
            if len(offsets) - 1 - len(lines) - int(odd.sum()) > _MOST_ASIDE or not len(lines):
                break
            shape = self.shape
            data = block if len(lines) == len(offsets) - 1 else _joined(block, offsets, lines)
            try:
                hits = _read(data, shape)
            except pa.ArrowInvalid as error:
                told = _told(str(error), block, offsets, lines)
            else:
                if hits.num_rows != len(lines):
                    break  # two documents on one line
                told = _unknown(hits, shape)
                if not told:
                    aside = np.ones(len(offsets) - 1, dtype=bool)
                    aside[lines] = False
                    return Decoded(hits, lines, np.flatnonzero(aside))
            if not told:
                break
            taught = [self._learn(block[offsets[n] : offsets[n + 1]]) for n in lines[told].tolist()]
            if not any(taught) and self.shape == shape:
                lines = np.delete(lines, told)
        self.left += 1
        return None

    def _learn(self, line: bytes) -> bool:
        """Widen the shape by a line; whether it changed."""
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            return False
        wider = _union(self.shape, _shape_of(document, 0)) if isinstance(document, dict) else None
        if wider is None or wider == self.shape or not isinstance(wider, dict):
            return False
        self.shape = wider
        return True


def _is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _odd_lines(block: bytes, offsets: Integers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Lines that do not begin with a brace and end with one.

    Where all do, no object can reach over a line's end: inside of one, a closing brace is never followed by an opening.
    """
    characters = np.frombuffer(block, dtype=np.uint8)
    starts, ends = offsets[:-1], offsets[1:] - 1
    ends = np.where(characters[ends] == 0x0A, ends - 1, ends)
    ends = np.where((ends >= 0) & (characters[ends] == 0x0D), ends - 1, ends)
    odd: np.ndarray[Any, np.dtype[np.bool_]] = (
        (ends <= starts) | (characters[starts] != 0x7B) | (characters[ends] != 0x7D)
    )
    return odd


def _joined(block: bytes, offsets: Integers, lines: Integers) -> bytes:
    breaks = np.flatnonzero(np.diff(lines) > 1) + 1
    runs = np.split(lines, breaks)
    return b"".join(block[offsets[run[0]] : offsets[run[-1] + 1]] for run in runs)


def _read(data: bytes, shape: Shape) -> pa.Table:
    return pj.read_json(
        pa.BufferReader(data),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=pj.ParseOptions(explicit_schema=pa.schema(_fields(shape)), unexpected_field_behavior="infer"),
    )


def _told(message: str, block: bytes, offsets: Integers, lines: Integers) -> list[int]:
    """Positions in ``lines`` of what an error speaks of; none when it does not say."""
    row = _ROW.search(message)
    if row:
        return [int(row[1])] if int(row[1]) < len(lines) else []
    value = _UNCONVERTED.search(message)
    if not value or not value[1]:
        return []
    needle = value[1].encode()
    return [
        position
        for position, number in enumerate(lines.tolist())
        if block.find(needle, int(offsets[number]), int(offsets[number + 1])) >= 0
    ][: _MOST_ASIDE + 1]


def _unknown(hits: pa.Table, shape: Shape) -> list[int]:
    """For each field that the shape does not know, the first row that has it; null everywhere is no field."""
    found: set[int] = set()

    def look(array: pa.Array, known: Shape | pa.DataType | None) -> None:
        if known is None:
            if array.null_count < len(array):
                found.add(int(np.argmax(np.asarray(array.is_valid()))))
        elif isinstance(known, dict):
            for position in range(array.type.num_fields):
                look(field_of(array, position), known.get(array.type.field(position).name))

    for name in hits.column_names:
        # One chunk, as the block was decoded whole. (Combining would look into lists that Arrow inferred wrongly.)
        look(hits[name].chunk(0), shape.get(name))
    return sorted(found)


def field_of(array: pa.StructArray, position: int) -> pa.Array:
    """A field of an object, null where the object is."""
    child = array.field(position)
    return child if array.null_count == 0 else array.flatten()[position]


def _fields(shape: Shape) -> list[pa.Field]:
    return [
        pa.field(name, pa.struct(_fields(kind)) if isinstance(kind, dict) else _declared(kind))
        for name, kind in shape.items()
    ]


def _declared(kind: pa.DataType) -> pa.DataType:
    """The type under which a field is decoded: of a list of nulls Arrow makes fewer items than it counts."""
    return pa.list_(pa.string()) if kind == pa.list_(pa.null()) else kind


def _shape_of(value: Any, depth: int) -> Shape | pa.DataType | None:
    """Type of a decoded value; None for what columns cannot hold without changing it."""
    if isinstance(value, dict):
        if depth > _DEEPEST:
            return None
        fields = {name: _shape_of(inner, depth + 1) for name, inner in value.items()}
        return None if None in fields.values() else {name: kind for name, kind in fields.items() if kind is not None}
    if isinstance(value, list):
        return _list_shape(value)
    if value is None:
        return pa.null()
    if isinstance(value, str):
        return pa.string()
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, float):
        return pa.float64()
    return pa.int64() if -(2**63) <= value < 2**63 else None


def _list_shape(values: list[Any]) -> pa.DataType | None:
    kind: Shape | pa.DataType | None = pa.null()
    for value in values:
        inner = _shape_of(value, 0)
        if not isinstance(inner, pa.DataType) or pa.types.is_floating(inner) or pa.types.is_list(inner):
            return None
        kind = _union(kind, inner)
    if values and kind == pa.null():
        return None  # Arrow's decoder makes the items of such a list fewer than they are
    return pa.list_(kind) if isinstance(kind, pa.DataType) else None


def _union(one: Shape | pa.DataType | None, other: Shape | pa.DataType | None) -> Shape | pa.DataType | None:
    """The shape that takes both; None when there is none."""
    if one is None or other is None or one == other:
        return one if one == other else None
    if isinstance(one, dict) and isinstance(other, dict):
        merged: Shape = dict(one)
        for name, kind in other.items():
            wider = _union(merged[name], kind) if name in merged else kind
            if wider is None:
                return None
            merged[name] = wider
        return merged
    for narrow, wide in ((one, other), (other, one)):
        if isinstance(narrow, pa.DataType) and pa.types.is_null(narrow):
            return wide
    if isinstance(one, dict) or isinstance(other, dict):
        return None
    if pa.types.is_list(one) and pa.types.is_list(other):
        inner = _union(one.value_type, other.value_type)
        return pa.list_(inner) if isinstance(inner, pa.DataType) else None
    numbers = {pa.int64(), pa.float64()}
    return pa.float64() if {one, other} == numbers else None
