"""What the unambiguous pairs teach about each pod's two clocks: skew, spread, tolerance, constant shifts.

A pair is unambiguous when its text occurs once on each side of the pod.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.match import by_code, mix, once_on_both

SECOND = 1_000_000_000
#: Differences beyond this are shifts (a zone misread) or delays, not a clock's skew.
NEAR_NS = 300 * SECOND
_QUARTER_NS = 900 * SECOND
_LEAST_TOLERANCE_NS = SECOND // 4
_DEFAULT_TOLERANCE_NS = 2 * SECOND
_MOST_TOLERANCE_NS = 60 * SECOND
_SHIFTED_TOLERANCE_NS = SECOND
_LEAST_TIGHT_NS = 5_000_000
#: Some thousand of many values, evenly, tell the same median.
_ENOUGH = 20_000


@dataclass(slots=True)
class Clocks:
    """By pod code: what to expect of a document's time less the kubelet's.

    Attributes:
        skew: median difference (ns).
        tight: distance within which nearly all pairs lie.
        tolerance: distance beyond which a pair is no longer usual.
        shifts: constant shifts seen, without skew; multiples of a quarter of an hour, or large clusters.
        pairs: how many unambiguous pairs taught it.
    """

    skew: Integers
    tight: Integers
    tolerance: Integers
    shifts: list[list[int]]
    pairs: Integers

    def learn(self, pods: Integers, difference: Integers, *, least: int) -> None:
        """Take skew and spread from pairs that are known otherwise; pods with fewer than ``least`` keep theirs."""
        for code, rows in by_code(pods):
            own = difference[rows]
            own = own[np.abs(own) < NEAR_NS]
            if len(own) >= least and len(own) > self.pairs[code]:
                skew, spread = _centre(own)
                self.skew[code], self.pairs[code] = skew, len(own)
                self.tight[code] = max(_LEAST_TIGHT_NS, 3 * spread)
                self.tolerance[code] = min(max(_LEAST_TOLERANCE_NS, 8 * spread), _MOST_TOLERANCE_NS)

    def improve(self, other: Clocks) -> None:
        """Take over pods of which the other ones know more than twice as many pairs, and all their shifts."""
        better = other.pairs > self.pairs * 2
        for name in ("skew", "tight", "tolerance", "pairs"):
            getattr(self, name)[better] = getattr(other, name)[better]
        for own, found in zip(self.shifts, other.shifts, strict=True):
            own += [shift for shift in found if shift not in own]


def learn_clocks(
    pods: int,
    entry_pod: Integers,
    entry_hash: Integers,
    entry_time: Integers,
    pod: Integers,
    message_hash: Integers,
    time: Integers,
) -> tuple[Clocks, Integers, Integers]:
    """Clocks of each pod from texts that occur once on both sides; and rows of these texts on both."""
    clocks = Clocks(
        np.zeros(pods, np.int64),
        np.full(pods, _DEFAULT_TOLERANCE_NS // 4),
        np.full(pods, _DEFAULT_TOLERANCE_NS),
        [[] for _ in range(pods)],
        np.zeros(pods, np.int64),
    )
    mine, theirs = np.flatnonzero(entry_hash), np.flatnonzero(message_hash)
    left, right = once_on_both(mix(entry_pod[mine], entry_hash[mine]), mix(pod[theirs], message_hash[theirs]))
    left, right = mine[left], theirs[right]
    difference = time[right] - entry_time[left]
    if len(difference):
        for code, rows in by_code(entry_pod[left]):
            _learn_pod(clocks, code, difference[rows])
        _share(clocks, difference)
    return clocks, left, right


def _learn_pod(clocks: Clocks, code: int, difference: np.ndarray[Any, Any]) -> None:
    near = difference[np.abs(difference) < NEAR_NS]
    if len(near) >= 3:
        skew, spread = _centre(near)
        clocks.skew[code], clocks.pairs[code] = skew, len(near)
        clocks.tight[code] = max(_LEAST_TIGHT_NS, 3 * spread)
        clocks.tolerance[code] = min(max(_LEAST_TOLERANCE_NS, 8 * spread), _MOST_TOLERANCE_NS)
    far = difference[np.abs(difference) >= NEAR_NS] - clocks.skew[code]
    clocks.shifts[code] = constant_shifts(far, int(clocks.tolerance[code]))
    if len(near) < 3 and clocks.shifts[code]:
        # The whole pod is shifted: what is left of the differences is its skew.
        rest = far - clocks.shifts[code][0]
        rest = rest[np.abs(rest) <= _DEFAULT_TOLERANCE_NS]
        if len(rest) >= 3:
            skew, spread = _centre(rest)
            clocks.skew[code], clocks.pairs[code] = skew, len(rest)
            clocks.tolerance[code] = min(max(_SHIFTED_TOLERANCE_NS, 8 * spread), _MOST_TOLERANCE_NS)


def _centre(values: np.ndarray[Any, Any]) -> tuple[int, int]:
    """Median, and the half width that holds most values: late stragglers must not widen it."""
    values = values[:: max(1, len(values) // _ENOUGH)]
    middle = int(np.median(values))
    low, high = np.quantile(values, [0.1, 0.75])
    return middle, int(max(high - middle, middle - low, 1))


def _share(clocks: Clocks, difference: np.ndarray[Any, Any]) -> None:
    """Pods without pairs of their own get what all pods together teach."""
    near = difference[np.abs(difference) < NEAR_NS]
    if len(near) < 3:
        return
    _, spread = _centre(near)
    poor = clocks.pairs == 0
    clocks.tight[poor] = max(_LEAST_TIGHT_NS, 3 * spread, SECOND // 20)
    clocks.tolerance[poor] = min(max(_LEAST_TOLERANCE_NS * 2, 8 * spread), _MOST_TOLERANCE_NS)


def constant_shifts(far: np.ndarray[Any, Any], tolerance: int) -> list[int]:
    """Shifts that several pairs share: multiples of a quarter of an hour from two pairs on, others from five on."""
    found: list[int] = []
    if not len(far):
        return found
    quarters = np.round(far / _QUARTER_NS).astype(np.int64)
    residual = np.abs(far - quarters * _QUARTER_NS)
    values, counts = np.unique(quarters[(residual <= tolerance) & (quarters != 0)], return_counts=True)
    found += [
        int(v) * _QUARTER_NS for v, c in sorted(zip(values, counts, strict=True), key=lambda vc: -vc[1]) if c >= 2
    ]
    rest = np.sort(far[(residual > tolerance) | (quarters == 0)])
    while len(rest) >= 5:
        begin = np.searchsorted(rest, rest - tolerance)
        size = np.arange(len(rest)) - begin + 1
        best = int(np.argmax(size))
        if size[best] < 5:
            break
        found.append(int(np.median(rest[begin[best] : best + 1])))
        rest = np.delete(rest, np.s_[begin[best] : best + 1])
        if len(found) > 6:
            break
    return found[:8]
