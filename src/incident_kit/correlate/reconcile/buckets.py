"""One bucket's work, independent of all others: pairs within its pods. Runs in any executor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from incident_kit.correlate.reconcile.arbitration import arbitrate
from incident_kit.correlate.reconcile.clocks import Clocks
from incident_kit.correlate.reconcile.leftovers import run_leftovers
from incident_kit.correlate.reconcile.lines import claim_lines
from incident_kit.correlate.reconcile.pairing import OWN, Pairs, mark_doubles, pair_bucket
from incident_kit.correlate.reconcile.sides import Names, Side, documents_side, entries_side


@dataclass(slots=True)
class Bucket:
    """One bucket after its own pairing.

    Attributes:
        free: documents without an entry.
    """

    name: str
    names: Names
    entries: Side
    documents: Side
    pairs: Pairs
    clocks: Clocks
    free: np.ndarray[tuple[int], np.dtype[np.int64]]


def match_bucket(name: str, entry_paths: list[str], document_paths: list[str]) -> Bucket:
    """Pair a bucket's entries with the documents that name its pods."""
    names = Names()
    entries, documents = entries_side(entry_paths, names), documents_side(document_paths, names)
    pairs, clocks = pair_bucket(entries, documents, names)
    arbitrate(entries, documents, pairs, clocks)
    run_leftovers(entries, documents, pairs, clocks, OWN, pairs.open_documents())
    mark_doubles(documents, pairs)
    claim_lines(entries, documents, pairs, clocks)
    return Bucket(name, names, entries, documents, pairs, clocks, pairs.open_documents())
