"""The driver: buckets in an executor, then what only all buckets together can know (documents without pod, holes)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.correlate.reconcile.buckets import Bucket, match_bucket
from incident_kit.correlate.reconcile.causes.assign import assign_causes
from incident_kit.correlate.reconcile.causes.mapping import FieldTypes, field_types
from incident_kit.correlate.reconcile.causes.outages import holes_of
from incident_kit.correlate.reconcile.causes.view import Ending, Hole
from incident_kit.correlate.reconcile.coverage import (
    ConsoleCoverage,
    console_coverage,
    elastic_coverage,
    pods_without_evidence,
    workloads,
)
from incident_kit.correlate.reconcile.leftovers import run_leftovers
from incident_kit.correlate.reconcile.pairing import REFUSED, REFUSED_UNLABELLED, UNLABELLED, Pairs, mark_doubles
from incident_kit.correlate.reconcile.sides import NOT_SAID, Names, Side, documents_side, read
from incident_kit.correlate.reconcile.verdicts import CODE, Verdicts, lags_of, pair_verdicts, usual_lag, withhold
from incident_kit.correlate.reconcile.views import container_views, entry_hints
from incident_kit.normalise.context import Context
from incident_kit.tables.kubernetes import CONTAINERS, PODS
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    from incident_kit.evidence.bundle import Evidence

_NO_POD = "none"


@dataclass(slots=True)
class BucketVerdicts:
    """What is known of one bucket's rows, by row."""

    bucket: Bucket
    verdicts: Verdicts
    cause: np.ndarray[Any, Any]
    evidence: np.ndarray[Any, Any]


@dataclass(slots=True)
class Reconciliation:
    """Verdicts of all buckets, and of documents without pod.

    Attributes:
        buckets: by bucket name.
        unlabelled: documents that name no pod.
        unlabelled_free: rows of those that no entry claimed.
        unlabelled_doubles: rows of those that repeat another.
        console: intervals in which consoles were readable.
        lag: from which lag on a document is late (ns), None when unknown.
    """

    buckets: list[BucketVerdicts]
    unlabelled: Side
    unlabelled_free: np.ndarray[Any, Any]
    unlabelled_doubles: np.ndarray[Any, Any]
    console: ConsoleCoverage
    lag: int | None
    counts: Counter[str] = field(default_factory=Counter)


def reconcile(evidence: Evidence, executor: Executor | None = None) -> Reconciliation:
    """Give every console entry, and every document without one, exactly one verdict.

    Args:
        evidence: an opened bundle.
        executor: any standard executor; each bucket is one independent task.
    """
    entry_files, document_files = (
        _by_bucket(evidence.parquet(CONSOLE_ENTRIES)),
        _by_bucket(evidence.parquet(ELASTIC_DOCUMENTS)),
    )
    names = sorted({*entry_files, *document_files} - {_NO_POD})
    tasks = [(name, entry_files.get(name, []), document_files.get(name, [])) for name in names]
    if executor is None:
        buckets = [match_bucket(*task) for task in tasks]
    else:
        buckets = list(executor.map(match_bucket, *zip(*tasks, strict=True))) if tasks else []
    unlabelled, free, doubles = _claim_unlabelled(buckets, document_files.get(_NO_POD, []))
    lags = [lags_of(b.entries, b.documents, b.pairs, 0) for b in buckets] + [
        lags_of(b.entries, unlabelled, b.pairs, UNLABELLED) for b in buckets
    ]
    lag = usual_lag(np.concatenate(lags) if lags else np.zeros(0))
    judged = [
        BucketVerdicts(
            b,
            pair_verdicts(b.entries, b.documents, unlabelled, b.pairs, b.clocks, lag),
            np.full(len(b.entries), None, object),
            np.full(len(b.entries), None, object),
        )
        for b in buckets
    ]
    _withhold(evidence, judged, lag)
    _explain(evidence, judged, unlabelled)
    return Reconciliation(judged, unlabelled, free, doubles, console_coverage(evidence.coverage), lag)


