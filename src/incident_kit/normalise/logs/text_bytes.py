"""The bytes of a column of texts, for questions that are cheaper to ask of all of them at once than of each."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa


def bytes_of(texts: pa.Array) -> bytes:
    """The bytes of all texts, one text after the other."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return b""
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    start, stop = np.frombuffer(offsets, kind)[[texts.offset, texts.offset + len(texts)]].tolist()
    found: bytes = data.slice(start, stop - start).to_pybytes()
    return found


def holds(texts: pa.Array, *needles: bytes) -> bool:
    """Whether one of these stands somewhere in the texts, perhaps over two of them: no is certain, and cheap to find."""
    return one_of(needles, bytes_of(texts))


def one_of(needles: Iterable[bytes], data: bytes) -> bool:
    """Whether one of these is in the data; single bytes are found ten times as fast, so each needle's first is asked first."""
    return any(needle[:1] in data and needle in data for needle in needles)


def as_text(data: bytes) -> pa.Array:
    """One text of these bytes, which are UTF-8."""
    offsets = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    return pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data))
