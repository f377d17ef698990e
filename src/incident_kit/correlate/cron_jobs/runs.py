"""Runs of CronJobs: which Jobs ran when, and what each was scheduled for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.runs import SCHEDULED, cron_job_of, is_manual, remembered_runs
from incident_kit.correlate.changes.writes import writes_of
from incident_kit.correlate.objects import annotation, created_at, name_of, namespace_of, read_objects
from incident_kit.nested import Document, field, instant, listing
from incident_kit.tables.kubernetes import EVENTS
from incident_kit.window import SECOND, Window, parse_rfc3339

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Namespace and name of a CronJob.
Subject = tuple[str | None, str]
_MINUTES = re.compile(r"-(\d{8})$")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One Job of a CronJob.

    Attributes:
        job: name of the Job.
        created: when it was created (ns).
        ended: when it completed or failed; None while it runs or when not known.
        scheduled: the scheduled time it was made for; None when started by hand.
        manual: whether somebody made it.
        gone: whether the Job was deleted, so that without ``ended`` its end is not known.
    """

    job: str
    created: int
    ended: int | None
    scheduled: int | None
    manual: bool
    gone: bool = False

    def overlaps(self, window: Window) -> bool:
        """Whether it ran at some time of the window."""
        return self.created < window.end and (self.ended is None or self.ended >= window.start)


def scheduled_for(job: Document) -> int | None:
    """Scheduled time of a Job: its annotation, else the minute since the epoch that its name ends in."""
    if is_manual(job):
        return None
    text = annotation(job, SCHEDULED)
    if text is not None:
        return parse_rfc3339(text)
    match = _MINUTES.search(name_of(job))
    return int(match[1]) * 60 * SECOND if match and cron_job_of(job) else None


def ended_at(job: Document) -> int | None:
    """When a Job completed, or failed."""
    completed = instant(job, "status", "completionTime")
    if completed is not None:
        return completed
    for condition in listing(job, "status", "conditions"):
        if condition.get("type") in {"Complete", "Failed"} and condition.get("status") == "True":
            return instant(condition, "lastTransitionTime")
    return None


def runs_of(cron_job: Document, evidence: Evidence) -> list[Run]:
    """Every known Job of a CronJob, oldest first: those captured, and deleted ones that events remember."""
    runs: dict[Subject, list[Run]] = evidence.memo("runs of CronJobs", lambda: _by_cron_job(evidence))
    return runs.get((namespace_of(cron_job), name_of(cron_job)), [])


def _by_cron_job(evidence: Evidence) -> dict[Subject, list[Run]]:
    objects = read_objects(evidence)
    found: dict[Subject, list[Run]] = {}
    for past in remembered_runs(objects, evidence.table(EVENTS)):
        if past.cron_job is None:
            continue
        minutes = None if past.manual else _MINUTES.search(past.job)
        run = Run(
            job=past.job,
            created=past.created,
            ended=past.ended,
            scheduled=int(minutes[1]) * 60 * SECOND if minutes else None,
            manual=past.manual,
            gone=True,
        )
        found.setdefault((past.namespace, past.cron_job), []).append(run)
    for job in objects.of("Job"):
        made, owner = created_at(job), cron_job_of(job)
        if made is None or owner is None:
            continue
        run = Run(
            job=name_of(job), created=made, ended=ended_at(job), scheduled=scheduled_for(job), manual=is_manual(job)
        )
        found.setdefault((namespace_of(job), owner), []).append(run)
    return {subject: sorted(runs, key=lambda run: run.created) for subject, runs in found.items()}


def known_since(cron_job: Document) -> int | None:
    """Since when the CronJob has its present schedule: its last specification write, or its creation."""
    writes = [w.time for w in writes_of(cron_job) if w.touches("f:spec") and w.subresource is None and w.time]
    return max(writes) if writes else created_at(cron_job)


def suspended(cron_job: Document) -> bool:
    """spec.suspend."""
    return field(cron_job, "spec", "suspend") is True


def suspended_since(cron_job: Document) -> tuple[int | None, str | None]:
    """When suspend was last written and by which field manager, as far as managedFields tell."""
    for write in reversed(writes_of(cron_job)):
        if write.touches("f:spec", "f:suspend"):
            return write.time, write.manager
    return None, None
