"""Schedules: when the CronJob controller should have started a Job.

Kubernetes parses with robfig/cron v3 (https://pkg.go.dev/github.com/robfig/cron/v3) and calculates in the CronJob's
``timeZone``, or else in the controller manager's own zone, which is UTC nearly everywhere. Where the clocks change
robfig/cron differs from Debian's cron, whose rules `cronsim` follows: a wall-clock time that is skipped does not run,
one that comes twice runs twice. So cronsim finds the wall-clock times, without a zone, and the zone is applied here.
Measured against robfig/cron v3.0.1 on 3,000 random schedules around changes of clocks in nine zones: tests/changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from incident_kit.correlate.objects import created_at
from incident_kit.nested import Document, field, instant, mapping
from incident_kit.window import SECOND

_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ZONE_PREFIX = re.compile(r"^(?:CRON_TZ|TZ)=(\S+)\s+")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|m|s)")
_UNIT = {"h": 3600 * SECOND, "m": 60 * SECOND, "s": SECOND, "ms": SECOND // 1000, "us": 1000}
#: More runs than this of one CronJob in one window are not listed.
LIMIT = 20_000
#: ``5-5/2`` is 5; cronsim reads it as ``5/2``.
_ONE_VALUE = re.compile(r"\b(\d+)-\1/\d+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ScheduleError(ValueError):
    """A schedule or time zone that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a CronJob runs.

    Attributes:
        expression: five fields, or ``@every <duration>``.
        zone: time zone of the fields.
    """

    expression: str
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, zone: str | None = None) -> Schedule:
        """A schedule as ``spec.schedule`` and ``spec.timeZone`` give it.

        Raises:
            ScheduleError: it is none, or the zone is not known.
        """
        text = text.strip()
        prefix = _ZONE_PREFIX.match(text)
        if prefix:
            zone, text = prefix[1], text[prefix.end() :]
        try:
            known = ZoneInfo(zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ScheduleError(f"time zone {zone!r} is not known") from error
        expression = text if text.startswith("@every ") else _as_debian(_DESCRIPTORS.get(text, text))
        schedule = cls(expression=expression, zone=known)
        try:
            _ = schedule.interval or CronSim(expression, datetime(2026, 1, 1))  # noqa: DTZ001 - wall-clock time without zone
        except CronSimError as error:
            raise ScheduleError(f"schedule {text!r} cannot be read: {error}") from error
        return schedule

    @property
    def interval(self) -> int | None:
        """Nanoseconds of an ``@every`` schedule, else None."""
        if not self.expression.startswith("@every "):
            return None
        total = sum(float(n) * _UNIT[unit] for n, unit in _DURATION.findall(self.expression))
        return max(int(total), SECOND)

    def between(self, start: int, end: int, anchor: int | None = None) -> Iterator[int]:
        """Scheduled instants in ``(start, end]`` (ns), oldest first, at most `LIMIT`.

        Args:
            start: exclusive.
            end: inclusive.
            anchor: the instant ``@every`` counts from: the last run, or the CronJob's creation.
        """
        found = self._every(start, end, anchor) if self.interval else self._fields(start, end)
        for number, moment in enumerate(found):
            if number >= LIMIT:
                return
            yield moment

    def _every(self, start: int, end: int, anchor: int | None) -> Iterator[int]:
        step = self.interval or SECOND
        moment = start if anchor is None else anchor
        if moment < start:
            moment += (start - moment) // step * step
        while (moment := moment + step) <= end:
            if moment > start:
                yield moment

    def _fields(self, start: int, end: int) -> Iterator[int]:
        # The same wall-clock time can come twice an hour apart, so begin early and let the instant decide.
        wall = _moment(start).astimezone(self.zone).replace(tzinfo=None) - timedelta(hours=3)
        stop = _moment(end).astimezone(self.zone).replace(tzinfo=None) + timedelta(hours=3)
        seen: list[int] = []
        for found in CronSim(self.expression, wall):
            if found > stop:
                break
            seen += [i for i in _instants(found, self.zone) if start < i <= end]
            if len(seen) > LIMIT:
                break
        yield from sorted(set(seen))


def _instants(wall: datetime, zone: ZoneInfo) -> list[int]:
    """Instants at which clocks of the zone show this time: one, none (skipped) or two."""
    found = set()
    for fold in (0, 1):
        moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
            found.add(_nanoseconds(moment))
    return sorted(found)


def _as_debian(text: str) -> str:
    """The expression as cronsim reads it with robfig/cron's meaning.

    ``?`` is ``*``. A day field is free only when it is a bare star: ``*/2`` restricts it in robfig/cron, so that day of
    month and day of week are then alternatives.
    """
    fields = text.split()
    if len(fields) != 5:
        raise ScheduleError(f"schedule {text!r} does not have five fields")
    fields = [_ONE_VALUE.sub(r"\1", f.replace("?", "*")) for f in fields]
    for position, span in ((2, "1-31"), (4, "0-6")):
        if re.fullmatch(r"\*/(?!1$)\d+", fields[position]):
            fields[position] = fields[position].replace("*", span, 1)
    fields[4] = re.sub(r"(^|,)(\d)/", r"\1\2-6/", fields[4])  # cronsim goes on to 7, Sunday again
    return " ".join(fields)


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _nanoseconds(moment: datetime) -> int:
    delta = moment - _EPOCH
    return (delta.days * 86400 + delta.seconds) * SECOND + delta.microseconds * 1000


def schedule_of(cron_job: Document) -> Schedule:
    """Schedule of a CronJob.

    Raises:
        ScheduleError: it cannot be read.
    """
    spec = mapping(cron_job, "spec")
    zone = spec.get("timeZone")
    return Schedule.parse(str(spec.get("schedule") or ""), zone if isinstance(zone, str) and zone else None)


def last_scheduled(cron_job: Document) -> int | None:
    """status.lastScheduleTime (ns): the last scheduled time for which a Job was made."""
    return instant(cron_job, "status", "lastScheduleTime")


def starting_deadline(cron_job: Document) -> int | None:
    """spec.startingDeadlineSeconds in nanoseconds."""
    seconds = field(cron_job, "spec", "startingDeadlineSeconds")
    return seconds * SECOND if isinstance(seconds, int) else None


def expected_runs(cron_job: Document, start: int, end: int) -> list[int]:
    """Scheduled instants of a CronJob in ``(start, end]`` and after its creation.

    Raises:
        ScheduleError: the schedule cannot be read.
    """
    made = created_at(cron_job)
    begin = max(start, made) if made is not None else start
    anchor = last_scheduled(cron_job) or made
    return list(schedule_of(cron_job).between(begin, end, anchor)) if begin < end else []
