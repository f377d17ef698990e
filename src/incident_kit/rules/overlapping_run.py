"""overlapping-run: two Jobs of one CronJob ran at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING

from incident_kit.correlate.cron_jobs.runs import Run, runs_of
from incident_kit.correlate.objects import name_of, namespace_of, read_objects
from incident_kit.nested import field
from incident_kit.rules.rule import Outcome, Rule, at, not_captured
from incident_kit.tables.kubernetes import OBJECTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Times are whole seconds: a run that ends in the second in which the next begins does not overlap it.
_CLOCK = SECOND


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    if "CronJob" not in objects.kinds:
        return not_captured(evidence, "cronjobs")
    seen_at = evidence.captured_at or evidence.window.end
    found: list[Outcome] = []
    for cron_job in objects.of("CronJob"):
        runs = [run for run in runs_of(cron_job, evidence) if run.overlaps(evidence.window)]
        pairs = [(a, b) for a, b in combinations(runs, 2) if _together(a, b, seen_at) > _CLOCK]
        if not pairs:
            continue
        first, second = pairs[0]
        policy = field(cron_job, "spec", "concurrencyPolicy") or "Allow"
        found.append(
            RULE.finding(
                f"Two runs of CronJob {name_of(cron_job)} overlapped from {at(second.created)}: {first.job} and {second.job}",
                time=second.created,
                kind="CronJob",
                namespace=namespace_of(cron_job),
                name=name_of(cron_job),
                evidence=[*(_sentence(a, b, seen_at) for a, b in pairs), f"concurrencyPolicy {policy}"],
                confidence=0.95,
                next_step="Look whether the work bears two runs at once; Forbid does not hold back a run started by hand.",
            )
        )
    return found


def _together(one: Run, other: Run, seen_at: int) -> int:
    """How long (ns) both ran at the same time."""
    running_until = {False: seen_at, True: 0}  # nobody knows how long a deleted run went on
    ends = [run.ended if run.ended is not None else running_until[run.gone] for run in (one, other)]
    return min(ends) - max(one.created, other.created)


def _sentence(one: Run, other: Run, seen_at: int) -> str:
    by_hand = [run.job for run in (one, other) if run.manual]
    hand = f" ({', '.join(by_hand)} by hand)" if by_hand else ""
    return (
        f"{one.job} ({at(one.created)} to {at(one.ended)}) and {other.job} ({at(other.created)} to {at(other.ended)}) ran "
        f"together for {_together(one, other, seen_at) // SECOND} s{hand}"
    )


RULE = Rule(
    name="overlapping-run",
    question="Which CronJobs had two runs at the same time?",
    severity="warning",
    needs=(OBJECTS,),
    refuted_by="A Job that had ended its work before it was marked complete.",
    judge=_judge,
)
