"""Pairs that nothing can mistake, found first and at the cost of one sort of narrow integers.

A text that occurs once on each side of a pod, at the own time that both sides carry, is one event; so is a text that
occurs once on each side of a pod whose clock most such texts agree upon. What is left goes the careful way: repeated
texts, other spellings, shifts, losses.
"""

from __future__ import annotations

import numpy as np

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.clocks import Clocks, learn_clocks
from incident_kit.correlate.reconcile.match import once_on_both, salted
from incident_kit.correlate.reconcile.pairs import EXACT, OWN, Pairs
from incident_kit.correlate.reconcile.sides import NOT_SAID, Names, Side, fits

#: Precisions (ns) at which own times are compared; whole seconds tell nothing that the kubelet's time does not.
PRECISIONS = (1, 100, 1_000, 1_000_000)
#: A console may be written this much later than its text was made.
BUFFERED_NS = 600_000_000_000
_MILLISECOND = PRECISIONS[-1]
#: Odd, so that neighbouring milliseconds end far apart.
_SPREAD = np.int64(0x1E3779B97F4A7C15)


def certain_pairs(entries: Side, documents: Side, pairs: Pairs, names: Names) -> Clocks:
    """Add the certain pairs of a bucket; what they teach of its pods' clocks.

    Args:
        entries: all of the bucket.
        documents: all of the bucket.
        pairs: without any pair yet; found ones are added.
        names: for the number of pods.
    """
    pair_by_own_time(entries, documents, pairs)
    clocks, partner = _learn(entries, documents, pairs, names)
    clocks.learn(*own_differences(entries, documents, pairs), least=5)
    _pair_by_text(entries, documents, pairs, clocks, partner)
    return clocks


def own_differences(entries: Side, documents: Side, pairs: Pairs) -> tuple[Integers, Integers]:
    """Pod, and document's time less kubelet time, of every pair."""
    rows = np.flatnonzero(pairs.document >= 0)
    return entries.pod[rows], documents.time[pairs.document[rows]] - entries.time[rows]


def pair_by_own_time(entries: Side, documents: Side, pairs: Pairs) -> None:
    """Pair texts that occur once on each side of a pod at one own time."""
    mine = np.flatnonzero((entries.app != 0) & (entries.hashes("message") != 0))
    theirs = np.flatnonzero(usable(documents) & (documents.hashes("message") != 0))
    if not len(mine) or not len(theirs):
        return
    left, right = once_on_both(
        _own_time_keys(entries, entries.app, mine), _own_time_keys(documents, documents.time, theirs)
    )
    # In the order of entries, so that what follows walks through memory rather than jumping.
    partner = np.full(len(entries), -1, np.int64)
    partner[mine[left]] = theirs[right]
    rows = np.flatnonzero(partner >= 0)
    found = partner[rows]
    time, app = documents.time[found], entries.app[rows]
    kept = (
        agree(app, time)
        & (np.abs(time - entries.time[rows]) <= BUFFERED_NS)
        & (documents.hashes("message")[found] == entries.hashes("message")[rows])
        & fits(entries, documents, rows, found)
    )
    pairs.add(rows[kept], found[kept], EXACT, OWN)


def _own_time_keys(side: Side, times: Integers, rows: Integers) -> Integers:
    keys: Integers = times // _MILLISECOND
    keys *= _SPREAD
    keys ^= side.hashes("message")
    keys ^= salted(side.pod)
    return keys if len(rows) == len(keys) else keys[rows]


def agree(own: Integers, other: Integers) -> Flags:
    """Whether two times within one millisecond are equal as precisely as both are known."""
    same: Flags = (own == other) | (other % _MILLISECOND == 0)
    rest = np.flatnonzero(~same)
    for precision in PRECISIONS[1:]:
        a, b = own[rest], other[rest]
        cut = ((a % precision == 0) | (b % precision == 0)) & (a // precision == b // precision)
        same[rest[cut]] = True
        rest = rest[~cut]
    return same


def usable(documents: Side) -> Flags:
    """Documents that were indexed and name a pod."""
    found: Flags = ~documents.rejected & (documents.pod != NOT_SAID)
    return found


def _learn(entries: Side, documents: Side, pairs: Pairs, names: Names) -> tuple[Clocks, Integers]:
    """Clocks by texts that occur once on each side, of pods that own times did not settle; and each entry's such text."""
    wanted = pairs.unsettled(entries.pod, len(names.names))
    mine = np.flatnonzero(wanted[entries.pod])
    theirs = np.flatnonzero(usable(documents))
    theirs = theirs[wanted[documents.pod[theirs]]]
    partner = np.full(len(entries), -1, np.int64)
    clocks, left, right = learn_clocks(
        len(names.names),
        entries.pod[mine], entries.hashes("message")[mine], entries.time[mine],
        documents.pod[theirs], documents.hashes("message")[theirs], documents.time[theirs],
    )  # fmt: skip
    partner[mine[left]] = theirs[right]
    return clocks, partner


def _pair_by_text(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks, partner: Integers) -> None:
    """Texts that occur once on each side, where most of a pod's are such texts and lie at its clock's difference."""
    count = len(clocks.skew)
    fewer = np.minimum(
        np.bincount(entries.pod, minlength=count), np.bincount(documents.pod[documents.pod >= 0], minlength=count)
    )
    sure = 2 * clocks.pairs >= np.maximum(fewer, 1)
    rows = np.flatnonzero((partner >= 0) & (pairs.document < 0) & sure[entries.pod])
    rows = rows[~pairs.taken[partner[rows]]]
    found, pod = partner[rows], entries.pod[rows]
    away = np.abs(documents.time[found] - entries.time[rows] - clocks.skew[pod])
    kept = (away <= clocks.tight[pod]) & fits(entries, documents, rows, found)
    pairs.add(rows[kept], found[kept], EXACT, OWN)
