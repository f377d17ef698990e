"""The application's own times of many console entries at once.

The usual spellings (a date with or without zone, a bare clock) are read as columns; whatever else, and whatever of
those is no time, is asked of `times.console_time`, which states the rule.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers
from incident_kit.normalise.logs.times import console_time
from incident_kit.window import SECOND

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_DATED = rf"^\[?\d{{4}}[-/.]\d\d[-/.]\d\d[T ]{_CLOCK}$"
_ZONED = rf"^\[?\d{{4}}[-/.]\d\d[-/.]\d\d[T ]{_CLOCK} ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$"
_BARE = rf"^{_CLOCK}$"
#: klog's: month and day in front of the clock.
_NO_YEAR = rf"^\d{{4}} {_CLOCK}$"
#: What Arrow reads as it is.
_ISO_ZONED = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$"
_ISO_DATED = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?$"
_ISO = r"^\[?(\d{4}).(\d\d).(\d\d)."
_QUARTER = 900 * SECOND
_DAY = 86_400 * SECOND


def console_times(stamps: pa.Array, kubelet: Integers, offset_seconds: int | None = None) -> pa.Array:
    """`console_time` of each stamp, int64 ns; null where there is none.

    Args:
        stamps: time texts of the entries.
        kubelet: kubelet times in ns.
        offset_seconds: zone of times that state none, where the profile knows it.
    """
    found = np.zeros(len(stamps), dtype=np.int64)
    left = np.asarray(stamps.is_valid())
    for expression, read in _READERS:
        if not left.any():
            break
        rows = np.flatnonzero(left)
        own = stamps if len(rows) == len(stamps) else stamps.take(pa.array(rows))
        fits = np.asarray(pc.match_substring_regex(own, expression))
        rows = rows[fits]
        if not len(rows):
            continue
        own = own if fits.all() else own.filter(pa.array(fits))
        local = read(own, kubelet[rows])
        if local is None:
            continue
        if read not in (_iso_zoned, _zoned):
            local = _in_utc(local, kubelet[rows], offset_seconds)
        found[rows], left[rows] = local, False
    known = np.asarray(stamps.is_valid()) & ~left
    odd = np.flatnonzero(left)
    for row, text in zip(odd.tolist(), stamps.take(pa.array(odd)).to_pylist(), strict=True):
        instant = console_time(text, int(kubelet[row]), offset_seconds)
        if instant is not None:
            found[row], known[row] = instant, True
    return pa.array(found, mask=~known)


def _in_utc(local: Integers, kubelet: Integers, offset_seconds: int | None) -> Integers:
    if offset_seconds is not None:
        return local - offset_seconds * SECOND
    return local - np.round((local - kubelet) / _QUARTER).astype(np.int64) * _QUARTER


def _iso_zoned(texts: pa.Array, _kubelet: Integers) -> Integers | None:
    return _cast(texts, pa.timestamp("ns", "UTC"))


def _iso_dated(texts: pa.Array, _kubelet: Integers) -> Integers | None:
    return _cast(texts, pa.timestamp("ns"))


def _zoned(texts: pa.Array, kubelet: Integers) -> Integers | None:
    zulu = pc.replace_substring_regex(_iso(texts), r" ?(?:Z|UTC|GMT)$", "Z")
    return _iso_zoned(pc.replace_substring_regex(zulu, r" ?([+-]\d\d):?(\d\d)$", r"\1:\2"), kubelet)


def _dated(texts: pa.Array, kubelet: Integers) -> Integers | None:
    return _iso_dated(_iso(texts), kubelet)


def _bare(texts: pa.Array, kubelet: Integers) -> Integers | None:
    """A clock stands on the kubelet's day."""
    clock = _dated(pc.binary_join_element_wise("1970-01-01T", texts, ""), kubelet)
    return None if clock is None else kubelet // _DAY * _DAY + clock


def _no_year(texts: pa.Array, kubelet: Integers) -> Integers | None:
    """Month and day stand in the kubelet's year."""
    years = pa.array(kubelet.view("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970).cast(pa.string())
    whole = pc.binary_join_element_wise(years, texts, "-")
    return _dated(pc.replace_substring_regex(whole, r"^(\d{4}-\d\d)(\d\d) ", r"\1-\2T"), kubelet)


def _iso(texts: pa.Array) -> pa.Array:
    """The same times with the date's parts joined by dashes, and a point in front of the fraction."""
    texts = pc.replace_substring(texts, ",", ".")
    if pc.all(pc.match_substring_regex(texts, r"^\d{4}-\d\d-")).as_py():
        return texts
    return pc.replace_substring_regex(texts, _ISO, r"\1-\2-\3T")


def _cast(texts: pa.Array, kind: pa.DataType) -> Integers | None:
    """Instants, or None when one of the texts is none (a 30th of February): then each is asked by itself."""
    try:
        return np.asarray(texts.cast(kind).cast(pa.int64()))
    except pa.ArrowInvalid:
        return None


#: Expressions and how the times that they fit are read, the most usual and cheapest first.
_READERS = (
    (_ISO_ZONED, _iso_zoned),
    (_ISO_DATED, _iso_dated),
    (_ZONED, _zoned),
    (_DATED, _dated),
    (_BARE, _bare),
    (_NO_YEAR, _no_year),
)
