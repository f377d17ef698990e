"""Reconciled rows for the answers: verdicts joined with the text that they are about, as Arrow tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from incident_kit.arrays import Integers, put
from incident_kit.arrow_memory import small_pages
from incident_kit.correlate.reconcile import Reconciliation, reconciliation_of
from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.files import LogFiles
from incident_kit.correlate.reconcile.pairs import OWN, REFUSED, REFUSED_UNLABELLED, UNLABELLED
from incident_kit.correlate.reconcile.sides import NOT_SAID
from incident_kit.correlate.reconcile.verdicts import CAUSES, CODE, VERDICTS
from incident_kit.tables import Table

if TYPE_CHECKING:
    from incident_kit.evidence.bundle import Evidence

_ENTRY = (
    "time", "namespace", "pod", "container", "restart_count", "stream", "level", "text", "image", "image_digest",
    "message", "logger",
)  # fmt: skip
_DOCUMENT = ("time", "namespace", "pod", "container", "level", "message", "image", "logger", "document_id")
#: What a document's verdict rests on, and how sure it is (hundredths).
_REASONS = {
    "duplicate": ("same pod, time and text as another document, other _id", 100),
    "elastic_only": ("no line of it on a console that is known there", 90),
    "unknown": ("the console of this time is not known", 90),
}
_UNLABELLED_REASONS = {
    "duplicate": ("same time and text as another document, other _id", 100),
    "unknown": ("it names no pod, and no console of the evidence has its text at its time", 90),
}
Words = np.ndarray[Any, np.dtype[np.str_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which rows are wanted.

    Attributes:
        table: columns of the answer.
        window: from, to (ns); only what lies within is judged.
        namespace, pod: only this pod's, where given.
        everything: all verdicts; else console_only alone.
    """

    table: Table
    window: tuple[int, int]
    namespace: str | None = None
    pod: str | None = None
    everything: bool = False

    @classmethod
    def of(cls, evidence: Evidence, table: Table, pod: str | None, *, everything: bool) -> Asked:
        """Rows of the evidence's window; the pod as users write it, ``namespace/pod`` or a name."""
        namespace, slash, name = (pod or "").rpartition("/")
        return cls(
            table=table,
            window=(evidence.window.start, evidence.window.end),
            namespace=namespace if slash else None,
            pod=name or None,
            everything=everything,
        )


@small_pages()
def reconciled(evidence: Evidence, table: Table, *, pod: str | None = None, everything: bool = False) -> pa.Table:
    """Rows of entries and of documents without entry, within the window.

    Args:
        evidence: an opened bundle.
        table: CONSOLE_ONLY or LOGS.
        pod: only this pod; ``namespace/pod`` or a name.
        everything: all verdicts; else console_only alone.
    """
    asked = Asked.of(evidence, table, pod, everything=everything)
    found = [part.select(table.columns).cast(table.schema) for part in _parts(reconciliation_of(evidence), asked)]
    return pa.concat_tables(found) if found else table.schema.empty_table()


def _parts(reconciliation: Reconciliation, asked: Asked) -> Iterator[pa.Table]:
    for bucket in reconciliation.buckets:
        yield from _entries(bucket, reconciliation, asked)
        places, verdict = documents_asked(bucket, reconciliation, asked)
        files = LogFiles(bucket.document_paths)
        yield from _documents(files, bucket.unmatched.rows[places], verdict, _REASONS, asked)
    rows, verdict = unlabelled_asked(reconciliation, asked)
    yield from _documents(reconciliation.unlabelled.documents.files, rows, verdict, _UNLABELLED_REASONS, asked)


def entries_asked(bucket: Bucket, asked: Asked) -> Integers:
    """Rows of a bucket's entries that are wanted."""
    entries, find = bucket.entries, bucket.names.find
    chosen = _inside(entries.time, asked)
    if not asked.everything:
        chosen &= bucket.verdicts.code == CODE["console_only"]
    if asked.pod is not None:
        own = entries.owners[:, 0] == find(asked.pod)
        if asked.namespace is not None:
            own &= entries.owners[:, 1] == find(asked.namespace)
        chosen &= own[entries.owner]
    return np.flatnonzero(chosen)


