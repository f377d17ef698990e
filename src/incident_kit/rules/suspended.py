"""suspended: a CronJob that starts nothing because somebody suspended it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.cron_jobs.runs import suspended, suspended_since
from incident_kit.correlate.cron_jobs.schedules import ScheduleError, expected_runs
from incident_kit.correlate.objects import created_at, name_of, namespace_of, read_objects
from incident_kit.counting import plural
from incident_kit.nested import field
from incident_kit.rules.rule import Outcome, Rule, at, not_captured
from incident_kit.tables.kubernetes import OBJECTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    if "CronJob" not in objects.kinds:
        return not_captured(evidence, "cronjobs")
    found: list[Outcome] = []
    for cron_job in objects.of("CronJob"):
        if not suspended(cron_job):
            continue
        since, manager = suspended_since(cron_job)
        begin = max(evidence.window.start - SECOND, since or evidence.window.start - SECOND)
        try:
            left_out = expected_runs(cron_job, begin, evidence.window.end - 1)
        except ScheduleError:
            left_out = []
        name = name_of(cron_job)
        effect = (
            f"{plural(len(left_out), 'run')} of the window did not start"
            if left_out
            else "no run of the window was due"
        )
        found.append(
            RULE.finding(
                f"CronJob {name} is suspended: {effect}",
                time=since if since is not None else created_at(cron_job),
                kind="CronJob",
                namespace=namespace_of(cron_job),
                name=name,
                evidence=[
                    "spec.suspend: true",
                    *([f"{manager} wrote suspend, its last write at {at(since)}"] if manager else []),
                    *(f"due at {at(time)}" for time in left_out[:10]),
                    f"schedule {field(cron_job, 'spec', 'schedule')}",
                ],
                severity="warning" if left_out else None,
                next_step="Ask whether it is meant to stay suspended.",
            )
        )
    return found


RULE = Rule(
    name="suspended",
    question="Which CronJobs are suspended?",
    severity="info",
    needs=(OBJECTS,),
    refuted_by="Nothing: the object says so.",
    judge=_judge,
)
