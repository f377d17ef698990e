"""Symptoms in the logs of a workload: the rate of errors rose, or entries began to reach the console only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from incident_kit.correlate.pods.workloads import Workload, Workloads
from incident_kit.correlate.reconcile import reconciliation_of
from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.verdicts import CODE, NOT_LOST
from incident_kit.correlate.symptoms.change_points import FALSE_ALARM, Counts, Rise, rises
from incident_kit.correlate.symptoms.log_counts import Bins, Series, bins_of, log_counts
from incident_kit.correlate.symptoms.log_templates import Template, new_templates, templates_of, vanished_templates
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: More errors because there is more of everything is no rise: their share must grow, too.
_SHARE = 1.5


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """A rate in the logs of a workload that rose.

    Attributes:
        kind: errors or console_only.
        workload: whose.
        time: start of the first bin of the higher rate (ns).
        until: end of the last one (ns); None where it lasted to the end of what is known.
        precision_seconds: length of a bin.
        before: events a minute before.
        after: events a minute at the higher rate.
        side: what was counted: console or elastic.
    """

    kind: str
    workload: Workload
    time: int
    until: int | None
    precision_seconds: float
    before: float
    after: float
    side: str


def error_rises(evidence: Evidence) -> list[Symptom]:
    """Rises of the rate of errors, oldest first."""

    def build() -> list[Symptom]:
        counted = {key: series for key, series in log_counts(evidence).items() if series.marked.any()}
        bins = bins_of(evidence)
        found = [
            symptom
            for key, series in counted.items()
            for symptom in _rises_of("errors", key, series, bins, FALSE_ALARM / len(counted))
        ]
        return sorted(found, key=lambda s: (s.time, s.workload[2]))

    return evidence.memo("error_rises", build)


def _rises_of(kind: str, key: Workload, series: Series, bins: Bins, false_alarm: float) -> list[Symptom]:
    """Rises after the workload's first entry: what was not logged yet, or was rotated away, is no lower rate."""
    logged = np.flatnonzero(series.entries)
    begin = int(logged[0]) if len(logged) else 0
    marked, entries = series.marked[begin:], series.entries[begin:]
    found = []
    for rise in rises(marked, false_alarm=false_alarm):
        if kind == "errors" and not _share_grew(rise, marked, entries):
            continue
        lasts = begin + rise.last < bins.count
        found.append(
            Symptom(
                kind=kind,
                workload=key,
                time=bins.time(begin + rise.first),
                until=bins.time(begin + rise.last) if lasts else None,
                precision_seconds=bins.width / SECOND,
                before=rise.before * 60 * SECOND / bins.width,
                after=rise.after * 60 * SECOND / bins.width,
                side=series.side,
            )
        )
    return found


def _share_grew(rise: Rise, errors: Counts, entries: Counts) -> bool:
    before = errors[: rise.first].sum() / max(entries[: rise.first].sum(), 1)
    inside = slice(rise.first, rise.last)
    return bool(errors[inside].sum() / max(entries[inside].sum(), 1) >= _SHARE * before)


def console_only_rises(evidence: Evidence) -> list[Symptom]:
    """Bursts of entries that reached the console only, oldest first."""

    def build() -> list[Symptom]:
        bins, workload_of = bins_of(evidence), Workloads(evidence)
        series: dict[Workload, Series] = {}
        for bucket in reconciliation_of(evidence).buckets:
            _count_losses(bucket, bins, workload_of, series)
        counted = {key: found for key, found in series.items() if found.marked.any()}
        return sorted(
            (
                symptom
                for key, found in counted.items()
                for symptom in _rises_of("console_only", key, found, bins, FALSE_ALARM / len(counted))
            ),
            key=lambda s: (s.time, s.workload[2]),
        )

    return evidence.memo("console_only_rises", build)


def _count_losses(bucket: Bucket, bins: Bins, workload_of: Workloads, series: dict[Workload, Series]) -> None:
    """Add one bucket's entries and losses to the series of their workloads."""
    entries, names, verdicts = bucket.entries, bucket.names.names, bucket.verdicts
    inside = np.flatnonzero((entries.time >= bins.start) & (entries.time < bins.time(bins.count)))
    if not len(inside):
        return
    lost = (verdicts.code[inside] == CODE["console_only"]) & ~np.isin(verdicts.cause[inside], NOT_LOST)
    owners, which = np.unique(entries.owner[inside], return_inverse=True)
    cells = which * bins.count + (entries.time[inside] - bins.start) // bins.width
    shape, size = (len(owners), bins.count), len(owners) * bins.count
    whole = np.bincount(cells, minlength=size).reshape(shape)
    gone = np.bincount(cells[lost], minlength=size).reshape(shape)
    for owner, total, missing in zip(owners, whole, gone, strict=True):
        pod, namespace, _ = entries.owners[owner].tolist()
        key = workload_of(names[namespace] if namespace >= 0 else None, names[pod])
        mine = series.setdefault(key, Series("console", np.zeros(bins.count), np.zeros(bins.count)))
        mine.entries += total
        mine.marked += missing


def template_changes(symptom: Symptom, evidence: Evidence) -> tuple[list[Template], list[Template]]:
    """Templates of the workload that began, and that ended, around a symptom; within three bins, half a minute at least."""
    mine = templates_of(log_counts(evidence)[symptom.workload], evidence)
    reach = max(3 * symptom.precision_seconds, 30.0)
    end = min(evidence.window.end, evidence.captured_at or evidence.window.end)
    return (
        new_templates(mine, symptom.time, within_seconds=reach),
        vanished_templates(mine, symptom.time, within_seconds=reach, end=end),
    )
