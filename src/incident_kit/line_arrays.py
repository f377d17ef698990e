"""Lines of a block of bytes as an Arrow array that looks into the block: a regexp runs over all of them, and copies none."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from incident_kit.arrays import Integers

#: Bytes that are looked at at once: what was compared is free again for the next, where a whole block's would be new memory.
_AT_ONCE = 1 << 20


def line_offsets(block: bytes) -> Integers:
    """Where each line begins, and the end of the last; a last line without end is one, too."""
    characters = np.frombuffer(block, dtype=np.uint8)
    ends = [
        np.flatnonzero(characters[start : start + _AT_ONCE] == 0x0A) + (start + 1)
        for start in range(0, len(block), _AT_ONCE)
    ]
    if not block.endswith(b"\n"):
        ends.append(np.array([len(block)]))
    return np.concatenate([np.zeros(1, dtype=np.int64), *ends]).astype(np.int64, copy=False)


def line_array(block: bytes, offsets: Integers) -> pa.LargeBinaryArray:
    """The lines, each with its end."""
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    )
