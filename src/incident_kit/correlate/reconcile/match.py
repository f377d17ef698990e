"""One-to-one matching of two sides by key and nearness in time, as a multiset, without a loop over rows.

Both sides are merged in (key, time) order; neighbours of different sides that are mutually nearest and within the
tolerance become pairs and leave; this repeats until nobody has a partner in reach. Rows that got a partner are then
paired in time order within their key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags, Integers

_FAR = np.int64(2**62)


def nearest_pairs(
    keys: Integers, times: Integers, other_keys: Integers, other_times: Integers, tolerance: Integers | int
) -> tuple[Integers, Integers]:
    """Pairs (row of the first side, row of the other).

    Args:
        keys: key of each row of the first side.
        times: time of each row of the first side (ns).
        other_keys: keys of the other side.
        other_times: times of the other side, already corrected for skew.
        tolerance: largest distance of a pair, one for all or one for each row of the first side.
    """
    empty = np.zeros(0, np.int64)
    if not len(keys) or not len(other_keys):
        return empty, empty
    # Only keys that both sides have can pair.
    mine = np.flatnonzero(is_among(keys, other_keys))
    theirs = np.flatnonzero(is_among(other_keys, keys[mine]))
    if not len(mine) or not len(theirs):
        return empty, empty
    key = np.concatenate([keys[mine], other_keys[theirs]])
    time = np.concatenate([times[mine], other_times[theirs]])
    side = np.concatenate([np.zeros(len(mine), np.int8), np.ones(len(theirs), np.int8)])
    row = np.concatenate([mine, theirs])
    limit = (
        np.full(len(key), np.int64(tolerance))
        if np.ndim(tolerance) == 0
        else np.concatenate([np.asarray(tolerance)[mine], np.full(len(theirs), _FAR)])
    )
    order = np.lexsort((time, key))
    key, time, side, row, limit = key[order], time[order], side[order], row[order], limit[order]
    left, right = [], []
    while len(key) > 1:
        gap = np.where(
            (key[1:] == key[:-1])
            & (side[1:] != side[:-1])
            & (time[1:] - time[:-1] <= np.minimum(limit[1:], limit[:-1])),
            time[1:] - time[:-1],
            _FAR,
        )
        before = np.concatenate([[_FAR], gap[:-1]])
        after = np.concatenate([gap[1:], [_FAR]])
        chosen = np.flatnonzero((gap < _FAR) & (gap < before) & (gap <= after))
        if not len(chosen):
            break
        first_is_mine = side[chosen] == 0
        left.append(np.where(first_is_mine, row[chosen], row[chosen + 1]))
        right.append(np.where(first_is_mine, row[chosen + 1], row[chosen]))
        keep = np.ones(len(key), dtype=bool)
        keep[chosen] = False
        keep[chosen + 1] = False
        key, time, side, row, limit = key[keep], time[keep], side[keep], row[keep], limit[keep]
    if not left:
        return empty, empty
    return _in_order(np.concatenate(left), np.concatenate(right), keys, times, other_keys, other_times)


def _in_order(
    left: Integers, right: Integers, keys: Integers, times: Integers, other_keys: Integers, other_times: Integers
) -> tuple[Integers, Integers]:
    """The same rows, paired in time order within each key; that never makes the largest distance larger."""
    left = left[np.lexsort((times[left], keys[left]))]
    right = right[np.lexsort((other_times[right], other_keys[right]))]
    return left, right


def is_among(keys: Integers, of: Integers) -> Flags:
    """Which keys are among others. Arrow's hash set takes a tenth of the time of `np.isin` on 64-bit hashes."""
    if len(of) > len(keys):  # the smaller set is built; most of the other ones are in neither
        of = of[_is_in(of, keys)]
    return _is_in(keys, of)


def _is_in(keys: Integers, of: Integers) -> Flags:
    found: Flags = pc.is_in(pa.array(keys), value_set=pa.array(of)).to_numpy(zero_copy_only=False)
    return found


def once_on_both(keys: Integers, other: Integers) -> tuple[Integers, Integers]:
    """Rows (of the first side, of the other) of the keys that occur exactly once on each side.

    One sort of integers that hold a key's upper bits, the side and the row: an eighth of the time of a sort by index.
    Keys that share their upper bits count as one key, so that a collision hides a pair and never makes one; that the
    keys of a pair are equal is checked.
    """
    bits = max(len(keys), len(other), 1).bit_length()
    side = np.uint64(1 << bits)
    upper = ~np.uint64((2 << bits) - 1)
    packed = np.empty(len(keys) + len(other), np.uint64)
    for part, own, mark in (
        (packed[: len(keys)], keys, np.uint64(0)),
        (packed[len(keys) :], other, side),
    ):
        np.bitwise_and(own.view(np.uint64), upper, out=part)
        part |= np.arange(len(own), dtype=np.uint64)
        part |= mark
    packed.sort()
    apart = np.ones(len(packed) + 1, bool)
    difference = packed[1:] ^ packed[:-1]
    np.greater_equal(difference, np.uint64(2 << bits), out=apart[1:-1])
    lone = np.flatnonzero(~apart[1:-1] & apart[:-2] & apart[2:] & (difference >= side))
    row = np.uint64((1 << bits) - 1)
    left, right = (packed[lone] & row).astype(np.int64), (packed[lone + 1] & row).astype(np.int64)
    equal = keys[left] == other[right]
    return left[equal], right[equal]


def salted(codes: Integers) -> Integers:
    """A key for each small code (-1 included), far apart from its neighbours'."""
    table = mix(np.arange(-1, codes.max(initial=0) + 1, dtype=np.int64))
    found: Integers = table[codes + 1]
    return found


def mix(*parts: Integers) -> Integers:
    """One 64-bit key of several."""
    out = np.zeros(len(parts[0]), np.uint64)
    with np.errstate(over="ignore"):
        for part in parts:
            out ^= part.view(np.uint64) + np.uint64(0x9E3779B97F4A7C15) + (out << np.uint64(6)) + (out >> np.uint64(2))
            out *= np.uint64(0xBF58476D1CE4E5B9)
            out ^= out >> np.uint64(29)
    return out.view(np.int64)


def codes_among(codes: np.ndarray[Any, Any]) -> list[int]:
    """Small codes that occur, in order; -1 (a null) is none."""
    found: list[int] = np.flatnonzero(np.bincount(codes + 1)[1:]).tolist()
    return found


def by_code(codes: np.ndarray[Any, Any]) -> Iterator[tuple[int, Integers | slice]]:
    """Each code with its rows, in their order; a slice where rows of one code stand together."""
    if not len(codes):
        return
    edges = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    starts = np.concatenate([[0], edges])
    firsts = codes[starts]
    order = None
    if len(np.unique(firsts)) < len(firsts):
        order = np.argsort(codes, kind="stable")
        ordered = codes[order]
        starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
        firsts = ordered[starts]
    for code, begin, end in zip(firsts.tolist(), starts.tolist(), [*starts[1:].tolist(), len(codes)], strict=True):
        yield code, slice(begin, end) if order is None else order[begin:end]
