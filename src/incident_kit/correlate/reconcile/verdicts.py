"""Pairs to verdicts, by the design's precedence; what has no pair is console_only where absence proves something.

Verdicts may be tens of millions: codes in narrow arrays, and each sentence once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.clocks import NEAR_NS, SECOND, Clocks
from incident_kit.correlate.reconcile.coverage import ElasticCoverage
from incident_kit.correlate.reconcile.entries import EntryRows
from incident_kit.correlate.reconcile.pairs import HEAD, OWN, REFUSED, TRUNCATED, Pairs
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
#: Causes of console_only in their order of precedence; none at place 0.
CAUSES = (
    None,
    "below_level",
    "burst",
    "shipping_outage",
    "pod_absent",
    "before_logger",
    "not_logged",
    "never_arrives",
    "too_long",
    "died_before_flush",
    "rotation_edge",
    "unexplained",
)
CAUSE = {name: code for code, name in enumerate(CAUSES)}
#: Places in `CAUSES` of entries that were never meant to be shipped: too low a level, or written past the logger.
NOT_LOST = (CAUSE["below_level"], CAUSE["not_logged"])
_LEAST_LAG_NS = 10 * SECOND
#: A document's own time this little behind the usual is a stall, not lateness.
_LEAST_BEHIND_NS = 2 * SECOND
_DEFAULT_LAG_NS = 30 * SECOND


@dataclass(slots=True)
class Verdicts:
    """Verdict, cause, confidence and note of every entry of a bucket.

    Attributes:
        code: place in `VERDICTS`.
        percent: confidence in hundredths.
        cause: place in `CAUSES`.
        note: place in ``notes``: what the verdict or cause rests on.
    """

    code: np.ndarray[Any, np.dtype[np.int8]]
    percent: np.ndarray[Any, np.dtype[np.uint8]]
    cause: np.ndarray[Any, np.dtype[np.int8]]
    note: np.ndarray[Any, np.dtype[np.int32]]
    notes: list[str | None] = field(default_factory=lambda: [None])

    @classmethod
    def none(cls, count: int) -> Verdicts:
        """Everything is `console_only`, surely, for no known cause."""
        return cls(
            np.full(count, CODE["console_only"], np.int8),
            np.full(count, 100, np.uint8),
            np.zeros(count, np.int8),
            np.zeros(count, np.int32),
        )

    def tell(self, rows: Integers, sentences: str | list[str | None]) -> None:
        """Give rows their note, one for all or one for each."""
        known: dict[str | None, int] = {None: 0}
        for sentence in [sentences] if isinstance(sentences, str) else sentences:
            if sentence not in known:
                known[sentence] = len(self.notes)
                self.notes.append(sentence)
        self.note[rows] = known[sentences] if isinstance(sentences, str) else [known[one] for one in sentences]

    def doubt(self, rows: Integers) -> None:
        """Entries and documents of these have values only, and no value of one could be told in the other."""
        self.code[rows] = CODE["unknown"]
        self.tell(rows, "neither side has a message, and no fields of both correspond: nothing can be compared")

    def rows(self, verdict: str) -> Integers:
        """Rows of a verdict."""
        return np.flatnonzero(self.code == CODE[verdict])


def usual_lag(lags: np.ndarray[Any, Any]) -> int | None:
    """From which lag on a document is late; None when no document says when it arrived."""
    if not len(lags):
        return None
    low, middle = np.quantile(lags, [0.25, 0.5])
    return int(middle + max(_LEAST_LAG_NS, 12 * (middle - low)))


def lags_of(time: Integers, documents: Side, found: Integers) -> Integers:
    """Arrival less kubelet time of each pair; 0 where the document does not say when it arrived."""
    arrived = documents.ingested[found]
    lags: Integers = np.where(arrived != 0, arrived - time, 0)
    return lags


def judge_pairs(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks) -> Verdicts:
    """Verdicts of entries that have a pair in the bucket, as far as clocks tell; the others are `console_only` yet."""
    verdicts = Verdicts.none(len(entries))
    verdicts.code[pairs.where == REFUSED] = CODE["rejected"]
    rows = np.flatnonzero(pairs.where == OWN)
    found, pod = pairs.document[rows], entries.pod[rows]
    behind = documents.time[found] - entries.time[rows] - clocks.skew[pod]
    late = behind > np.maximum(clocks.tolerance, _LEAST_BEHIND_NS)[pod]
    code = np.where(late, CODE["late"], CODE["matched"]).astype(np.int8)
    # A pair found at a shift stands at another time; so does a pod whose whole clock is shifted.
    code[(pairs.shift[rows] != 0) | (np.abs(clocks.skew) >= NEAR_NS)[pod]] = CODE["at_other_time"]
    code[pairs.how[rows] == TRUNCATED] = CODE["truncated"]
    verdicts.code[rows] = code
    verdicts.percent[rows[pairs.how[rows] > HEAD]] = 90
    return verdicts


def judge_lags(verdicts: Verdicts, lag: Integers | None, usual: int | None) -> None:
    """Pairs whose document arrived long after the usual lag are `late`."""
    if lag is not None and usual is not None:
        verdicts.code[(verdicts.code == CODE["matched"]) & (lag > usual)] = CODE["late"]


def withhold(
    entries: EntryRows,
    verdicts: Verdicts,
    names: list[str],
    coverage: ElasticCoverage,
    silent: set[str],
    lag: int | None,
    namesakes: set[tuple[str, str]] | None = None,
) -> None:
    """Turn console_only into unknown wherever the absence of a document proves nothing."""
    rows = verdicts.rows("console_only")
    time, pod = entries.time[rows], entries.pod(rows)
    open_rows = np.ones(len(rows), bool)

    def unknown(chosen: Flags, reason: str) -> None:
        chosen = chosen & open_rows
        verdicts.code[rows[chosen]] = CODE["unknown"]
        verdicts.percent[rows[chosen]] = 100
        verdicts.tell(rows[chosen], reason)
        open_rows[chosen] = False

    if not len(rows):
        return
    if coverage.everything:
        unknown(open_rows.copy(), coverage.everything)
        return
    for begin, end, reason in coverage.holes:
        unknown((time >= begin) & (time <= end), reason)
    if coverage.captured_at is not None:
        edge = coverage.captured_at - (lag if lag is not None else _DEFAULT_LAG_NS)
        unknown(time > edge, "documents of this time may still have been on their way when the evidence was taken")
    if coverage.pods is not None:
        asked = np.array([name in coverage.pods for name in names])
        unknown(~asked[pod], "the query did not ask for this pod")
        for code, name in enumerate(names):
            if name in coverage.pods:
                begin, end = coverage.pods[name]
                unknown((pod == code) & ((time < begin) | (time >= end)), "outside of what the query asked for")
    else:
        begin, end = coverage.bounds
        unknown((time < begin) | (time >= end), "outside of what was read of Elasticsearch")
    unknown(
        np.array([name in silent for name in names])[pod],
        "no document of the pod (or of a sibling) with a message: nothing says that it was read",
    )
    if namesakes:
        strange = [(names[owner[1]], names[owner[0]]) in namesakes for owner in entries.owners.tolist()]
        unknown(np.array(strange)[entries.owner[rows]], "documents of the pod's name are another namespace's")
