"""One bucket's work, independent of all others: pairs within its pods. Runs in any executor.

The certain pairs first, on the few columns that they need; then what is left by hash; then by text; what stays open
is the loss. Only verdicts and places leave the bucket, a few bytes for each entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.arbitration import arbitrate
from incident_kit.correlate.reconcile.certain import certain_pairs
from incident_kit.correlate.reconcile.clocks import Clocks
from incident_kit.correlate.reconcile.cut_tails import tell_cut_tails
from incident_kit.correlate.reconcile.empty_messages import pair_empty
from incident_kit.correlate.reconcile.entries import EntryRows
from incident_kit.correlate.reconcile.files import LogFiles
from incident_kit.correlate.reconcile.joined import claim_joined
from incident_kit.correlate.reconcile.lines import claim_lines
from incident_kit.correlate.reconcile.pairing import disown, mark_doubles, pair_rest
from incident_kit.correlate.reconcile.pairs import OWN, Pairs
from incident_kit.correlate.reconcile.pieces import claim_pieces
from incident_kit.correlate.reconcile.sides import NOT_SAID, Names, Side, side
from incident_kit.correlate.reconcile.text_passes import run_leftovers, suffixed_pods
from incident_kit.correlate.reconcile.values import Fields, Owner, pair_by_values
from incident_kit.correlate.reconcile.values_in_text import pair_by_words, pair_other_wording
from incident_kit.correlate.reconcile.verdicts import Verdicts, judge_pairs, lags_of


@dataclass(slots=True)
class Unmatched:
    """Documents of a bucket that no entry has, refused ones apart.

    Attributes:
        rows: their rows.
        time: their own time; ``instant``: the same by the kubelet's clock.
        pod, namespace: codes.
        double: whether they repeat another document.
    """

    rows: Integers
    time: Integers
    instant: Integers
    pod: Integers
    namespace: Integers
    double: Flags


@dataclass(slots=True)
class Bucket:
    """One bucket after its own pairing.

    Attributes:
        entry_paths, document_paths: its files, for text on demand.
        names: codes of pods, namespaces and containers.
        document: row of each entry's document; -1 where none.
        where: where that document stands: `OWN`, `UNLABELLED` and so on; -1 where none.
        lag: arrival less kubelet time of each pair; None where no document says when it arrived.
        document_pods: codes of pods that some document names; ``mute_pods``: whose documents neither have a message nor an entry.
        suffixed: pods whose console shows more behind a message than their documents hold.
        fields: of containers without messages, which fields of the console are which of the documents.
    """

    name: str
    entry_paths: list[str]
    document_paths: list[str]
    names: Names
    entries: EntryRows
    verdicts: Verdicts
    document: np.ndarray[Any, np.dtype[np.int32]]
    where: np.ndarray[Any, np.dtype[np.int8]]
    lag: Integers | None
    unmatched: Unmatched
    clocks: Clocks
    document_pods: Integers
    mute_pods: Integers
    suffixed: set[int]
    fields: dict[Owner, Fields]


def match_bucket(name: str, entry_paths: list[str], document_paths: list[str]) -> Bucket:
    """Pair a bucket's entries with the documents that name its pods."""
    names = Names()
    entries = side(LogFiles(entry_paths), names, ["app_time", "message_hash"])
    documents = side(LogFiles(document_paths), names, ["message_hash", "ingested_at"])
    pairs = Pairs.none(len(entries), len(documents))
    disown(entries, documents)
    clocks = certain_pairs(entries, documents, pairs, names)
    pair_rest(entries, documents, pairs, clocks)
    mark_doubles(documents, pairs)
    arbitrate(entries, documents, pairs, clocks)
    fields, doubtful = pair_by_values(entries, documents, pairs, clocks)
    pair_empty(entries, documents, pairs, clocks)
    doubtful = np.union1d(doubtful, pair_by_words(entries, documents, pairs, clocks))
    suffixed = suffixed_pods(entries, pairs)
    run_leftovers(entries, documents, pairs, clocks, suffixed, OWN, pairs.open_documents())
    pair_other_wording(entries, documents, pairs, clocks)
    tell_cut_tails(entries, documents, pairs)
    mark_doubles(documents, pairs)
    claim_lines(entries, documents, pairs, clocks)
    claim_pieces(entries, documents, pairs, clocks)
    claim_joined(entries, documents, pairs, clocks)
    document_pods, mute_pods = _document_pods(documents, pairs)
    verdicts = judge_pairs(entries, documents, pairs, clocks)
    verdicts.doubt(doubtful[pairs.document[doubtful] < 0])
    return Bucket(
        name,
        entry_paths,
        document_paths,
        names,
        EntryRows.of(entries),
        verdicts,
        pairs.document.astype(np.int32),
        pairs.where,
        _lags(entries, documents, pairs),
        _unmatched(documents, pairs, clocks),
        clocks,
        document_pods,
        mute_pods,
        suffixed,
        fields,
    )


def _lags(entries: Side, documents: Side, pairs: Pairs) -> Integers | None:
    if not len(documents) or documents.files.all_null("ingested_at"):
        return None
    found = np.zeros(len(entries), np.int64)
    rows = np.flatnonzero(pairs.where == OWN)
    found[rows] = lags_of(entries.time[rows], documents, pairs.document[rows])
    return found


def _unmatched(documents: Side, pairs: Pairs, clocks: Clocks) -> Unmatched:
    rows = np.flatnonzero(~pairs.taken & ~documents.rejected)
    time, pod = documents.time[rows], documents.pod[rows]
    return Unmatched(rows, time, time - clocks.skew[pod], pod, documents.namespace[rows], pairs.doubles[rows])


def _document_pods(documents: Side, pairs: Pairs) -> tuple[Integers, Integers]:
    """Pods of the documents, and those whose documents all say nothing that an entry was found by: they prove nothing."""
    pods = documents.pod[documents.pod != NOT_SAID]
    counts = np.bincount(pods)
    mute = documents.pod[(documents.hashes("message") == 0) & ~pairs.taken & (documents.pod != NOT_SAID)]
    return np.flatnonzero(counts), np.flatnonzero((counts > 0) & (np.bincount(mute, minlength=len(counts)) == counts))
