"""Times of documents and of console texts, as int nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from incident_kit.window import MAX_NS, MIN_NS, SECOND, parse_rfc3339


def time_values(values: list[Any]) -> list[int | None]:
    """`time_value` of many: RFC 3339 texts in UTC are read all at once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array([value if isinstance(value, str) else None for value in values], pa.string())
    plain = pc.match_substring_regex(texts, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$")
    usual = pc.if_else(pc.fill_null(plain, False), texts, pa.scalar(None, pa.string()))
    try:
        found: list[int | None] = usual.cast(pa.timestamp("ns", "UTC")).cast(pa.int64()).to_pylist()
    except pa.ArrowInvalid:  # a leap second, a year that does not fit
        found = [None] * len(values)
    for row, (value, instant) in enumerate(zip(values, found, strict=True)):
        if instant is None and value is not None:
            found[row] = time_value(value)
    return found


#: As Kibana shows times, in the reader's zone: ``Nov 20, 2026 @ 08:01:36.977``.
_KIBANA = re.compile(r"^([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) @ (\d\d:\d\d:\d\d(?:\.\d{1,9})?)$")
_NO_ZONE = re.compile(r"^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?$")


def time_value(value: Any) -> int | None:
    """Nanoseconds of a document's time: RFC 3339, a date without zone (taken as UTC), or an epoch in s, ms, us or ns."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return epoch(value)
    if isinstance(value, dict):  # log4j2's instant
        seconds = value.get("epochSecond")
        return seconds * SECOND + int(value.get("nanoOfSecond", 0)) if isinstance(seconds, int) else None
    text = str(value).strip()
    found = parse_rfc3339(text.replace(",", ".").replace(" UTC", "Z").replace("/", "-"))
    if found is not None:
        return found
    if _NO_ZONE.match(text):
        return parse_rfc3339(text.replace(",", ".").replace("/", "-") + "Z")
    shown = _KIBANA.match(text)
    if shown and shown[1].lower() in _MONTHS:
        return parse_rfc3339(f"{shown[3]}-{_MONTHS[shown[1].lower()]:02d}-{int(shown[2]):02d}T{shown[4]}Z")
    try:
        return epoch(float(text)) if "." in text else epoch(int(text))
    except ValueError:
        return None


def epoch(value: float) -> int | None:
    """Nanoseconds of an epoch in seconds, milli-, micro- or nanoseconds, told apart by magnitude."""
    size = abs(value)
    if size < 1e8:
        return None
    scale = SECOND if size < 1e11 else 1_000_000 if size < 1e14 else 1_000 if size < 1e17 else 1
    found = value * scale if isinstance(value, int) else _exact(value, scale)
    return found if MIN_NS <= found <= MAX_NS else None


def _exact(value: float, scale: int) -> int:
    # A float of seconds holds microseconds only; its shortest decimal form says which.
    whole, _, fraction = repr(value).partition(".")
    if "e" in fraction or "e" in whole:
        return int(value * scale)
    digits = (fraction + "000000000")[: len(str(scale)) - 1] if scale > 1 else ""
    sign = -1 if whole.startswith("-") else 1
    return int(whole) * scale + sign * (int(digits) if digits else 0)


_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?")
_DATE = re.compile(r"(\d{4})[-/.](\d\d)[-/.](\d\d)")
_DAY_MONTH = re.compile(r"(\d{1,2})[-/ ]([A-Za-z]{3})[a-z]*[-/ ](\d{4})")
_KLOG = re.compile(r"^[IWEFD]?(\d\d)(\d\d) (\d\d:\d\d:\d\d)")
_ZONE = re.compile(r"(?:\d)\s?(Z|UTC|GMT|[+-]\d\d:?\d\d)")


_QUARTER = 900 * SECOND


def console_time(text: str, kubelet: int, offset_seconds: int | None = None) -> int | None:
    """The application's own time in a console text, resolved against the kubelet's where date or zone is missing.

    Without a zone the offset (profile) is used, else the whole quarter of an hour that brings it nearest to the
    kubelet's time.
    """
    clock = _CLOCK.search(text)
    if clock is None:
        return None
    base = datetime.fromtimestamp(kubelet // SECOND, UTC)
    date = _DATE.search(text)
    named = None if date else _DAY_MONTH.search(text)
    short = None if date or named else _KLOG.match(text)
    try:
        if date:
            day = datetime(int(date[1]), int(date[2]), int(date[3]), tzinfo=UTC)
        elif named and named[2].lower() in _MONTHS:
            day = datetime(int(named[3]), _MONTHS[named[2].lower()], int(named[1]), tzinfo=UTC)
        elif short:
            day = datetime(base.year, int(short[1]), int(short[2]), tzinfo=UTC)
        else:
            day = datetime(base.year, base.month, base.day, tzinfo=UTC)
        moment = day + timedelta(hours=int(clock[1]), minutes=int(clock[2]), seconds=int(clock[3]))
    except (ValueError, OverflowError):
        return None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    local = (since.days * 86400 + since.seconds) * SECOND + int(((clock[4] or "") + "000000000")[:9])
    zone = _ZONE.search(text, clock.end() - 1)
    if zone and zone.start() <= clock.end() + 1:
        if zone[1] in ("Z", "UTC", "GMT"):
            return local
        digits = zone[1][1:].replace(":", "")
        seconds = (int(digits[:2]) * 60 + int(digits[2:])) * 60
        return local - (seconds if zone[1][0] == "+" else -seconds) * SECOND
    if offset_seconds is not None:
        return local - offset_seconds * SECOND
    return local - round((local - kubelet) / _QUARTER) * _QUARTER
