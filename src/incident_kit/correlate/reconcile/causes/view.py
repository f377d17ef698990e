"""What the signatures look at: one container's entries in time order, and the holes that other containers have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

Flags = np.ndarray[Any, np.dtype[np.bool_]]
Integers = np.ndarray[Any, np.dtype[np.int64]]


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
    """Cause, confidence and evidence of each lost entry; filled by the signatures, first come first kept."""

    cause: np.ndarray[Any, Any]
    confidence: np.ndarray[Any, np.dtype[np.float64]]
    evidence: np.ndarray[Any, Any]
    lost: Flags

    @classmethod
    def of(cls, lost: Flags) -> Losses:
        """No cause yet."""
        return cls(np.full(len(lost), None, object), np.zeros(len(lost)), np.full(len(lost), None, object), lost)

    def open(self) -> Flags:
        """Lost entries without a cause."""
        found: Flags = self.lost & pd.isna(self.cause)
        return found

    def give(self, rows: Flags | Integers, cause: str, confidence: float, evidence: str) -> None:
        """Give the open ones among the rows a cause."""
        mask = np.zeros(len(self.lost), bool)
        mask[rows] = True
        mask &= self.open()
        self.cause[mask], self.confidence[mask], self.evidence[mask] = cause, confidence, evidence


@dataclass(slots=True)
class ContainerView:
    """One container's entries in time order, all instances.

    Attributes:
        delivered: entries that are in Elasticsearch in whatever form.
        lost: entries called console_only.
        logged: entries with the container's prefix; the rest never went through the logger.
    """

    namespace: str
    pod: str
    container: str
    node: str | None
    time: Integers
    level: np.ndarray[Any, Any]
    logged: Flags
    mask: Integers
    length: Integers
    restart: Integers
    edge: Integers
    stream: np.ndarray[Any, Any]
    text: list[str]
    properties: list[str | None]
    delivered: Flags
    lost: Flags
    endings: dict[int, Ending] = field(default_factory=dict)
    document_levels: set[str] = field(default_factory=set)
    pod_has_documents: bool = True
    rows: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.time)

    def instances(self) -> Iterator[tuple[int, Integers]]:
        """Restart count and rows of each instance, oldest first."""
        for count in np.unique(self.restart).tolist():
            yield count, np.flatnonzero(self.restart == count)


def runs(flags: Flags) -> list[tuple[int, int]]:
    """First and last position of each run of true flags."""
    if not flags.any():
        return []
    padded = np.concatenate([[False], flags, [False]]).astype(np.int8)
    change = np.diff(padded)
    return list(zip(np.flatnonzero(change == 1).tolist(), (np.flatnonzero(change == -1) - 1).tolist(), strict=True))
