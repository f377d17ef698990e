"""missed-run: a scheduled time of a CronJob for which no Job was made.

What the controller does (pkg/controller/cronjob): lastScheduleTime moves on only when a Job is made; a time is given up
when startingDeadlineSeconds has passed (event MissSchedule), or stands back while an earlier run is active and
concurrencyPolicy is Forbid (event JobAlreadyActive). History limits delete Jobs, so a missing Job alone proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.cron_jobs.runs import Run, known_since, runs_of, suspended
from incident_kit.correlate.cron_jobs.schedules import ScheduleError, expected_runs, last_scheduled, starting_deadline
from incident_kit.correlate.frames import rows
from incident_kit.correlate.objects import name_of, namespace_of, read_objects
from incident_kit.nested import Document, field
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at, not_captured
from incident_kit.tables import Row
from incident_kit.tables.kubernetes import EVENTS, OBJECTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: The controller makes a Job within some seconds of its time.
_GRACE = 60 * SECOND
_TELLING = frozenset({"MissSchedule", "JobAlreadyActive", "TooManyMissedTimes", "FailedCreate", "InvalidSchedule"})


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    if "CronJob" not in objects.kinds:
        return not_captured(evidence, "cronjobs")
    events = [e for e in rows(evidence.table(EVENTS)) if e["kind"] == "CronJob" and e["reason"] in _TELLING]
    seen_at = min(evidence.captured_at or evidence.window.end, evidence.window.end)
    outcomes: list[Outcome] = []
    for cron_job in objects.of("CronJob"):
        about = f"CronJob {name_of(cron_job)}"
        mine = [e for e in events if (e["namespace"], e["name"]) == (namespace_of(cron_job), name_of(cron_job))]
        if suspended(cron_job):
            continue  # its own finding
        try:
            start = max(evidence.window.start, known_since(cron_job) or evidence.window.start)
            expected = expected_runs(cron_job, start - SECOND, seen_at - _grace(cron_job))
        except ScheduleError as error:
            outcomes.append(DidNotApply(because=str(error), about=about))
            continue
        finding = _finding(cron_job, _missed(cron_job, expected, runs_of(cron_job, evidence)), mine)
        outcomes += [finding] if finding else []
    return outcomes


def _grace(cron_job: Document) -> int:
    """How long after its time a run may still start without being missed."""
    deadline = starting_deadline(cron_job)
    return max(_GRACE, deadline) if deadline is not None else _GRACE


def _missed(cron_job: Document, expected: list[int], runs: list[Run]) -> list[tuple[int, str, float]]:
    """Scheduled times without a Job: the time, why it is known, and how surely."""
    done = {run.scheduled for run in runs if run.scheduled is not None}
    last = last_scheduled(cron_job)
    oldest = min(done, default=None)
    found = []
    for time in expected:
        if time in done:
            continue
        if last is None or time > last:
            found.append((time, f"lastScheduleTime is {at(last) if last else 'empty'}", 0.95))
        elif oldest is not None and oldest < time:
            # History limits delete the oldest first, and an older Job is still there.
            found.append((time, "Jobs of earlier and later times are there, its own is not", 0.75))
    return found


def _finding(cron_job: Document, missed: list[tuple[int, str, float]], events: list[Row]) -> Finding | None:
    told = [e for e in events if e["reason"] == "MissSchedule"]
    if not missed and not told:
        return None
    name = name_of(cron_job)
    times = ", ".join(at(time) for time, _, _ in missed[:3]) + (" ..." if len(missed) > 3 else "")
    evidence = [f"scheduled for {at(time)}: {why}" for time, why, _ in missed[:10]]
    evidence += [f"event {e['reason']}: {e['message']}" for e in events]
    spec = f"schedule {field(cron_job, 'spec', 'schedule')}"
    zone, policy = field(cron_job, "spec", "timeZone"), field(cron_job, "spec", "concurrencyPolicy")
    evidence.append(f"{spec}{f' in {zone}' if zone else ''}, concurrencyPolicy {policy or 'Allow'}")
    return RULE.finding(
        f"CronJob {name} did not run at {times}" if missed else f"CronJob {name} missed a scheduled time",
        time=missed[0][0] if missed else told[0]["last_at"],
        kind="CronJob",
        namespace=namespace_of(cron_job),
        name=name,
        evidence=evidence,
        confidence=0.98 if told else max(c for _, _, c in missed),
        next_step="Look whether an earlier run still held it back, whether the controller was away, and whether the work "
        "has to be made up for.",
    )


RULE = Rule(
    name="missed-run",
    question="Which scheduled times of CronJobs had no Job?",
    severity="warning",
    needs=(OBJECTS,),
    refuted_by="A Job of that time that was deleted by hand, or a controller manager whose own zone is not UTC (for a "
    "CronJob without timeZone).",
    judge=_judge,
)
