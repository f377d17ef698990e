"""The application's own times of many console entries at once.

The usual spellings (a date with or without zone, a bare clock) are read as columns; whatever else, and whatever of
those is no time, is asked of `times.console_time`, which states the rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.normalise.logs.times import console_time
from incident_kit.window import SECOND

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_DATED = rf"^\[?\d{{4}}[-/.]\d\d[-/.]\d\d[T ]{_CLOCK}$"
_ZONED = rf"^\[?\d{{4}}[-/.]\d\d[-/.]\d\d[T ]{_CLOCK} ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$"
_BARE = rf"^{_CLOCK}$"
_ISO = r"^\[?(\d{4}).(\d\d).(\d\d)."
_IS_ISO = r"^\d{4}-\d\d-\d\dT[^,]*$"
_QUARTER = 900 * SECOND
_DAY = 86_400 * SECOND

Integers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def console_times(stamps: pa.Array, kubelet: Integers, offset_seconds: int | None = None) -> pa.Array:
    """`console_time` of each stamp, int64 ns; null where there is none.

    Args:
        stamps: time texts of the entries.
        kubelet: kubelet times in ns.
        offset_seconds: zone of times that state none, where the profile knows it.
    """
    found = np.zeros(len(stamps), dtype=np.int64)
    known = np.zeros(len(stamps), dtype=bool)
    for expression, read in ((_ZONED, _zoned), (_DATED, _dated), (_BARE, _bare)):
        rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(stamps, expression), False))
        if not len(rows):
            continue
        local = read(stamps.take(pa.array(rows)), kubelet[rows])
        if local is None:
            continue
        if read is not _zoned:
            local = _in_utc(local, kubelet[rows], offset_seconds)
        found[rows], known[rows] = local, True
    odd = np.flatnonzero(np.asarray(stamps.is_valid()) & ~known)
    for row, text in zip(odd.tolist(), stamps.take(pa.array(odd)).to_pylist(), strict=True):
        instant = console_time(text, int(kubelet[row]), offset_seconds)
        if instant is not None:
            found[row], known[row] = instant, True
    return pa.array(found, mask=~known)


def _in_utc(local: Integers, kubelet: Integers, offset_seconds: int | None) -> Integers:
    if offset_seconds is not None:
        return local - offset_seconds * SECOND
    return local - np.round((local - kubelet) / _QUARTER).astype(np.int64) * _QUARTER


def _zoned(texts: pa.Array, _kubelet: Integers) -> Integers | None:
    zulu = pc.replace_substring_regex(texts, r" ?(?:Z|UTC|GMT)$", "Z")
    return _cast(pc.replace_substring_regex(zulu, r" ?([+-]\d\d):?(\d\d)$", r"\1:\2"), pa.timestamp("ns", "UTC"))


def _dated(texts: pa.Array, _kubelet: Integers) -> Integers | None:
    return _cast(texts, pa.timestamp("ns"))


def _bare(texts: pa.Array, kubelet: Integers) -> Integers | None:
    """A clock stands on the kubelet's day."""
    clock = _cast(pc.binary_join_element_wise("1970-01-01T", texts, ""), pa.timestamp("ns"))
    return None if clock is None else kubelet // _DAY * _DAY + clock


def _cast(texts: pa.Array, kind: pa.DataType) -> Integers | None:
    """Instants, or None when one of the texts is none (a 30th of February): then each is asked by itself."""
    if not pc.all(pc.match_substring_regex(texts, _IS_ISO)).as_py():
        texts = pc.replace_substring(pc.replace_substring_regex(texts, _ISO, r"\1-\2-\3T"), ",", ".")
    try:
        return np.asarray(texts.cast(kind).cast(pa.int64()))
    except pa.ArrowInvalid:
        return None
