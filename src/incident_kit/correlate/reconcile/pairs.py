"""Pairs of entries and documents, and how each was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from incident_kit.arrays import Flags, Integers

#: How a pair was found; the order is the order of trust.
EXACT, HEAD, TEXT, LOOSE, TEMPLATE, PART, LINE, TRUNCATED = range(8)
#: Where its document stands.
OWN, UNLABELLED, REFUSED, REFUSED_UNLABELLED = range(4)


@dataclass(slots=True)
class Pairs:
    """The pairs found so far, by entry; -1 where none.

    Attributes:
        document: row of the document in its side.
        how: `EXACT` ... `TRUNCATED`.
        where: `OWN` and `REFUSED` (the bucket's documents), `UNLABELLED` and `REFUSED_UNLABELLED` (those without pod).
        shift: constant shift at which the pair was found (ns).
        taken: rows of the bucket's documents that have an entry.
        doubles: rows of documents that repeat a taken one.
    """

    document: Integers
    how: np.ndarray[Any, np.dtype[np.int8]]
    where: np.ndarray[Any, np.dtype[np.int8]]
    shift: Integers
    taken: np.ndarray[Any, np.dtype[np.bool_]]
    doubles: np.ndarray[Any, np.dtype[np.bool_]]

    @classmethod
    def none(cls, entries: int, documents: int) -> Pairs:
        """No pair yet."""
        return cls(
            np.full(entries, -1, np.int64),
            np.full(entries, -1, np.int8),
            np.full(entries, -1, np.int8),
            np.zeros(entries, np.int64),
            np.zeros(documents, bool),
            np.zeros(documents, bool),
        )

    def add(self, entries: Integers, documents: Integers, how: int, where: int, shift: int = 0) -> None:
        """Remember pairs."""
        self.document[entries], self.how[entries], self.where[entries], self.shift[entries] = (
            documents,
            how,
            where,
            shift,
        )
        if where in (OWN, REFUSED):
            self.taken[documents] = True

    def part(self, entries: Integers) -> None:
        """Forget the pairs of these entries; their documents are the bucket's own and free again."""
        self.taken[self.document[entries]] = False
        self.document[entries], self.how[entries], self.where[entries], self.shift[entries] = -1, -1, -1, 0

    def open_entries(self) -> Integers:
        """Entries without a pair."""
        return np.flatnonzero(self.document < 0)

    def open_documents(self) -> Integers:
        """Documents without a pair that repeat none."""
        return np.flatnonzero(~self.taken & ~self.doubles)

    def unsettled(self, pod: Integers, pods: int) -> Flags:
        """By pod: whether so many entries are open that its clock needs more than the pairs so far."""
        found: Flags = 4 * np.bincount(pod[self.document < 0], minlength=pods) >= np.bincount(pod, minlength=pods)
        return found

    def put(self, entries: Integers, documents: Integers, part: Pairs) -> None:
        """Take over what was found for some rows, numbered among themselves in ``part``."""
        found = np.flatnonzero(part.document >= 0)
        rows = entries[found]
        self.document[rows] = documents[part.document[found]]
        self.how[rows], self.where[rows], self.shift[rows] = part.how[found], part.where[found], part.shift[found]
        self.taken[documents] = part.taken
        self.doubles[documents] = part.doubles
