"""The driver: buckets in an executor, then what only all buckets together can know (documents without pod, holes)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from incident_kit.arrow_memory import small_pages
from incident_kit.correlate.reconcile.buckets import Bucket, match_bucket
from incident_kit.correlate.reconcile.coverage import (
    ConsoleCoverage,
    console_coverage,
    elastic_coverage,
    pods_without_evidence,
    workloads,
)
from incident_kit.correlate.reconcile.explain import explain
from incident_kit.correlate.reconcile.match import codes_among
from incident_kit.correlate.reconcile.unlabelled import Unlabelled, claim_unlabelled
from incident_kit.correlate.reconcile.verdicts import judge_lags, usual_lag, withhold
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    from incident_kit.evidence.bundle import Evidence

_NO_POD = "none"
#: Each thread holds one bucket; more of them than this only fight for memory.
_MOST_THREADS = 8


@dataclass(slots=True)
class Reconciliation:
    """Verdicts of all buckets, and of documents without pod.

    Attributes:
        buckets: by bucket name.
        unlabelled: documents that name no pod.
        console: intervals in which consoles were readable.
        lag: from which lag on a document is late (ns), None when unknown.
    """

    buckets: list[Bucket]
    unlabelled: Unlabelled
    console: ConsoleCoverage
    lag: int | None


def reconciliation_of(
    evidence: Evidence, executor: Executor | None = None, log_tables: str | None = None
) -> Reconciliation:
    """The evidence's reconciliation, made once per opened bundle; all answers use it.

    Args:
        evidence: an opened bundle.
        executor: where its buckets are matched, if it is the first call.
        log_tables: where the executor's workers find the log tables.
    """
    return evidence.memo("reconciliation", lambda: reconcile(evidence, executor, log_tables))


@small_pages()
def reconcile(evidence: Evidence, executor: Executor | None = None, log_tables: str | None = None) -> Reconciliation:
    """Give every console entry, and every document without one, exactly one verdict.

    Args:
        evidence: an opened bundle.
        executor: any standard executor; each bucket is one independent task. Threads by default: the work is in
            libraries that let other threads run.
        log_tables: where the executor's workers find a copy of the bundle's ``tables`` folder: a path, or an address
            that Arrow or fsspec knows. The bundle's own path by default.
    """
    entries = _by_bucket(evidence.parquet(CONSOLE_ENTRIES))
    documents = _by_bucket(evidence.parquet(ELASTIC_DOCUMENTS))
    names = sorted({*entries, *documents} - {_NO_POD})
    own = [(entries.get(name, []), documents.get(name, [])) for name in names]
    there = [[_elsewhere(paths, log_tables) for paths in both] for both in own]
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
        buckets: list[Bucket] = []
        for bucket in (executor or threads).map(match_bucket, names, *zip(*there, strict=True)) if names else ():
            bucket.entry_paths, bucket.document_paths = own[len(buckets)]  # texts are read here
            buckets.append(bucket)
            evidence.progress("matching", len(buckets), len(names))
        unlabelled = claim_unlabelled(buckets, documents.get(_NO_POD, []))
        lag = usual_lag(_lags(buckets, unlabelled))
        for bucket in buckets:
            judge_lags(bucket.verdicts, bucket.lag, lag)
        _withhold(evidence, buckets, lag)
        explain(evidence, buckets, unlabelled, threads)
    return Reconciliation(buckets, unlabelled, console_coverage(evidence.coverage), lag)


def _by_bucket(paths: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(Path(path).parent.name.removeprefix("bucket="), []).append(path)
    return found


def _elsewhere(paths: list[str], log_tables: str | None) -> list[str]:
    """The same files below another ``tables`` folder."""
    if log_tables is None:
        return paths
    return ["/".join([log_tables.rstrip("/"), *Path(path).parts[-3:]]) for path in paths]


def _lags(buckets: Sequence[Bucket], unlabelled: Unlabelled) -> np.ndarray:
    return np.concatenate(
        [unlabelled.lags, *(bucket.lag[bucket.lag != 0] for bucket in buckets if bucket.lag is not None)]
    )


def _silent_namesakes(buckets: Sequence[Bucket], workload: dict[str, str]) -> set[tuple[str, str]]:
    """Pods (namespace, pod) without a document, of whose name a pod of another namespace has all of them.

    A sibling of their workload in their own namespace that has some would prove that theirs were read.
    """
    everyone: set[tuple[str, str]] = set()
    shipped: set[tuple[str, str]] = set()
    for bucket in buckets:
        names, owners = bucket.names.names, bucket.entries.owners
        found = set(codes_among(bucket.entries.owner[bucket.document >= 0]))
        for code, owner in enumerate(owners.tolist()):
            pod = (names[owner[1]], names[owner[0]])
            everyone.add(pod)
            if code in found:
                shipped.add(pod)
    elsewhere = {pod for _, pod in shipped}
    siblings = {(namespace, workload.get(pod, pod)) for namespace, pod in shipped}
    return {
        (namespace, pod)
        for namespace, pod in everyone - shipped
        if pod in elsewhere and (namespace, workload.get(pod, pod)) not in siblings
    }


def _withhold(evidence: Evidence, buckets: Sequence[Bucket], lag: int | None) -> None:
    coverage = elastic_coverage(evidence)
    console_pods, document_pods, mute = set(), set(), set()
    for bucket in buckets:
        names, owners = bucket.names.names, bucket.entries.owners
        console_pods |= {names[code] for code in owners[:, 0].tolist()}
        document_pods |= {names[code] for code in bucket.document_pods.tolist()}
        # A pod whose entries were found in documents without pod has documents.
        found = codes_among(bucket.entries.owner[bucket.document >= 0])
        document_pods |= {names[code] for code in owners[found, 0].tolist()}
        mute |= {names[code] for code in bucket.mute_pods.tolist()}
    known = workloads(evidence, console_pods | document_pods)
    silent = pods_without_evidence(console_pods, document_pods, coverage, known) | mute
    namesakes = set() if coverage.asked_for_all or coverage.pods else _silent_namesakes(buckets, known)
    for bucket in buckets:
        withhold(bucket.entries, bucket.verdicts, bucket.names.names, coverage, silent, lag, namesakes)
