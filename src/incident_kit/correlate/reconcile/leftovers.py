"""Entries without partner and documents that are still free: what pairs them, by hash or by a test of their texts.

Rows that only their texts can pair are few, so they are Python objects here; candidates still come from sorted times,
never from all pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.clocks import Clocks
from incident_kit.correlate.reconcile.match import by_code, mix, nearest_pairs
from incident_kit.correlate.reconcile.own_times import contradict
from incident_kit.correlate.reconcile.pairs import OWN, REFUSED, REFUSED_UNLABELLED, Pairs
from incident_kit.correlate.reconcile.sides import NOT_SAID, Side, fits
from incident_kit.correlate.reconcile.texts import Texts

_MOST_CANDIDATES = 400
#: Hashes of entry and document that make them equal, the strictest first.
HASHES = (("message", "message"), ("head", "message"), ("head", "head"), ("text", "message"))

#: Whether an entry (first row number) and a document (second) are one event.
Test = Callable[["Leftovers", int, int], bool]


@dataclass(slots=True)
class Leftovers:
    """One bucket's entries without partner, against documents of their pods or without pod.

    Attributes:
        entries, documents: the two sides; documents may be those of the bucket or those without pod.
        pairs: what is known so far; pairs found are added.
        clocks: by pod.
        where: `OWN` or `UNLABELLED`.
        free: rows of the documents that may still be taken.
        suffixed: pods whose console shows more behind a message than their documents hold.
        proved: entries that no document of theirs is older than.
    """

    entries: Side
    documents: Side
    pairs: Pairs
    clocks: Clocks
    where: int
    free: Integers
    entry_texts: Texts
    document_texts: Texts
    suffixed: set[int]
    proved: set[int] = field(default_factory=set)

    def near(self, test: Test, how: int, shift: int = 0) -> None:
        """Pair each document with the nearest entry within tolerance that passes the test."""
        time = self.entries.time
        self.accept(
            [
                (abs(int(time[entry]) - centre), entry, document)
                for document, centre, entries in self.within_reach(shift)
                for entry in entries
                if self.allowed(entry, document)
                and not self.contradicted(entry, document, shift)
                and test(self, entry, document)
            ],
            how,
            shift,
        )

    def within_reach(self, shift: int) -> Iterator[tuple[int, int, list[int]]]:
        """Each free document with its time by the kubelet's clock, and the open entries within tolerance of that."""
        open_rows = self.pairs.open_entries()
        by_pod = {pod: open_rows[rows] for pod, rows in by_code(self.entries.pod[open_rows])}
        for pod, rows in by_code(self.documents.pod[self.free]):
            documents, entries = self.free[rows], open_rows if pod == NOT_SAID else by_pod.get(pod)
            if entries is None:
                continue
            order = entries[np.argsort(self.entries.time[entries], kind="stable")]
            skew = 0 if pod == NOT_SAID else int(self.clocks.skew[pod])
            widest = int(self.clocks.tolerance.max(initial=0) if pod == NOT_SAID else self.clocks.tolerance[pod]) + 1
            centre, times = self.documents.time[documents] - skew - shift, self.entries.time[order]
            low, high = np.searchsorted(times, centre - widest), np.searchsorted(times, centre + widest)
            for place in np.flatnonzero(high > low).tolist():
                most = min(int(high[place]), int(low[place]) + _MOST_CANDIDATES)
                yield int(documents[place]), int(centre[place]), order[low[place] : most].tolist()

    def allowed(self, entry: int, document: int) -> bool:
        """Whether the document may be the entry's by what it says of itself."""
        mine, theirs = self.entries, self.documents
        return (
            theirs.pod[document] in (NOT_SAID, mine.pod[entry])
            and theirs.namespace[document] in (NOT_SAID, mine.namespace[entry])
            and theirs.container[document] in (NOT_SAID, mine.container[entry])
        )

    def contradicted(self, entry: int, document: int, shift: int = 0) -> bool:
        """Whether the document, at a shift, is older than the entry, whose clock is proved."""
        return entry in self.proved and bool(
            contradict(self.entries, self.documents, np.array([entry]), np.array([document]), shift)[0]
        )

    def accept(self, proposals: list[tuple[int, int, int]], how: int, shift: int) -> None:
        """Make pairs of (distance, entry, document), nearest first, each row once."""
        used_entries: set[int] = set()
        used_documents: set[int] = set()
        for _, entry, document in sorted(proposals):
            if entry in used_entries or document in used_documents:
                continue
            used_entries.add(entry)
            used_documents.add(document)
            where = self.refused() if self.documents.rejected[document] else self.where
            self.pairs.add(np.array([entry]), np.array([document]), how, where, shift)
        if used_documents:
            self.free = self.free[~np.isin(self.free, np.fromiter(used_documents, np.int64))]

    def pair_equal(self, shift: int) -> None:
        """Exact texts by hash, at a shift or for documents without pod."""
        entries, documents = self.entries, self.documents
        for mine, theirs in HASHES:
            rows = self.pairs.open_entries()
            part = self.free
            if not len(rows) or not len(part):
                return
            keys, other = entries.hashes(mine)[rows], documents.hashes(theirs)[part]
            if self.where == OWN:
                keys, other = mix(entries.pod[rows], keys), mix(documents.pod[part], other)
            left, right = nearest_pairs(
                keys,
                entries.time[rows] + self.clocks.skew[entries.pod[rows]],
                other,
                documents.time[part] - shift,
                self.clocks.tolerance[entries.pod[rows]],
            )
            kept = fits(entries, documents, rows[left], part[right])
            left, right = left[kept], right[kept]
            refused = documents.rejected[part[right]]
            self.pairs.add(rows[left[~refused]], part[right[~refused]], 0, self.where, shift)
            self.pairs.add(rows[left[refused]], part[right[refused]], 0, self.refused(), shift)
            self.free = np.delete(part, right)

    def refused(self) -> int:
        """Where a refused document of this side stands."""
        return REFUSED if self.where == OWN else REFUSED_UNLABELLED
