"""`pyarrow.compute.extract_regex` for first-line expressions, with the usual times asked for first.

RE2 keeps to its fast way of finding groups only while an expression is small. One that begins with any kind of time is
not; with one kind of time it is, and finds the same: the kinds exclude each other by their first three characters
(``2026``, ``08:``, or neither), and nothing before the time leaves a choice.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.normalise.logs.formats.by_prefix import groups_by_prefix
from incident_kit.normalise.logs.formats.patterns import CLOCK, DATE_TIME, TIME

#: Fewer texts are asked one by one.
_MANY = 2_000
_BEGINNINGS = (f"^(?P<time>{TIME})", rf"^\[(?P<time>{TIME})")


def extract(texts: pa.Array, expression: str) -> pa.StructArray:
    """The groups of an expression; null where it does not fit."""
    if not expression.startswith(_BEGINNINGS):
        return _groups(texts, expression)
    found = _groups(texts, expression.replace(TIME, DATE_TIME, 1))
    for kind in (CLOCK, TIME):
        rows = np.flatnonzero(np.asarray(found.is_null()))
        if not len(rows):
            break
        more = _groups(texts.take(pa.array(rows)), expression.replace(TIME, kind, 1))
        if more.null_count < len(more):
            order = np.arange(len(texts))
            order[rows] = len(texts) + np.arange(len(rows))
            found = pa.concat_arrays([found, more]).take(pa.array(order))
    return found


def _groups(texts: pa.Array, expression: str) -> pa.StructArray:
    found = groups_by_prefix(texts, expression) if len(texts) >= _MANY else None
    return pc.extract_regex(texts, expression) if found is None else found
