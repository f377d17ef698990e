"""Consoles collected without the kubelet's times (kubectl logs without --timestamps): each line's own time in its place.

The kit's console tables need a time for every line. Where nobody kept the kubelet's, the time that the application
wrote into the line is nearest to it; a line without any belongs to the time of the line before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.times import console_time, time_value
from incident_kit.normalise.raw import NOT_A_LOG
from incident_kit.window import SECOND

#: As the kubelet writes it in front of a line.
KUBELET_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)(?= |$)")
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_OWN = re.compile(
    rf"(?:\d{{4}}[-/.]\d\d[-/.]\d\d[T ]|\d{{1,2}}[/ -][A-Z][a-z]{{2}}[/ -]\d{{4}}[: ]|^[IWEFD]\d{{4}} )?(?<!\d)"
    rf"{_CLOCK} ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)?"
)
_DATED = re.compile(r"^(?:\d{4}[-/.]|\d{1,2}[/ -][A-Z]|[IWEFD]\d{4} )")
_ZONED = re.compile(r"(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$")
#: An own time stands near a line's beginning; what stands further behind is what the line tells of.
_BEGINNING = 100
_HALF_DAY = 43_200 * SECOND


@dataclass(slots=True)
class OwnTimes:
    """Times of consecutive lines of one console.

    Attributes:
        near: a time of the same day (ns), for clocks without a date.
        offset_seconds: zone of times that state none.
        last: time of the last line that had one (ns).
        without_zone: whether a time was taken as of that zone.
        zone_is_known: whether somebody told that zone, or documents show it.
        within: characters from a line's beginning in which it may stand.
    """

    near: int
    offset_seconds: int = 0
    last: int | None = None
    without_zone: bool = False
    within: int = _BEGINNING
    zone_is_known: bool = False

    def of(self, line: str) -> int | None:
        """The line's own time, else that of the last line that had one; None as long as there is none."""
        found = self._json(line) if line[:1] == "{" else self._text(line)
        if found is not None:
            self.last = found
        return self.last

    def _text(self, line: str) -> int | None:
        own = _OWN.search(line, 0, self.within)
        if own is None:
            return None
        said = own[0].strip()
        near = self.last if self.last is not None else self.near
        found = console_time(said.replace(":", " ", 1) if said[2:3] == "/" else said, near, self.offset_seconds)
        if found is not None and not _ZONED.search(said):
            self.without_zone = True
            if not _DATED.match(said) and self.last is not None and found < self.last - _HALF_DAY:
                found += 2 * _HALF_DAY  # past midnight
        return found

    def _json(self, line: str) -> int | None:
        try:
            document: Any = orjson.loads(line)
        except orjson.JSONDecodeError:
            return self._text(line)
        return time_value(_ROLES.value(document, "time")) if isinstance(document, dict) else None


_ROLES = FieldRoles()


def lacks_kubelet_times(lines: list[str], near: int) -> bool:
    """Whether lines carry times of their own and, but for a few, none of the kubelet's.

    A kubelet stamps every line. What begins with a time on most lines only, as a log with traces does, has its own.
    """
    lines = [line for line in lines if not NOT_A_LOG.match(line)]
    stamped = sum(1 for line in lines if KUBELET_TIME.match(line))
    if not lines or stamped > 0.9 * len(lines):
        return False
    times = OwnTimes(near)
    timed = 0
    for line in lines:
        times.last = None
        timed += times.of(line) is not None
    return timed > len(lines) // 20