def documents_asked(bucket: Bucket, reconciliation: Reconciliation, asked: Asked) -> tuple[Integers, Words]:
    """Places among a bucket's unmatched documents that are wanted, and their verdicts."""
    some, find = bucket.unmatched, bucket.names.find
    chosen = _inside(some.time, asked) & asked.everything
    if asked.pod is not None:
        chosen &= some.pod == find(asked.pod)
        if asked.namespace is not None:
            chosen &= (some.namespace == find(asked.namespace)) | (some.namespace == NOT_SAID)
    places = np.flatnonzero(chosen)
    if not len(places):
        return places, np.zeros(0, str)
    owners = LogFiles(bucket.document_paths).take(["namespace", "pod", "container"], some.rows[places])
    covered = reconciliation.console.covers(list(zip(*owners.to_pydict().values(), strict=True)), some.instant[places])
    return places, np.where(some.double[places], "duplicate", np.where(covered, "elastic_only", "unknown"))


def unlabelled_asked(reconciliation: Reconciliation, asked: Asked) -> tuple[Integers, Words]:
    """Rows of the documents without pod that are wanted, and their verdicts."""
    side = reconciliation.unlabelled
    rows = np.concatenate([side.doubles, side.free])
    verdict = np.repeat(["duplicate", "unknown"], [len(side.doubles), len(side.free)])
    if not len(rows):
        return rows, verdict
    chosen = _inside(side.documents.time[rows], asked) & ~side.documents.rejected[rows]
    chosen &= asked.everything and asked.pod is None
    return rows[chosen], verdict[chosen]


def _inside(time: Integers, asked: Asked) -> Any:
    return (time >= asked.window[0]) & (time < asked.window[1])


def _entries(bucket: Bucket, reconciliation: Reconciliation, asked: Asked) -> Iterator[pa.Table]:
    rows, verdicts = entries_asked(bucket, asked), bucket.verdicts
    if not len(rows):
        return
    found = LogFiles(bucket.entry_paths).take(_ENTRY, rows)
    yield _with(
        found,
        asked,
        side="console",
        verdict=_words(VERDICTS, verdicts.code[rows]),
        cause=_words(CAUSES, verdicts.cause[rows]),
        confidence=pa.array(verdicts.percent[rows] / 100),
        evidence=_words(verdicts.notes, verdicts.note[rows]),
        **({"document_id": _identifiers(bucket, reconciliation, rows)} if "document_id" in asked.table.columns else {}),
    )


def _words(words: Any, codes: Any) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(codes))


def _with(found: pa.Table, asked: Asked, **columns: Any) -> pa.Table:
    """The table with more columns (a text is the same for all rows), and nulls for those that nobody gave."""
    arrays: dict[str, Any] = dict(zip(found.column_names, found.columns, strict=True)) | columns
    count = found.num_rows
    return pa.table(
        {
            field.name: pa.repeat(value, count)
            if isinstance(value := arrays.get(field.name), str)
            else pa.nulls(count, field.type)
            if value is None
            else value
            for field in asked.table.schema
        }
    )


def _identifiers(bucket: Bucket, reconciliation: Reconciliation, rows: Integers) -> pa.Array:
    """Identifier of each entry's document; null where it has none."""
    own, others = LogFiles(bucket.document_paths), reconciliation.unlabelled.documents.files
    known = pa.nulls(len(rows), pa.string())
    for files, places in ((own, (OWN, REFUSED)), (others, (UNLABELLED, REFUSED_UNLABELLED))):
        positions = np.flatnonzero(np.isin(bucket.where[rows], places))
        if len(positions):
            texts = files.take(["document_id"], bucket.document[rows[positions]].astype(np.int64))["document_id"]
            known = put(known, positions, texts.combine_chunks())
    return known


def _documents(
    files: LogFiles, rows: Integers, verdict: Words, reasons: dict[str, tuple[str, int]], asked: Asked
) -> Iterator[pa.Table]:
    if not len(rows):
        return
    words, places = np.unique(verdict, return_inverse=True)
    told = [reasons[word] for word in words.tolist()]
    found = files.take(_DOCUMENT, rows)
    yield _with(
        found,
        asked,
        side="elastic",
        text=found["message"],
        verdict=_words(words.tolist(), places),
        confidence=pa.array([percent / 100 for _, percent in told]).take(pa.array(places)),
        evidence=_words([reason for reason, _ in told], places),
    )
