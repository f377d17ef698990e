"""late-run: a Job that was made well after its scheduled time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.cron_jobs.runs import Run, runs_of
from incident_kit.correlate.objects import name_of, namespace_of, read_objects
from incident_kit.nested import Document, field
from incident_kit.rules.rule import Finding, Outcome, Rule, at, not_captured
from incident_kit.tables.kubernetes import OBJECTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: The controller makes a Job within some seconds of its time.
_LATE = 60 * SECOND


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    if "CronJob" not in objects.kinds:
        return not_captured(evidence, "cronjobs")
    found: list[Outcome] = []
    for cron_job in objects.of("CronJob"):
        runs = runs_of(cron_job, evidence)
        late = [
            (run, run.created - run.scheduled)
            for run in runs
            if run.scheduled is not None and run.created - run.scheduled > _LATE and run.overlaps(evidence.window)
        ]
        if late:
            found.append(_finding(cron_job, late, runs))
    return found


def _finding(cron_job: Document, late: list[tuple[Run, int]], runs: list[Run]) -> Finding:
    run, lag = max(late, key=lambda pair: pair[1])
    evidence = [
        f"Job {r.job} was scheduled for {at(r.scheduled)} and made at {at(r.created)}, {d // SECOND} s late"
        for r, d in late
    ]
    held = [
        other.job
        for other in runs
        if other.job != run.job
        and other.created < run.created
        and (other.ended is None or other.ended >= (run.scheduled or 0))
    ]
    if held:
        evidence.append(
            f"{', '.join(held)} still ran at the scheduled time; concurrencyPolicy "
            f"{field(cron_job, 'spec', 'concurrencyPolicy') or 'Allow'}"
        )
    return RULE.finding(
        f"CronJob {name_of(cron_job)} started {lag // SECOND} s late: Job {run.job} of {at(run.scheduled)}",
        time=run.created,
        kind="CronJob",
        namespace=namespace_of(cron_job),
        name=name_of(cron_job),
        evidence=evidence,
        confidence=0.95,
        next_step="Look whether an earlier run held it back, or the controller manager was away.",
    )


RULE = Rule(
    name="late-run",
    question="Which scheduled Jobs were made late?",
    severity="warning",
    needs=(OBJECTS,),
    refuted_by="A Job that somebody made with the annotation of an earlier scheduled time.",
    judge=_judge,
)
