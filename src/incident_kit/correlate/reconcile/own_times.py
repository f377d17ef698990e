"""Own times that contradict: of a text whose documents have the times that the console shows, none is of an earlier one.

Equal texts come again and again, and one that was lost stands seconds behind documents of its like, of a moment whose
console was rotated away. Where both sides are proved to have one clock, a document is not older than its entry. It may be
younger: a collector that stamps what it reads agrees with the console as long as nothing stalls.
"""

from __future__ import annotations

import numpy as np

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.match import is_among, mix
from incident_kit.correlate.reconcile.pairs import OWN, Pairs
from incident_kit.correlate.reconcile.sides import Side

#: One side may round what the other one cuts, or take its time a moment later.
_ROUNDED_NS = 2_000_000
#: A console that is written aside may have its time from when it is written.
_STALLED_NS = 100_000_000
#: A clock is proved for a text by so many pairs, and by this share of them: some documents may be stamped by a shipper.
_LEAST_PROOF, _LEAST_SHARE = 10, 0.8


def proved_clocks(entries: Side, documents: Side, pairs: Pairs, rows: Integers) -> Flags:
    """Of these entries, those of whose text nearly all documents have the console's own time."""
    proved = np.zeros(len(rows), bool)
    timed = entries.app[rows] != 0
    if not timed.any():
        return proved
    keys, counts = np.unique(_texts(entries, rows[timed]), return_inverse=True)
    known = np.flatnonzero((pairs.where == OWN) & (pairs.shift == 0) & (entries.app != 0))
    theirs = _texts(entries, known)
    same = is_among(theirs, keys)
    known, places = known[same], np.searchsorted(keys, theirs[same])
    agreed = np.abs(documents.time[pairs.document[known]] - entries.app[known]) <= _ROUNDED_NS
    total = np.bincount(places, minlength=len(keys))
    right = np.bincount(places[agreed], minlength=len(keys))
    proved[timed] = ((right >= _LEAST_PROOF) & (right >= _LEAST_SHARE * total))[counts]
    return proved


def contradict(entries: Side, documents: Side, rows: Integers, found: Integers, shift: int = 0) -> Flags:
    """Whether documents (``found``), at a shift, are older than entries (``rows``) of one clock can be."""
    older: Flags = entries.app[rows] - (documents.time[found] - shift) > _STALLED_NS
    return older


def part_contradicted(entries: Side, documents: Side, pairs: Pairs, rows: Integers) -> None:
    """Open again those pairs of these entries whose documents are older, where their text's clock is proved."""
    rows = rows[(pairs.where[rows] == OWN) & (pairs.shift[rows] == 0) & (entries.app[rows] != 0)]
    rows = rows[contradict(entries, documents, rows, pairs.document[rows])]
    if len(rows):
        pairs.part(rows[proved_clocks(entries, documents, pairs, rows)])


def _texts(entries: Side, rows: Integers) -> Integers:
    """Container and first line of entries as one number."""
    return mix(entries.pod[rows], entries.namespace[rows], entries.container[rows], entries.hashes("head")[rows])
