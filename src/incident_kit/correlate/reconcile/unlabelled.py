"""Documents that name no pod, offered to the open entries of all buckets by time and text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.files import LogFiles
from incident_kit.correlate.reconcile.leftovers import run_leftovers
from incident_kit.correlate.reconcile.match import Integers
from incident_kit.correlate.reconcile.pairing import mark_doubles
from incident_kit.correlate.reconcile.pairs import HEAD, REFUSED_UNLABELLED, UNLABELLED, Pairs
from incident_kit.correlate.reconcile.sides import NOT_SAID, Names, Side, side
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


def claim_unlabelled(buckets: Sequence[Bucket], paths: list[str]) -> Unlabelled:
    """Let each bucket's open entries claim documents without pod; their verdicts are written into the buckets."""
    names = Names()
    documents = side(LogFiles(paths), names, ["message_hash", "ingested_at"])
    none = np.zeros(0, np.int64)
    if not len(documents):
        return Unlabelled(documents, none, none, none)
    free, lags = np.flatnonzero(~documents.repeated), [none]
    for bucket in buckets:
        if (bucket.document < 0).any():
            free = _offer(bucket, _as_known_to(bucket.names, documents, names), free, lags)
    pairs = Pairs.none(0, len(documents))
    pairs.taken[:] = True
    pairs.taken[free] = False
    mark_doubles(documents, pairs)
    doubles = np.flatnonzero(pairs.doubles)
    return Unlabelled(documents, np.setdiff1d(free, doubles), doubles, np.concatenate(lags))


def _as_known_to(known: Names, documents: Side, names: Names) -> Side:
    """The documents with a bucket's codes."""
    code = np.array([*(known.find(name) for name in names.names), NOT_SAID], np.int64)
    every = documents.take(np.arange(len(documents)))
    every.pod = np.full(len(documents), NOT_SAID, np.int64)
    every.namespace, every.container = code[documents.namespace], code[documents.container]
    return every


def _offer(bucket: Bucket, documents: Side, free: Integers, lags: list[Integers]) -> Integers:
    rows = np.flatnonzero(bucket.document < 0)
    entries = side(LogFiles(bucket.entry_paths), bucket.names).take(rows)
    pairs = Pairs.none(len(rows), len(documents))
    free = run_leftovers(entries, documents, pairs, bucket.clocks, bucket.suffixed, UNLABELLED, free)
    for where, verdict in ((UNLABELLED, "without_pod_name"), (REFUSED_UNLABELLED, "rejected")):
        found = np.flatnonzero(pairs.where == where)
        own, there = rows[found], pairs.document[found]
        bucket.document[own], bucket.where[own] = there, where
        bucket.verdicts.code[own] = CODE[verdict]
        if where == UNLABELLED:
            bucket.verdicts.percent[own[pairs.how[found] > HEAD]] = 90
            lag = lags_of(entries.time[found], documents, there)
            lags.append(lag[lag != 0])
    return free
