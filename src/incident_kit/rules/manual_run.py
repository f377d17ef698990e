"""manual-run: a Job that somebody started from a CronJob by hand (``kubectl create job --from``, Argo CD's Create Job)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.runs import (
    INSTANTIATE,
    RememberedRun,
    cron_job_of,
    is_manual,
    outcome,
    remembered_runs,
)
from incident_kit.correlate.changes.table import change_list
from incident_kit.correlate.cron_jobs.runs import ended_at
from incident_kit.correlate.objects import created_at, name_of, namespace_of, read_objects
from incident_kit.rules.rule import Finding, Outcome, Rule, at, not_captured
from incident_kit.tables.kubernetes import EVENTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    events = evidence.table(EVENTS)
    if "Job" not in objects.kinds and not events["kind"].eq("Job").any():
        return not_captured(evidence, "jobs")
    actors = {(c.namespace, c.name): c for c in change_list(evidence) if c.what == "manual_job"}
    judged = evidence.window.padded(3600)
    found: list[Outcome] = []
    for job in objects.of("Job"):
        made, ended = created_at(job), ended_at(job)
        if not is_manual(job) or made is None or made >= judged.end or (ended is not None and ended < judged.start):
            continue
        change = actors.get((namespace_of(job), name_of(job)))
        who = (change.by or change.manager) if change else None
        found.append(
            RULE.finding(
                f"Job {name_of(job)} was started by hand{f' by {who}' if who else ''} at {at(made)}: {outcome(job)}",
                time=made,
                kind="Job",
                namespace=namespace_of(job),
                name=name_of(job),
                evidence=[
                    f"annotation {INSTANTIATE}: manual",
                    *([f"made from CronJob {cron_job_of(job)}"] if cron_job_of(job) else []),
                    *(change.evidence if change else []),
                ],
                next_step="Ask why it was needed, and whether it ran beside a scheduled run.",
            )
        )
    found += [_remembered(run) for run in remembered_runs(objects, events) if run.manual and run.created in judged]
    return found


def _remembered(run: RememberedRun) -> Finding:
    """A Job that is deleted: the CronJob's controller said that it had not created it."""
    return RULE.finding(
        f"Job {run.job} of CronJob {run.cron_job} was started by hand at {at(run.created)}: {run.outcome or 'running'}",
        time=run.created,
        kind="Job",
        namespace=run.namespace,
        name=run.job,
        evidence=[
            f"event UnexpectedJob on CronJob {run.cron_job}",
            "the Job itself is deleted; its events remember it",
        ],
        confidence=0.9,
        next_step="Ask who started it, why it was needed, and whether it ran beside a scheduled run.",
    )


RULE = Rule(
    name="manual-run",
    question="Which Jobs were started by hand?",
    severity="info",
    needs=(),
    refuted_by="A program that sets the annotation when it creates Jobs.",
    judge=_judge,
)
