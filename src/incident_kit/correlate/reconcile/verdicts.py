"""Pairs to verdicts, by the design's precedence; what has no pair is console_only where absence proves something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from incident_kit.correlate.reconcile.clocks import NEAR_NS, SECOND, Clocks
from incident_kit.correlate.reconcile.coverage import ElasticCoverage
from incident_kit.correlate.reconcile.match import Integers
from incident_kit.correlate.reconcile.pairing import HEAD, REFUSED, REFUSED_UNLABELLED, TRUNCATED, UNLABELLED, Pairs
from incident_kit.correlate.reconcile.sides import Side

VERDICTS = (
    "matched",
    "late",
    "without_pod_name",
    "at_other_time",
    "truncated",
    "rejected",
    "console_only",
    "unknown",
    "duplicate",
    "elastic_only",
)
CODE = {name: code for code, name in enumerate(VERDICTS)}
_LEAST_LAG_NS = 10 * SECOND
#: A document's own time this little behind the usual is a stall, not lateness.
_LEAST_BEHIND_NS = 2 * SECOND
_DEFAULT_LAG_NS = 30 * SECOND


@dataclass(slots=True)
class Verdicts:
    """Verdict code, confidence and reason of every entry."""

    code: np.ndarray[Any, np.dtype[np.int8]]
    confidence: np.ndarray[Any, np.dtype[np.float64]]
    reason: np.ndarray[Any, Any]


def usual_lag(lags: np.ndarray[Any, Any]) -> int | None:
    """From which lag on a document is late; None when no document says when it arrived."""
    if not len(lags):
        return None
    low, middle = np.quantile(lags, [0.25, 0.5])
    return int(middle + max(_LEAST_LAG_NS, 12 * (middle - low)))


def lags_of(entries: Side, documents: Side, pairs: Pairs, where: int) -> Integers:
    """Arrival less kubelet time of each pair whose document says when it arrived."""
    rows = np.flatnonzero((pairs.document >= 0) & (pairs.where == where))
    arrived = documents.ingested[pairs.document[rows]]
    said = arrived != 0
    found: Integers = arrived[said] - entries.time[rows[said]]
    return found


def pair_verdicts(
    entries: Side, documents: Side, unlabelled: Side, pairs: Pairs, clocks: Clocks, lag: int | None
) -> Verdicts:
    """Verdicts of entries that have a pair; the others are `console_only` for now."""
    count = len(entries)
    verdicts = Verdicts(np.full(count, CODE["console_only"], np.int8), np.ones(count), np.full(count, None, object))
    for where, side in (
        (0, documents),
        (UNLABELLED, unlabelled),
        (REFUSED, documents),
        (REFUSED_UNLABELLED, unlabelled),
    ):
        rows = np.flatnonzero((pairs.document >= 0) & (pairs.where == where))
        if not len(rows):
            continue
        if where in (REFUSED, REFUSED_UNLABELLED):
            verdicts.code[rows] = CODE["rejected"]
            continue
        found = pairs.document[rows]
        behind = side.time[found] - entries.time[rows] - clocks.skew[entries.pod[rows]]
        arrived = side.ingested[found]
        late = behind > np.maximum(clocks.tolerance[entries.pod[rows]], _LEAST_BEHIND_NS)
        if lag is not None:
            late |= (arrived != 0) & (arrived - entries.time[rows] > lag)
        code = np.where(late, CODE["late"], CODE["matched"]).astype(np.int8)
        # A pair found at a shift stands at another time; so does a pod whose whole clock is shifted.
        code[(pairs.shift[rows] != 0) | (np.abs(clocks.skew[entries.pod[rows]]) >= NEAR_NS)] = CODE["at_other_time"]
        code[pairs.how[rows] == TRUNCATED] = CODE["truncated"]
        if where == UNLABELLED:
            code[:] = CODE["without_pod_name"]
        verdicts.code[rows] = code
        verdicts.confidence[rows] = np.where(pairs.how[rows] <= HEAD, 1.0, 0.9)
    return verdicts


def withhold(
    entries: Side, verdicts: Verdicts, names: list[str], coverage: ElasticCoverage, silent: set[str], lag: int | None
) -> None:
    """Turn console_only into unknown wherever the absence of a document proves nothing."""

    def unknown(rows: np.ndarray[Any, Any], reason: str) -> None:
        chosen = rows & (verdicts.code == CODE["console_only"])
        verdicts.code[chosen] = CODE["unknown"]
        verdicts.reason[chosen] = reason
        verdicts.confidence[chosen] = 1.0

    everyone = np.ones(len(entries), bool)
    if coverage.everything:
        unknown(everyone, coverage.everything)
        return
    for begin, end, reason in coverage.holes:
        unknown((entries.time >= begin) & (entries.time <= end), reason)
    if coverage.captured_at is not None:
        edge = coverage.captured_at - (lag if lag is not None else _DEFAULT_LAG_NS)
        unknown(
            entries.time > edge, "documents of this time may still have been on their way when the evidence was taken"
        )
    by_pod = np.array([coverage.pods is not None and name in coverage.pods for name in names] or [False])
    asked = by_pod[entries.pod] if len(entries) else everyone
    if coverage.pods is not None:
        unknown(~asked, "the query did not ask for this pod")
        for name, (begin, end) in coverage.pods.items():
            if name in names:
                unknown(
                    (entries.pod == names.index(name)) & ((entries.time < begin) | (entries.time >= end)),
                    "outside of what the query asked for",
                )
    else:
        begin, end = coverage.bounds
        unknown((entries.time < begin) | (entries.time >= end), "outside of what was read of Elasticsearch")
    quiet = np.array([name in silent for name in names] or [False])
    if len(entries):
        unknown(
            quiet[entries.pod], "no document of the pod (or of a sibling) with a message: nothing says that it was read"
        )
