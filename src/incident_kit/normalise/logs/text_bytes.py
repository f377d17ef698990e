"""The bytes of a column of texts, for questions that are cheaper to ask of all of them at once than of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: First bytes of what a whole expression cannot begin with a digit, and of JSON objects with blanks before them.
NO_DIGIT = bytes(byte for byte in range(256) if chr(byte) not in "0123456789")
BRACE = b" \t\n\v\f\r{"
_PAIR = 2
#: Bytes that are compared at once: what is compared, and the answers, stay in a processor's cache.
_MUCH = 1 << 18


def offsets_of(texts: pa.Array) -> np.ndarray[Any, Any]:
    """Where each text begins in the column's bytes, and the end of the last; of the width that Arrow keeps them in."""
    large = pa.types.is_large_string(texts.type) or pa.types.is_large_binary(texts.type)
    kind = np.int64 if large else np.int32
    return np.frombuffer(texts.buffers()[1], kind)[texts.offset : texts.offset + len(texts) + 1]


def bytes_of(texts: pa.Array) -> bytes:
    """The bytes of all texts, one text after the other."""
    data = texts.buffers()[2]
    if data is None or not len(texts):
        return b""
    start, stop = offsets_of(texts)[[0, -1]].tolist()
    found: bytes = data.slice(start, stop - start).to_pybytes()
    return found


def holds(texts: pa.Array, *needles: bytes) -> bool:
    """Whether one of these stands somewhere in the texts, perhaps over two of them: no is certain, and cheap to find."""
    return one_of(needles, bytes_of(texts))


def one_of(needles: Iterable[bytes], data: bytes) -> bool:
    """Whether one of these is in the data; single bytes are found ten times as fast, so each needle's first is asked first."""
    return any(needle[:1] in data and _is_in(needle, data) for needle in needles)


def _is_in(needle: bytes, data: bytes) -> bool:
    """Whether a needle is in the data; two bytes are compared as one number, three times as fast as they are searched for."""
    if len(needle) != _PAIR or len(data) < _MUCH:
        return needle in data
    wanted = int.from_bytes(needle, "little")
    return any(
        bool((np.frombuffer(data, "<u2", min(_MUCH, len(data) - start) // _PAIR, start) == wanted).any())
        for begin in range(0, len(data), _MUCH)
        for start in (begin, begin + 1)
        if len(data) - start >= _PAIR
    )


def lengths_of(texts: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Bytes of each text, none of which is null."""
    return np.diff(offsets_of(texts)).astype(np.int64, copy=False)


def as_text(data: bytes) -> pa.Array:
    """One text of these bytes, which are UTF-8."""
    offsets = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    return pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data))


def fitted(texts: pa.Array, expression: str, first: bytes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which texts an expression fits; only those are asked of it whose first byte is one that it can begin with.

    Args:
        texts: texts without null.
        expression: regexp that is anchored at the beginning and fits no empty text.
        first: bytes that a text it fits can begin with.
    """
    found = np.zeros(len(texts), dtype=bool)
    rows = np.flatnonzero(_first_bytes(texts, first))
    if len(rows) == len(texts):
        return np.asarray(pc.match_substring_regex(texts, expression))
    if len(rows):
        found[rows] = np.asarray(pc.match_substring_regex(texts.take(pa.array(rows)), expression))
    return found


def _first_bytes(texts: pa.Array, among: bytes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Texts whose first byte is among some."""
    data = texts.buffers()[2]
    if data is None or not data.size or not len(texts):
        return np.zeros(len(texts), dtype=bool)
    ends = offsets_of(texts).astype(np.int64, copy=False)
    wanted = np.zeros(256, dtype=bool)
    wanted[list(among)] = True
    places = np.minimum(ends[:-1], data.size - 1)
    found: np.ndarray[Any, np.dtype[np.bool_]] = wanted[np.frombuffer(data, np.uint8)[places]] & (ends[1:] > ends[:-1])
    return found
