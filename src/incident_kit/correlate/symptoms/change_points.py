"""Change points of a count over time: where a rate rose, fell, or was another one for a while.

Method: circular binary segmentation. Every stretch of bins is compared with the rest by a Poisson likelihood ratio, the
best stretch is kept when it is significant, and its parts are searched again. It sees bursts as well as steps, needs no
penalty to tune, and is a few prefix sums in NumPy; `ruptures` (PELT, window) would add a dependency and asks for a
penalty that has no error rate.

False alarms: `change_points` corrects for the number of stretches (Bonferroni), so a flat series of independent Poisson
counts gives any with at most the probability asked for. Log entries come in clumps, though, whose counts are anything but
Poisson. So `rises` asks in addition that high bins lie together more than they would in a shuffled series (a permutation
test on ranks, which holds for any distribution of the counts), or that a quiet series rose tenfold over its highest bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any

import numpy as np

Counts = np.ndarray[Any, np.dtype[np.float64]]

#: Probability of any change point in a flat series.
FALSE_ALARM = 0.01
#: Pairs of neighbouring bins that may hold an edge: they say nothing of the dispersion.
_EDGES = 4
_FEWEST_BINS = 4
#: What is worth telling: a rate twice as high, and so many events above what the earlier rate would have given.
_RATIO, _FEWEST_EVENTS = 2.0, 10.0
#: A rise this many times as high as any bin before is one, also where it is a single bin and nothing lies together.
_TENFOLD = 10.0
_QUIET_BINS = 6
#: Shuffled series that the ranks are compared with, and the most bins of them: the test costs both times the square.
_SHUFFLES, _SHUFFLED_BINS = 199, 120
_ALLOWED = 0.01


@dataclass(frozen=True, slots=True)
class Rise:
    """A rate that rose.

    Attributes:
        first: first bin of the higher rate.
        last: first bin after it; the number of bins where it lasts to the end.
        before: counts in a bin before, on average.
        after: counts in a bin of the higher rate, on average.
    """

    first: int
    last: int
    before: float
    after: float


def change_points(counts: Counts, *, false_alarm: float = FALSE_ALARM) -> list[int]:
    """First bins of every stretch with another rate, without bin 0, ascending.

    Args:
        counts: events in bins of equal length.
        false_alarm: probability of any change point where the rate is constant.
    """
    values = np.asarray(counts, dtype=np.float64)
    found: set[int] = set()
    _search(values, 0, _dispersion(values), false_alarm, found)
    return sorted(found)


def rises(counts: Counts, *, false_alarm: float = FALSE_ALARM) -> list[Rise]:
    """Where the rate became at least twice as high, by ten events at least above what it would have given before.

    Args:
        counts: events in bins of equal length.
        false_alarm: as of `change_points`.

    Example:
        >>> rises(np.array([1.0, 0, 2, 1, 0, 1, 9, 8, 11, 9, 1, 0]))
        [Rise(first=6, last=10, before=0.8333333333333334, after=9.25)]
    """
    values = np.asarray(counts, dtype=np.float64)
    edges = [0, *change_points(values, false_alarm=false_alarm), len(values)]
    candidates = []
    for left, first, last in zip(edges, edges[1:], edges[2:], strict=False):
        before, after = float(values[left:first].mean()), float(values[first:last].mean())
        if after >= _RATIO * before and (after - before) * (last - first) >= _FEWEST_EVENTS:
            candidates.append(Rise(first, last, before, after))
    if not candidates:
        return []
    together = _lie_together(values)
    return [rise for rise in candidates if together or _from_quiet(values, rise)]


def _from_quiet(values: Counts, rise: Rise) -> bool:
    quiet = rise.first >= _QUIET_BINS
    return quiet and rise.after >= _TENFOLD * max(float(values[: rise.first].max()), 1.0)


def _lie_together(values: Counts) -> bool:
    """Whether high bins lie together more than in all but one of a hundred shuffled series; the shuffles are fixed."""
    step = -(-len(values) // _SHUFFLED_BINS)
    whole = len(values) // step * step
    ranks = _ranks(values[:whole].reshape(-1, step).sum(axis=1))
    size = len(ranks)
    if size < _FEWEST_BINS:
        return False
    generator = np.random.default_rng(0)
    shuffled = generator.permuted(np.tile(ranks, (_SHUFFLES, 1)), axis=1)
    sums = np.cumsum(np.vstack([ranks, shuffled]), axis=1)
    sums = np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)
    strongest = np.zeros(len(sums))
    for length in range(1, size):
        highest = (sums[:, length:] - sums[:, :-length]).max(axis=1)
        strongest = np.maximum(strongest, highest / np.sqrt(length * (size - length) / size))
    return bool((strongest[1:] >= strongest[0]).sum() + 1 <= _ALLOWED * (_SHUFFLES + 1))


def _ranks(values: Counts) -> Counts:
    """Ranks around their mean, equal values sharing theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    ranks: Counts = middle[which] - (len(values) - 1) / 2
    return ranks


def _dispersion(values: Counts) -> float:
    """Variance over mean of the counts, 1 for Poisson: from squared differences of neighbours over their sums."""
    one, other = values[:-1], values[1:]
    sums = one + other
    told = np.sort((one - other)[sums > 0] ** 2 / sums[sums > 0])
    return max(1.0, float(told[: max(len(told) - _EDGES, 0)].mean())) if len(told) > _EDGES else 1.0


def _search(values: Counts, offset: int, dispersion: float, false_alarm: float, found: set[int]) -> None:
    if len(values) < _FEWEST_BINS or not values.any():
        return
    first, last, ratio = _best_stretch(values)
    stretches = len(values) * (len(values) + 1) / 2
    if stretches * erfc(sqrt(max(ratio, 0.0) / dispersion / 2)) >= false_alarm:
        return
    found |= {offset + edge for edge in (first, last) if 0 < edge < len(values)}
    for start, end in ((0, first), (first, last), (last, len(values))):
        if end - start < len(values):
            _search(values[start:end], offset + start, dispersion, false_alarm, found)


def _best_stretch(values: Counts) -> tuple[int, int, float]:
    """The stretch that differs most from the rest, and twice its log likelihood ratio."""
    size = len(values)
    sums = np.concatenate(([0.0], np.cumsum(values)))
    starts, ends = np.triu_indices(size + 1, 1)
    whole = ends - starts == size
    starts, ends = starts[~whole], ends[~whole]
    length, inside = ends - starts, sums[ends] - sums[starts]
    total = sums[-1]
    ratio = 2 * (_term(inside, length) + _term(total - inside, size - length) - _term(total, size))
    best = int(np.argmax(ratio))
    return int(starts[best]), int(ends[best]), float(ratio[best])


def _term(count: Any, length: Any) -> Any:
    """Count · log(rate), 0 where there is no event."""
    return count * np.log(np.maximum(count, 1e-300) / length)
