"""Documents that name no pod, offered to the open entries of all buckets by time and text.

A text such as a heartbeat's may be anybody's, so all containers compete for it at once: the document is the entry's
that stands nearest to it in time, whatever bucket that is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.files import LogFiles
from incident_kit.correlate.reconcile.leftovers import HASHES
from incident_kit.correlate.reconcile.match import nearest_pairs
from incident_kit.correlate.reconcile.pairing import mark_doubles
from incident_kit.correlate.reconcile.pairs import EXACT, HEAD, REFUSED_UNLABELLED, UNLABELLED, Pairs
from incident_kit.correlate.reconcile.sides import NOT_SAID, Names, Side, side
from incident_kit.correlate.reconcile.text_passes import run_leftovers
from incident_kit.correlate.reconcile.values import claim_by_values
from incident_kit.correlate.reconcile.verdicts import CODE, lags_of


@dataclass(slots=True)
class Unlabelled:
    """Documents that name no pod, after all buckets had their choice.

    Attributes:
        documents: all of them.
        free: rows of those that no entry claimed.
        doubles: rows of those that repeat another.
        lags: arrival less kubelet time of those that were claimed, where they say when they arrived.
    """

    documents: Side
    free: Integers
    doubles: Integers
    lags: Integers


@dataclass(slots=True)
class _Open:
    """A bucket's entries without a document.

    Attributes:
        rows: their rows in the bucket.
        pairs: what they found among the documents without pod.
    """

    bucket: Bucket
    rows: Integers
    entries: Side
    pairs: Pairs

    @classmethod
    def of(cls, bucket: Bucket, documents: int) -> _Open:
        """Of one bucket; ``documents`` is how many there are to be had."""
        rows = np.flatnonzero(bucket.document < 0)
        entries = side(LogFiles(bucket.entry_paths), bucket.names).take(rows)
        return cls(bucket, rows, entries, Pairs.none(len(rows), documents))

    def may_have(self, entry: int, documents: Side, names: Names, document: int) -> bool:
        """Whether a document may be the entry's by what it says of namespace and container."""
        known = self.bucket.names.names
        for part in ("namespace", "container"):
            said = int(getattr(documents, part)[document])
            if said != NOT_SAID and names.names[said] != known[int(getattr(self.entries, part)[entry])]:
                return False
        return True


def claim_unlabelled(buckets: Sequence[Bucket], paths: list[str]) -> Unlabelled:
    """Let the open entries of all buckets claim documents without pod; their verdicts are written into the buckets."""
    names = Names()
    documents = side(LogFiles(paths), names, ["message_hash", "ingested_at"])
    none = np.zeros(0, np.int64)
    if not len(documents):
        return Unlabelled(documents, none, none, none)
    opened = [_Open.of(bucket, len(documents)) for bucket in buckets if (bucket.document < 0).any()]
    free, pairs = np.flatnonzero(~documents.repeated), Pairs.none(0, len(documents))
    for tight in (True, False):
        for hashes in HASHES:
            free = _nearest(opened, documents, names, free, hashes, tight=tight)
        # What a retry wrote twice has its entry by now; who has the same text a little later must not take it.
        free = _without_doubles(documents, pairs, free)
    for one in opened:
        known = _as_known_to(one.bucket.names, documents, names)
        free = claim_by_values(one.entries, known, one.pairs, one.bucket.clocks, one.bucket.fields, free)
        free = run_leftovers(one.entries, known, one.pairs, one.bucket.clocks, one.bucket.suffixed, UNLABELLED, free)
    free = _without_doubles(documents, pairs, free)
    lags = [none, *(_write(one, documents) for one in opened)]
    return Unlabelled(documents, free, np.flatnonzero(pairs.doubles), np.concatenate(lags))


def _as_known_to(known: Names, documents: Side, names: Names) -> Side:
    """The documents with a bucket's codes."""
    code = np.array([*(known.find(name) for name in names.names), NOT_SAID], np.int64)
    every = documents.take(np.arange(len(documents)))
    every.pod = np.full(len(documents), NOT_SAID, np.int64)
    every.namespace, every.container = code[documents.namespace], code[documents.container]
    return every


def _without_doubles(documents: Side, pairs: Pairs, free: Integers) -> Integers:
    """Set those free documents aside that repeat another one."""
    pairs.taken[:] = True
    pairs.taken[free] = False
    mark_doubles(documents, pairs)
    return np.setdiff1d(free, np.flatnonzero(pairs.doubles))


def _nearest(
    opened: Sequence[_Open], documents: Side, names: Names, free: Integers, hashes: tuple[str, str], *, tight: bool
) -> Integers:
    """Equal texts of all buckets at once; returns the documents that stay free."""
    rows = [one.pairs.open_entries() for one in opened]
    owner = np.repeat(np.arange(len(opened)), [len(own) for own in rows])
    if not len(owner) or not len(free):
        return free
    keys, times, limits = [], [], []
    for one, own in zip(opened, rows, strict=True):
        clocks, pods = one.bucket.clocks, one.entries.pod[own]
        keys.append(one.entries.hashes(hashes[0])[own])
        times.append(one.entries.time[own] + clocks.skew[pods])
        limits.append((clocks.tight if tight else clocks.tolerance)[pods])
    left, right = nearest_pairs(
        np.concatenate(keys),
        np.concatenate(times),
        documents.hashes(hashes[1])[free],
        documents.time[free],
        np.concatenate(limits),
    )
    places = np.concatenate(rows)
    kept = np.array(
        [
            opened[owner[i]].may_have(int(places[i]), documents, names, int(free[j]))
            for i, j in zip(left.tolist(), right.tolist(), strict=True)
        ],
        dtype=bool,
    )
    left, right = left[kept], right[kept]
    for number in np.unique(owner[left]).tolist():
        for refused, where in ((False, UNLABELLED), (True, REFUSED_UNLABELLED)):
            some = (owner[left] == number) & (documents.rejected[free[right]] == refused)
            opened[number].pairs.add(places[left[some]], free[right[some]], EXACT, where)
    return np.delete(free, right)


def _write(one: _Open, documents: Side) -> Integers:
    """Write what the entries found into their bucket; returns how late the documents arrived, where they say so."""
    bucket, pairs, lags = one.bucket, one.pairs, np.zeros(0, np.int64)
    for where, verdict in ((UNLABELLED, "without_pod_name"), (REFUSED_UNLABELLED, "rejected")):
        found = np.flatnonzero(pairs.where == where)
        own, there = one.rows[found], pairs.document[found]
        bucket.document[own], bucket.where[own] = there, where
        bucket.verdicts.code[own] = CODE[verdict]
        if where == UNLABELLED:
            bucket.verdicts.percent[own[pairs.how[found] > HEAD]] = 90
            lag = lags_of(one.entries.time[found], documents, there)
            lags = lag[lag != 0]
    return lags
