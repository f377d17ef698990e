"""Window: a half-open interval of UTC time, and the only place where users' times are parsed.

All instants are ``int`` nanoseconds since the epoch, because Python's datetime keeps only microseconds while
the kubelet writes nanoseconds.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from incident_kit.errors import UsageError

SECOND = 1_000_000_000
#: What ``datetime64[ns]`` can hold; a time outside is a gap, not an error.
MIN_NS, MAX_NS = -(2**63) + 1, 2**63 - 1

_RFC3339 = re.compile(
    r"^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?\s*([Zz]|[+-]\d\d:?\d\d)?$"
)
_RELATIVE = re.compile(r"^-(\d+(?:\.\d+)?)(s|m|h|d)$")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_rfc3339(text: str) -> int | None:
    """Nanoseconds of an RFC 3339 time with zone, or None when it is not one (or does not fit 64 bits)."""
    match = _RFC3339.match(text.strip())
    if match is None or match[8] is None:
        return None
    return _nanoseconds(match)


def _nanoseconds(match: re.Match[str]) -> int | None:
    year, month, day, hour, minute = (int(match[i]) for i in range(1, 6))
    second = int(match[6] or 0)
    fraction = int(((match[7] or "") + "000000000")[:9])
    zone = match[8]
    offset = timedelta(0)
    if zone not in ("Z", "z"):
        sign = -1 if zone[0] == "-" else 1
        digits = zone[1:].replace(":", "")
        offset = sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    leap = 1 if second == 60 else 0
    try:
        moment = datetime(year, month, day, hour, minute, second - leap, tzinfo=timezone(offset))
    except ValueError:
        return None
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    value = (delta.days * 86400 + delta.seconds + leap) * SECOND + fraction
    return value if MIN_NS <= value <= MAX_NS else None


def format_ns(value: int | None) -> str | None:
    """RFC 3339 UTC with nine digits, e.g. ``2026-11-20T08:00:00.000000000Z``; None stays None."""
    if value is None:
        return None
    seconds, fraction = divmod(int(value), SECOND)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def parse_time(text: str, now_ns: int | None = None) -> int:
    """Nanoseconds of a user's time: RFC 3339 with a zone, or relative to now such as ``-2h``.

    Raises:
        UsageError: the time has no zone or is no time.
    """
    stripped = text.strip()
    if stripped == "now":
        return now_ns if now_ns is not None else time.time_ns()
    relative = _RELATIVE.match(stripped)
    if relative:
        now = now_ns if now_ns is not None else time.time_ns()
        return now - int(float(relative[1]) * _UNIT_SECONDS[relative[2]] * SECOND)
    value = parse_rfc3339(stripped)
    if value is not None:
        return value
    match = _RFC3339.match(stripped)
    if match is not None and match[8] is None:
        raise UsageError(f"The time {text!r} has no zone. Write it with one, e.g. {stripped.replace(' ', 'T')}Z.")
    raise UsageError(f"{text!r} is not a time. Write RFC 3339 with a zone (2026-11-20T08:00:00Z) or -2h, -30m.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A half-open interval ``[start, end)`` in nanoseconds UTC."""

    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse an interval that ends before it begins."""
        if self.end <= self.start:
            raise UsageError(f"The window ends ({format_ns(self.end)}) before it begins ({format_ns(self.start)}).")

    @classmethod
    def parse(cls, start: str, end: str = "now", now_ns: int | None = None) -> Window:
        """Window from two user's times."""
        return cls(start=parse_time(start, now_ns), end=parse_time(end, now_ns))

    def __contains__(self, instant: int) -> bool:
        """Whether an instant lies inside."""
        return self.start <= instant < self.end

    def padded(self, seconds: float) -> Window:
        """The same window, wider by this many seconds on both sides."""
        pad = int(seconds * SECOND)
        return Window(start=self.start - pad, end=self.end + pad)

    def __str__(self) -> str:
        """Both ends in RFC 3339."""
        return f"{format_ns(self.start)} to {format_ns(self.end)}"
