"""Job runs: scheduled, started by hand, or run as a hook of a sync."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.templates import image_list
from incident_kit.correlate.changes.writes import writes_of
from incident_kit.correlate.frames import rows
from incident_kit.correlate.objects import Objects, annotation, controller, created_at, name_of, namespace_of
from incident_kit.nested import Document, field, instant, listing, mapping
from incident_kit.window import format_ns

if TYPE_CHECKING:
    import pandas as pd

#: Set by ``kubectl create job --from`` and by Argo CD's Create Job.
INSTANTIATE = "cronjob.kubernetes.io/instantiate"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
HOOK = "argocd.argoproj.io/hook"

_AGGREGATED = "(combined from similar events): "
_CREATED = re.compile(r"^Created job (\S+)$")
_DELETED = re.compile(r"^Deleted job (\S+)$")
_COMPLETED = re.compile(r"^Saw completed job: (\S+), (?:condition|status): (\w+)$")
_UNEXPECTED = re.compile(r"^Saw a job that the controller did not create or forgot: (\S+)$")


@dataclass(kw_only=True)
class RememberedRun:
    """A Job that was deleted (history limits do so within minutes) and that only events remember.

    Attributes:
        namespace: of the Job.
        job: its name.
        cron_job: the CronJob that owned it, where an event names it.
        created: when its CronJob's controller made it, or its first pod was made (ns).
        ended: when it completed or failed.
        outcome: Completed, or the reason of its failure.
        manual: the CronJob's controller said that it did not create it.
    """

    namespace: str | None
    job: str
    created: int
    cron_job: str | None = None
    ended: int | None = None
    outcome: str | None = None
    manual: bool = False


def remembered_runs(objects: Objects, events: pd.DataFrame) -> list[RememberedRun]:
    """Jobs that only events remember, oldest first."""
    found: dict[tuple[str | None, str], RememberedRun] = {}
    told = sorted(rows(events[events["kind"].isin(["Job", "CronJob"])]), key=lambda e: e["first_at"] or 0)
    for event in told:
        key, time = (event["namespace"], str(event["name"])), event["first_at"]
        if event["kind"] != "Job" or time is None or objects.get("Job", *key) is not None:
            continue
        if event["reason"] == "SuccessfulCreate":
            found.setdefault(key, RememberedRun(namespace=key[0], job=key[1], created=int(time)))
        elif key in found and event["reason"] in {"Completed", "BackoffLimitExceeded", "DeadlineExceeded"}:
            found[key].ended, found[key].outcome = int(time), str(event["reason"])
    for event in told:
        if event["kind"] == "CronJob":
            _told_by_cron_job(event, found, objects)
    return sorted(found.values(), key=lambda run: run.created)


def _told_by_cron_job(
    event: dict[str, Any], found: dict[tuple[str | None, str], RememberedRun], objects: Objects
) -> None:
    """What the CronJob's controller says of a run; the events of the run itself may be gone or never written."""
    message, time = str(event["message"]).removeprefix(_AGGREGATED), event["last_at"] or event["first_at"]
    for pattern, manual in ((_CREATED, False), (_UNEXPECTED, True), (_COMPLETED, False), (_DELETED, False)):
        match = pattern.match(message)
        key = (event["namespace"], match[1]) if match else None
        if match is None or key is None or time is None or objects.get("Job", *key) is not None:
            continue
        if key not in found and pattern is _CREATED:
            found[key] = RememberedRun(namespace=key[0], job=key[1], created=int(time))
        run = found.get(key)
        if run is None:
            continue
        run.cron_job, run.manual = str(event["name"]), manual or run.manual
        if pattern in (_COMPLETED, _DELETED) and run.ended is None:
            run.ended, run.outcome = int(time), match[2] if pattern is _COMPLETED else "deleted"


def remembered_run_changes(objects: Objects, events: pd.DataFrame) -> list[Change]:
    """One change for each Job that only events remember."""
    return [
        Change(
            time=run.created,
            kind="Job",
            namespace=run.namespace,
            name=run.job,
            what="manual_job" if run.manual else "job",
            new=run.outcome or "running",
            automated=False if run.manual else True if run.cron_job else None,
            evidence=[
                "events: it was created" + (f" for CronJob {run.cron_job}" if run.cron_job else ""),
                *(["event UnexpectedJob: the CronJob's controller did not create it"] if run.manual else []),
                "the Job itself is deleted",
            ],
            observed=True,
        )
        for run in remembered_runs(objects, events)
    ]


def run_changes(objects: Objects) -> list[Change]:
    """One change for each Job that was created."""
    return [_run(job) for job in objects.of("Job")]


def is_manual(job: Document) -> bool:
    """Whether somebody made the Job from a CronJob by hand."""
    return annotation(job, INSTANTIATE) == "manual"


def cron_job_of(job: Document) -> str | None:
    """Name of the CronJob that the Job belongs to, by its owner."""
    owner = controller(job, "CronJob")
    return str(owner["name"]) if owner and owner.get("name") else None


def creator(document: Document) -> str | None:
    """The field manager that created an object: the one that owns its labels or specification first."""
    made = created_at(document)
    for write in writes_of(document):
        if write.subresource is None and (write.time is None or made is None or write.time <= made + 10**9):
            return write.manager
    return None


def outcome(job: Document) -> str:
    """How a Job ended: complete, failed with its reason, or running."""
    for condition in listing(job, "status", "conditions"):
        if condition.get("status") == "True" and condition.get("type") in {"Complete", "Failed"}:
            reason = condition.get("reason")
            return str(condition["type"]).lower() + (f" ({reason})" if condition["type"] == "Failed" and reason else "")
    return "running" if field(job, "status", "active") else "not started"


def _run(job: Document) -> Change:
    owner, made = cron_job_of(job), created_at(job)
    manager = creator(job)
    if annotation(job, HOOK):
        what, automated = "hook_job", None
    elif is_manual(job):
        what, automated = "manual_job", False
    elif owner:
        what, automated = "job", True
    else:
        what, automated = "job", None
    finished = instant(job, "status", "completionTime")
    evidence = [f"Job {name_of(job)} created" + (f" for CronJob {owner}" if owner else "")]
    if what == "manual_job":
        evidence.append(f"annotation {INSTANTIATE}: manual")
    scheduled = annotation(job, SCHEDULED)
    if scheduled:
        evidence.append(f"scheduled for {scheduled}")
    if finished is not None:
        evidence.append(f"completed at {(format_ns(finished) or '')[:19]}Z")
    return Change(
        time=made,
        kind="Job",
        namespace=namespace_of(job),
        name=name_of(job),
        what=what,
        new=f"{outcome(job)}, image {image_list(mapping(job, 'spec', 'template'))}",
        manager=manager,
        automated=automated,
        evidence=evidence,
    )
