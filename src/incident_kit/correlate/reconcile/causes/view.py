"""What the signatures look at: one container's entries in time order, and the holes that other containers have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.columns import Codes, EntryColumns
from incident_kit.correlate.reconcile.verdicts import CAUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A run of entries of one container of which nothing arrived."""

    namespace: str
    pod: str
    container: str
    node: str | None
    begin: int
    end: int
    count: int
    witness: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an instance ended, where known."""

    started_at: int | None
    finished_at: int | None
    exit_code: int | None
    reason: str | None


@dataclass(slots=True)
class Losses:
    """Cause, confidence and evidence of each lost entry; filled by the signatures, first come first kept.

    Attributes:
        lost: entries called console_only.
        cause: place in `CAUSES`; 0 for none.
        percent: confidence in hundredths.
        note: place of the evidence in ``notes``.
    """

    lost: Flags
    cause: np.ndarray[Any, np.dtype[np.int8]]
    percent: np.ndarray[Any, np.dtype[np.uint8]]
    note: np.ndarray[Any, np.dtype[np.int32]]
    notes: list[str | None] = field(default_factory=lambda: [None])

    @classmethod
    def of(cls, lost: Flags) -> Losses:
        """No cause yet."""
        count = len(lost)
        return cls(lost, np.zeros(count, np.int8), np.zeros(count, np.uint8), np.zeros(count, np.int32))

    def open(self) -> Flags:
        """Lost entries without a cause."""
        found: Flags = self.lost & (self.cause == 0)
        return found

    def give(self, rows: Flags | Integers, cause: str, confidence: float, evidence: str) -> None:
        """Give the open ones among the rows a cause."""
        places = np.flatnonzero(rows & self.lost) if rows.dtype == bool else rows[self.lost[rows]]
        places = places[self.cause[places] == 0]
        self.cause[places], self.percent[places] = CAUSE[cause], round(100 * confidence)
        self.note[places] = len(self.notes)
        self.notes.append(evidence)


@dataclass(slots=True)
class ContainerView:
    """One container's entries in time order, all instances.

    Attributes:
        columns: of the bucket, for what a signature asks of ``rows``.
        delivered: entries that are in Elasticsearch in whatever form.
        lost: entries called console_only.
        document_levels: levels of the container's documents, whether or not they have an entry.
        delivered_names: names of properties that delivered entries carry.
        indices: where the pod's documents stand.
    """

    namespace: str
    pod: str
    container: str
    node: str | None
    time: Integers
    columns: EntryColumns
    delivered: Flags
    lost: Flags
    endings: dict[int, Ending]
    document_levels: Callable[[], set[str]]
    delivered_names: Callable[[], frozenset[str]]
    indices: Callable[[], frozenset[str]]
    pod_has_documents: bool
    rows: Integers
    _parts: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)

    @property
    def restart(self) -> Integers:
        """Container instance of each entry."""
        return self._integers("restart_count")

    @property
    def edge(self) -> Integers:
        """1 first entry of a rotated file, 2 last one, 0 neither."""
        return self._integers("edge")

    @property
    def mask(self) -> Integers:
        """Template of each entry, as guessed."""
        return self._integers("mask_hash")

    @property
    def length(self) -> Integers:
        """Characters of each entry."""
        found: Integers = self._part("length", self.columns.lengths)
        return found

    @property
    def logged(self) -> Flags:
        """Entries with the container's prefix; the rest never went through the logger."""
        found: Flags = self._part("logged", lambda: self.columns.present("format"))
        return found

    def words(self, name: str) -> tuple[Codes, list[str]]:
        """Level or stream of each entry, as a code of the words beside it; -1 where null."""
        codes, words = self.columns.words(name)
        return self._part(name, lambda: codes), words

    def text(self, position: int) -> str:
        """Text of a lost entry."""
        return self.columns.lost_text("text", int(self.rows[position])) or ""

    def properties(self, position: int) -> str | None:
        """Structured values of a lost entry, JSON."""
        return self.columns.lost_text("properties", int(self.rows[position]))

    def instances(self) -> Iterator[tuple[int, Integers]]:
        """Restart count and rows of each instance, oldest first."""
        for count in self.counts():
            yield count, np.flatnonzero(self.restart == count)

    def counts(self) -> list[int]:
        """Restart counts of the instances, oldest first."""
        first, last = int(self.restart.min()), int(self.restart.max())
        found: list[int] = [first] if first == last else np.unique(self.restart).tolist()
        return found

    def _integers(self, name: str) -> Integers:
        found: Integers = self._part(name, lambda: self.columns.integers(name))
        return found

    def _part(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._parts:
            self._parts[name] = make()[self.rows]
        return self._parts[name]


def runs(flags: Flags) -> list[tuple[int, int]]:
    """First and last position of each run of true flags."""
    if not flags.any():
        return []
    padded = np.concatenate([[False], flags, [False]]).astype(np.int8)
    change = np.diff(padded)
    return list(zip(np.flatnonzero(change == 1).tolist(), (np.flatnonzero(change == -1) - 1).tolist(), strict=True))
