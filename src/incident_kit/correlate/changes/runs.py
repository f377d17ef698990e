"""Job runs: scheduled, started by hand, or run as a hook of a sync."""

from __future__ import annotations

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.templates import image_list
from incident_kit.correlate.changes.writes import writes_of
from incident_kit.correlate.objects import (
    Document,
    Objects,
    annotation,
    controller,
    created_at,
    field,
    instant,
    listing,
    mapping,
    name_of,
    namespace_of,
)
from incident_kit.window import format_ns

#: Set by ``kubectl create job --from`` and by Argo CD's Create Job.
INSTANTIATE = "cronjob.kubernetes.io/instantiate"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
HOOK = "argocd.argoproj.io/hook"


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
