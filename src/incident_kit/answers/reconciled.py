"""Reconciled rows for the answers: verdicts joined with the text that they are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from incident_kit.correlate.reconcile import Reconciliation, reconcile
from incident_kit.correlate.reconcile.pairing import OWN, REFUSED, REFUSED_UNLABELLED, UNLABELLED
from incident_kit.correlate.reconcile.reconcile import BucketVerdicts
from incident_kit.correlate.reconcile.sides import read
from incident_kit.correlate.reconcile.verdicts import CODE, VERDICTS

if TYPE_CHECKING:
    from incident_kit.evidence.bundle import Evidence

_ENTRY = [
    "time",
    "namespace",
    "pod",
    "container",
    "restart_count",
    "stream",
    "level",
    "text",
    "image",
    "image_digest",
    "message",
    "logger",
]
_DOCUMENT = ["time", "namespace", "pod", "container", "level", "message", "image", "logger", "document_id"]


def reconciliation_of(evidence: Evidence) -> Reconciliation:
    """The evidence's reconciliation, made once per opened bundle."""
    return evidence.memo("reconciliation", lambda: reconcile(evidence))


def split_pod(pod: str | None) -> tuple[str | None, str | None]:
    """Namespace and name of a pod as users write it."""
    if pod is None:
        return None, None
    namespace, slash, name = pod.rpartition("/")
    return (namespace if slash else None), name


def reconciled_rows(
    evidence: Evidence,
    reconciliation: Reconciliation,
    columns: Sequence[str],
    *,
    pod: str | None = None,
    everything: bool = False,
) -> Iterator[dict[str, Any]]:
    """Rows of entries and of documents without entry, within the window.

    Args:
        evidence: for the window.
        reconciliation: the verdicts.
        columns: columns wanted.
        pod: only this pod.
        everything: all verdicts; else console_only alone.
    """
    wanted = split_pod(pod)
    window = (evidence.window.start, evidence.window.end)
    for one in reconciliation.buckets:
        yield from _entry_rows(one, reconciliation, columns, window, wanted, everything=everything)
        if everything:
            yield from _document_rows(one, reconciliation, columns, window, wanted)
    if everything and wanted[1] is None:
        yield from _unlabelled_rows(reconciliation, columns, window)


def _entry_rows(
    one: BucketVerdicts,
    reconciliation: Reconciliation,
    columns: Sequence[str],
    window: tuple[int, int],
    wanted: tuple[str | None, str | None],
    *,
    everything: bool,
) -> Iterator[dict[str, Any]]:
    entries = one.bucket.entries
    chosen = (entries.time >= window[0]) & (entries.time < window[1])
    if not everything:
        chosen &= one.verdicts.code == CODE["console_only"]
    names = one.bucket.names.names
    for name, codes in zip(wanted, (entries.namespace, entries.pod), strict=True):
        if name is not None:
            chosen &= codes == (names.index(name) if name in names else -2)
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return
    table = entries.text(_ENTRY, rows)
    identifiers = _identifiers(one, reconciliation, rows) if "document_id" in columns else [None] * len(rows)
    times = table["time"].cast(pa.int64()).to_pylist()
    plain = {name: table[name].to_pylist() for name in _ENTRY if name != "time" and name in columns}
    for position, row in enumerate(rows.tolist()):
        found: dict[str, Any] = {name: values[position] for name, values in plain.items()}
        found |= {
            "time": times[position],
            "side": "console",
            "verdict": VERDICTS[one.verdicts.code[row]],
            "cause": one.cause[row],
            "confidence": float(one.verdicts.confidence[row]),
            "evidence": one.evidence[row],
        }
        if "document_id" in columns:
            found["document_id"] = identifiers[position]
        yield found


def _identifiers(one: BucketVerdicts, reconciliation: Reconciliation, rows: np.ndarray[Any, Any]) -> list[str | None]:
    out: list[str | None] = [None] * len(rows)
    pairs = one.bucket.pairs
    for where, side in (
        (OWN, one.bucket.documents),
        (REFUSED, one.bucket.documents),
        (UNLABELLED, reconciliation.unlabelled),
        (REFUSED_UNLABELLED, reconciliation.unlabelled),
    ):
        positions = np.flatnonzero((pairs.where[rows] == where) & (pairs.document[rows] >= 0))
        if len(positions) and side.paths:
            texts = (
                read(side.paths, ["document_id"])["document_id"]
                .take(pa.array(pairs.document[rows[positions]]))
                .to_pylist()
            )
            for position, text in zip(positions.tolist(), texts, strict=True):
                out[position] = text
    return out


def _document_rows(
    one: BucketVerdicts,
    reconciliation: Reconciliation,
    columns: Sequence[str],
    window: tuple[int, int],
    wanted: tuple[str | None, str | None],
) -> Iterator[dict[str, Any]]:
    documents, pairs = one.bucket.documents, one.bucket.pairs
    if not len(documents):
        return
    chosen = ~pairs.taken & ~documents.rejected & (documents.time >= window[0]) & (documents.time < window[1])
    names = one.bucket.names.names
    for name, codes in zip(wanted, (documents.namespace, documents.pod), strict=True):
        if name is not None:
            chosen &= (codes == (names.index(name) if name in names else -2)) | (
                (codes < 0) if name == wanted[0] else False
            )
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return
    table = documents.text(_DOCUMENT, rows).to_pydict()
    instants = (documents.time[rows] - one.bucket.clocks.skew[documents.pod[rows]]).tolist()
    for position, row in enumerate(rows.tolist()):
        double = bool(pairs.doubles[row])
        covered = double or reconciliation.console.covers(
            table["namespace"][position], table["pod"][position], table["container"][position], int(instants[position])
        )
        verdict = "duplicate" if double else "elastic_only" if covered else "unknown"
        reason = {
            "duplicate": "same pod, time and text as another document, other _id",
            "elastic_only": "no line of it on a console that is known there",
            "unknown": "the console of this time is not known",
        }[verdict]
        yield _document(table, position, int(documents.time[row]), verdict, reason, columns)


def _unlabelled_rows(
    reconciliation: Reconciliation, columns: Sequence[str], window: tuple[int, int]
) -> Iterator[dict[str, Any]]:
    side = reconciliation.unlabelled
    for rows, verdict, reason in (
        (reconciliation.unlabelled_doubles, "duplicate", "same time and text as another document, other _id"),
        (
            reconciliation.unlabelled_free,
            "unknown",
            "it names no pod, and no console of the evidence has its text at its time",
        ),
    ):
        inside = (
            rows[(side.time[rows] >= window[0]) & (side.time[rows] < window[1]) & ~side.rejected[rows]]
            if len(rows)
            else rows
        )
        if len(inside):
            table = side.text(_DOCUMENT, inside).to_pydict()
            for position, row in enumerate(inside.tolist()):
                yield _document(table, position, int(side.time[row]), verdict, reason, columns)


def _document(
    table: dict[str, list[Any]], position: int, time: int, verdict: str, reason: str, columns: Sequence[str]
) -> dict[str, Any]:
    found = {name: table[name][position] for name in ("namespace", "pod", "container", "level", "image")}
    found |= {
        "time": time,
        "side": "elastic",
        "text": table["message"][position],
        "verdict": verdict,
        "confidence": 1.0 if verdict == "duplicate" else 0.9,
        "evidence": reason,
    }
    for name in ("message", "logger", "document_id"):
        if name in columns:
            found[name] = table[name][position]
    return found