def _by_bucket(paths: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(Path(path).parent.name.removeprefix("bucket="), []).append(path)
    return found


def _claim_unlabelled(
    buckets: list[Bucket], paths: list[str]
) -> tuple[Side, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Documents without pod, offered to all buckets' open entries by time and text."""
    side = documents_side(paths, Names())
    free = np.flatnonzero(~side.repeated)
    doubles = np.zeros(0, np.int64)
    if not len(side):
        return side, free, doubles
    pods = side
    for bucket in buckets:
        # Names are coded per bucket; these documents say no pod, and what else they say is coded anew.
        local = documents_side(paths, bucket.names)
        local.pod[:] = NOT_SAID
        free = run_leftovers(bucket.entries, local, bucket.pairs, bucket.clocks, UNLABELLED, free)
    pairs = Pairs.none(0, len(side))
    pairs.taken[np.setdiff1d(np.arange(len(side)), free)] = True
    mark_doubles(pods, pairs)
    doubles = np.flatnonzero(pairs.doubles)
    return side, np.setdiff1d(free, doubles), doubles


def _withhold(evidence: Evidence, judged: list[BucketVerdicts], lag: int | None) -> None:
    coverage = elastic_coverage(evidence)
    console_pods = {b.bucket.names.names[code] for b in judged for code in np.unique(b.bucket.entries.pod).tolist()}
    document_pods = {
        b.bucket.names.names[code] for b in judged for code in np.unique(b.bucket.documents.pod).tolist() if code >= 0
    }
    for one in judged:  # a pod whose entries were found in documents without pod has documents
        found = np.unique(one.bucket.entries.pod[one.bucket.pairs.document >= 0])
        document_pods |= {one.bucket.names.names[code] for code in found.tolist()}
    silent = pods_without_evidence(
        console_pods, document_pods, coverage, workloads(evidence, console_pods | document_pods)
    )
    for one in judged:
        mute = _mute_pods(one.bucket)
        silent |= {one.bucket.names.names[code] for code in mute}
        withhold(one.bucket.entries, one.verdicts, one.bucket.names.names, coverage, silent, lag)


def _mute_pods(bucket: Bucket) -> list[int]:
    """Pods whose documents carry no message that could be read: nothing can be compared, so nothing is proved."""
    pods = bucket.documents.pod[bucket.documents.pod >= 0]
    if not len(pods):
        return []
    mute = (bucket.documents.hashes["message_hash"] == 0)[bucket.documents.pod >= 0]
    documents, without = np.bincount(pods), np.bincount(pods[mute], minlength=int(pods.max()) + 1)
    found: list[int] = np.flatnonzero((documents > 0) & (without == documents)).tolist()
    return found


def _explain(evidence: Evidence, judged: list[BucketVerdicts], unlabelled: Side) -> None:
    endings, nodes = _endings(evidence), _nodes(evidence)
    types = _types(evidence)
    lost = CODE["console_only"]
    views = [
        (one, container_views(one.bucket, one.verdicts.code, nodes, endings))
        for one in judged
        if (one.verdicts.code == lost).any()
    ]
    holes: list[Hole] = [local.hole for _, found in views for view in found for local in holes_of(view)]
    for one, found in views:
        for view in found:
            hints = entry_hints(one.bucket, view) if types else {}
            losses = assign_causes(view, holes, types, hints)
            rows = view.rows[view.lost]
            one.cause[rows] = losses.cause[view.lost]
            one.evidence[rows] = losses.evidence[view.lost]
            one.verdicts.confidence[rows] = losses.confidence[view.lost]
    for one in judged:
        withheld = one.verdicts.code == CODE["unknown"]
        one.evidence[withheld] = one.verdicts.reason[withheld]
        refused = np.flatnonzero(one.verdicts.code == CODE["rejected"])
        if len(refused):
            _tell_refusals(one, unlabelled, refused)


def _tell_refusals(one: BucketVerdicts, unlabelled: Side, rows: np.ndarray[Any, Any]) -> None:
    for where, side in ((REFUSED, one.bucket.documents), (REFUSED_UNLABELLED, unlabelled)):
        own = rows[one.bucket.pairs.where[rows] == where]
        if len(own):
            reasons = read(side.paths, ["rejected"])["rejected"].take(pa.array(one.bucket.pairs.document[own]))
            one.evidence[own] = np.array(reasons.to_pylist(), dtype=object)


def _types(evidence: Evidence) -> FieldTypes:
    quiet = Context(cluster=evidence.cluster, window=evidence.window, captured_at=None, profile=evidence.profile)
    for name in ("elasticsearch/mappings.json", "elasticsearch/mapping.json"):
        document = evidence.raw.json(name, quiet, "elasticsearch")
        if document is not None:
            return field_types(document)
    return {}


def _endings(evidence: Evidence) -> dict[tuple[str, str, str], dict[int, Ending]]:
    found: dict[tuple[str, str, str], dict[int, Ending]] = {}
    table = evidence.table(CONTAINERS)

    def ns(value: Any) -> int | None:
        return None if value is None or str(value) == "NaT" else int(value.value)

    for row in table.to_dict("records"):
        count = row["restart_count"]
        if count is None or count != count or str(count) == "<NA>":
            continue
        code = row["exit_code"]
        ending = Ending(
            started_at=ns(row["started_at"]),
            finished_at=ns(row["finished_at"]),
            exit_code=None if str(code) in ("<NA>", "nan", "None") else int(code),
            reason=row["reason"] if isinstance(row["reason"], str) else None,
        )
        found.setdefault((row["namespace"], row["pod"], row["container"]), {})[int(count)] = ending
    return found


def _nodes(evidence: Evidence) -> dict[tuple[str, str], str]:
    table = evidence.table(PODS)
    return {
        (n, p): node
        for n, p, node in zip(table["namespace"], table["pod"], table["node"], strict=True)
        if isinstance(node, str)
    }


def count_verdicts(reconciliation: Reconciliation) -> pa.Table:
    """Entries by verdict and cause, most first."""
    counts: Counter[tuple[int, str | None]] = Counter()
    for one in reconciliation.buckets:
        codes = pa.array(one.verdicts.code)
        for pair in pc.value_counts(codes).to_pylist():
            counts[(pair["values"], None)] += pair["counts"]
    from incident_kit.correlate.reconcile.verdicts import VERDICTS

    rows = [{"verdict": VERDICTS[code], "count": number} for (code, _), number in counts.most_common()]
    return pa.Table.from_pylist(rows, schema=pa.schema([("verdict", pa.string()), ("count", pa.int64())]))
