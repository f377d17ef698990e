"""Entries that say nothing, such as a blank line that was logged, and documents whose message is empty.

There is no text to compare: they are paired by time alone, one to one, within what nearly all pairs of the pod keep to.
"""

from __future__ import annotations

from incident_kit.correlate.reconcile.clocks import Clocks
from incident_kit.correlate.reconcile.match import nearest_pairs
from incident_kit.correlate.reconcile.pairs import LOOSE, OWN, Pairs
from incident_kit.correlate.reconcile.sides import Side, fits
from incident_kit.normalise.logs.normal_form import hash_texts


def pair_empty(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks) -> None:
    """Pair open entries without text with documents that have neither a message nor an entry."""
    rows = pairs.open_entries()
    rows = rows[entries.hashes("message")[rows] == hash_texts([""])[0]]
    part = pairs.open_documents()
    part = part[(documents.hashes("message")[part] == 0) & ~documents.rejected[part]]
    left, right = nearest_pairs(
        entries.pod[rows],
        entries.time[rows],
        documents.pod[part],
        documents.time[part] - clocks.skew[documents.pod[part]],
        clocks.tight[entries.pod[rows]],
    )
    kept = fits(entries, documents, rows[left], part[right])
    pairs.add(rows[left[kept]], part[right[kept]], LOOSE, OWN)
