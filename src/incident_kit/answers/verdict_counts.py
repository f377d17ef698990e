"""How many entries and documents have which verdict: from the arrays of the reconciliation, no text is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.answers.reconciled import (
    Asked,
    documents_asked,
    entries_asked,
    unlabelled_asked,
)
from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile import reconciliation_of
from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.sides import NOT_SAID
from incident_kit.correlate.reconcile.verdicts import CAUSES, VERDICTS
from incident_kit.tables import Row
from incident_kit.tables.answers import CONSOLE_ONLY

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

Owner = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictCount:
    """How many entries, or documents without entry, of one pod and one part of the window have one verdict.

    Attributes:
        namespace: None where nobody said.
        pod: name, None for documents that name none.
        slice: part of the window, from 0.
        side: ``console`` or ``elastic``.
        verdict: one of VERDICTS.
        cause: why an entry is only on the console; None of every other.
        count: how many.
    """

    namespace: str | None
    pod: str | None
    slice: int
    side: str
    verdict: str
    cause: str | None
    count: int

    def row(self) -> Row:
        """It as a row, by the names of its attributes."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def verdict_counts(evidence: Evidence, pod: str | None = None, slices: int = 1) -> list[VerdictCount]:
    """Entries, and documents without entry, of the window.

    Args:
        evidence: an opened bundle.
        pod: only this pod; ``namespace/pod`` or a name.
        slices: into how many equal parts the window is cut.

    Returns:
        One for each namespace, pod, slice, side, verdict and cause that occurs.
    """
    asked = Asked.of(evidence, CONSOLE_ONLY, pod, everything=True)
    reconciliation = reconciliation_of(evidence)
    found: list[VerdictCount] = []
    for bucket in reconciliation.buckets:
        found += _entries(bucket, asked, slices)
        places, verdict = documents_asked(bucket, reconciliation, asked)
        some = bucket.unmatched
        owner, owners = _owners(bucket, some.namespace[places], some.pod[places])
        found += _documents(owner, owners, some.time[places], verdict, asked, slices)
    rows, verdict = unlabelled_asked(reconciliation, asked)
    nobody = np.zeros(len(rows), np.int64)
    found += _documents(nobody, [(None, None)], reconciliation.unlabelled.documents.time[rows], verdict, asked, slices)
    return found


def _entries(bucket: Bucket, asked: Asked, slices: int) -> Iterator[VerdictCount]:
    rows, entries, verdicts = entries_asked(bucket, asked), bucket.entries, bucket.verdicts
    owner, owners = _owners(bucket, entries.owners[:, 1], entries.owners[:, 0])
    keys = (
        owner[entries.owner[rows]],
        _slice(entries.time[rows], asked, slices),
        verdicts.code[rows],
        verdicts.cause[rows],
    )
    for (who, part, code, cause), count in _counted(keys):
        yield _count("console", owners[who], part, VERDICTS[code], CAUSES[cause], count)


def _documents(
    owner: Integers, owners: list[Owner], time: Integers, verdict: Any, asked: Asked, slices: int
) -> Iterator[VerdictCount]:
    words, code = np.unique(verdict, return_inverse=True)
    for (who, part, word), count in _counted((owner, _slice(time, asked, slices), code)):
        yield _count("elastic", owners[who], part, str(words[word]), None, count)


def _owners(bucket: Bucket, namespace: Integers, pod: Integers) -> tuple[Integers, list[Owner]]:
    """Each row's place among the pairs of namespace and pod, and these pairs."""
    pairs, place = np.unique(np.stack([namespace, pod], axis=1), axis=0, return_inverse=True)
    names = [*bucket.names.names, None]  # NOT_SAID is the last
    assert NOT_SAID == -1
    return place.reshape(-1), [(names[one], names[other]) for one, other in pairs.tolist()]


def _slice(time: Integers, asked: Asked, slices: int) -> Integers:
    begin, end = asked.window
    found: Integers = np.minimum((time - begin) // max((end - begin) // slices, 1), slices - 1)
    return found


def _counted(keys: tuple[Any, ...]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Each combination of small numbers that occurs, and how often."""
    sizes = tuple(int(key.max(initial=0)) + 1 for key in keys)
    combined = np.ravel_multi_index(tuple(np.asarray(key, np.int64) for key in keys), sizes)
    values, counts = np.unique(combined, return_counts=True)
    for value, count in zip(zip(*np.unravel_index(values, sizes), strict=True), counts.tolist(), strict=True):
        yield tuple(int(one) for one in value), count


def _count(side: str, owner: Owner, part: int, verdict: str, cause: str | None, count: int) -> VerdictCount:
    namespace, pod = owner
    return VerdictCount(namespace=namespace, pod=pod, slice=part, side=side, verdict=verdict, cause=cause, count=count)
