"""Lines of a block of bytes as an Arrow array that looks into the block: a regexp runs over all of them, and copies none."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from incident_kit.arrays import Integers


def line_offsets(block: bytes) -> Integers:
    """Where each line begins, and the end of the last; a last line without end is one, too."""
    ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 0x0A).astype(np.int64, copy=False) + 1
    if not len(ends) or ends[-1] != len(block):
        ends = np.append(ends, len(block))
    return np.concatenate([np.zeros(1, dtype=np.int64), ends])


def line_array(block: bytes, offsets: Integers) -> pa.LargeBinaryArray:
    """The lines, each with its end."""
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    )
