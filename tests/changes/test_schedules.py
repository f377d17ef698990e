"""Schedules as robfig/cron v3, which Kubernetes uses, computes them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from incident_kit.correlate.cron_jobs.schedules import Schedule, ScheduleError
from incident_kit.window import SECOND, parse_rfc3339

RECORDED = Path(__file__).parents[1] / "recordings" / "cron" / "robfig-v3.0.1.tsv"


def times(schedule: str, zone: str | None, start: str, end: str) -> list[int]:
    first, last = parse_rfc3339(start), parse_rfc3339(end)
    assert first is not None
    assert last is not None
    return [t // SECOND for t in Schedule.parse(schedule, zone).between(first, last)]


def test_every_recorded_schedule_runs_when_kubernetes_library_says() -> None:
    cases = [line.split("\t") for line in RECORDED.read_text().splitlines() if not line.startswith("#")]
    differing = [case[:4] for case in cases if times(*case[:4]) != [int(t) for t in case[4].split(",") if t]]
    assert len(cases) == 400
    assert differing == []


def test_a_time_that_the_clocks_skip_does_not_run_and_one_that_comes_twice_runs_twice() -> None:
    assert times("30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", "2026-03-08T23:00:00Z") == []
    twice = times("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", "2026-11-01T23:00:00Z")
    assert [b - a for a, b in pairwise(twice)] == [3600]


def test_descriptors_prefixes_and_question_marks_are_read() -> None:
    day = ("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z")
    assert times("@hourly", None, *day) == times("0 * * * *", None, *day)
    assert times("TZ=Europe/Madrid 0 9 * * ?", None, *day) == times("0 9 * * *", "Europe/Madrid", *day)


def test_every_counts_from_its_anchor() -> None:
    start, end = parse_rfc3339("2026-11-23T10:00:00Z") or 0, parse_rfc3339("2026-11-23T11:00:00Z") or 0
    anchor = start - 10 * 60 * SECOND
    found = list(Schedule.parse("@every 25m").between(start, end, anchor))
    assert [(t - start) // (60 * SECOND) for t in found] == [15, 40]


@pytest.mark.parametrize(
    ("text", "zone"), [("whenever", None), ("* * * *", None), ("0 0 * * *", "Mars/Olympus"), ("99 * * * *", None)]
)
def test_what_is_no_schedule_is_refused(text: str, zone: str | None) -> None:
    with pytest.raises(ScheduleError):
        Schedule.parse(text, zone)
