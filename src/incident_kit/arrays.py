"""Words for NumPy's arrays, and what Arrow's columns lack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def put(target: pa.Array, rows: Integers, values: pa.Array) -> pa.Array:
    """A column with some rows' values replaced; rows rise."""
    if not len(rows):
        return target
    values = values.cast(target.type)
    if len(rows) == len(target):
        return values
    mask = np.zeros(len(target), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(target, pa.array(mask), values)
