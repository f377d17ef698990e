"""Records of a broker's log: text and JSON formatter, 3.7 to 4.x, out of files, consoles and documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from incident_kit.normalise.rabbitmq.endpoints import END
from incident_kit.window import SECOND, parse_rfc3339

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# 3.9 and later write an offset, 3.7 and 3.8 (lager) write the broker's local time without one.
_TEXT = re.compile(
    r"^(?P<day>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?P<zone>Z|[+-]\d\d:?\d\d)?\s+"
    r"\[(?P<level>\w+)\]\s(?:(?P<pid><[\d.]+>) ?)?(?P<message>.*)$"
)
_STAMPED = re.compile(r"^(?P<stamp>\d{4}-\d\d-\d\dT\S+)\s(?:(?:stdout|stderr) [FP] )?(?P<rest>.*)$")
_ACCEPTED = re.compile(rf"^accepting \S+ connection (?:<[\d.]+> )?\(?({END} -> {END})")
_QUARTER = 15 * 60 * SECOND
#: The API's time of an opening and the log's are of one clock, but not of one moment.
_SKEW = 2 * SECOND
#: Lines of a reason; an Erlang crash report goes on for hundreds.
_LONGEST_REASON = 20


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a broker's log.

    Attributes:
        time: as logged (ns); without zone as if it were UTC until `with_zone` corrected it.
        pid: Erlang process, None where the formatter leaves it out.
        message: all its lines.
        zoned: whether the log said its zone.
        stamp: the kubelet's time where the line came from a console.
        fine: whether the time is written to the microsecond, so that no process writes two records in one.
    """

    time: int
    pid: str | None
    message: str
    zoned: bool = True
    stamp: int | None = None
    fine: bool = False


def read_records(lines: Iterable[str]) -> Iterator[Record]:
    """Records of lines in their order; lines that continue a record are joined to it.

    The text formatter writes time and process before each line of a record, so lines of one microsecond and process are
    one record; where times are coarser, only after a message that ends in a colon. Before 3.9
    a reason stands there as bare lines, and a start's banner as bare lines after an empty message; where bare lines
    continue a record, the next line with a time is a record of its own.
    """
    pending: Record | None = None
    bare_lines = False
    for line in lines:
        record = read_record(line)
        if record is None:
            may_go_on = pending is not None and (_has_more(pending) or not pending.message.strip())
            if pending is not None and may_go_on and (bare := _unstamped(line).strip()):
                pending = replace(pending, message=f"{pending.message}\n{bare}")
                bare_lines = True
            continue
        if pending is not None:
            same = record.time == pending.time and record.pid == pending.pid and not bare_lines
            if same and (_has_more(pending) or (record.fine and "\n" not in pending.message)):
                pending = replace(pending, message=f"{pending.message}\n{record.message}")
                continue
            yield pending
        pending, bare_lines = record, False
    if pending is not None:
        yield pending


def _has_more(record: Record) -> bool:
    """Whether what follows may belong to the record: it announced a reason, which is no longer than a few lines."""
    return record.message.rstrip().endswith(":") or 0 < record.message.count("\n") < _LONGEST_REASON


def _unstamped(line: str) -> str:
    """A line without colours and without the kubelet's stamp."""
    text = _ANSI.sub("", line.rstrip("\r\n"))
    stamped = _STAMPED.match(text)
    return stamped["rest"] if stamped and parse_rfc3339(stamped["stamp"]) is not None else text


def read_record(line: str) -> Record | None:
    """The record of one line, with or without the kubelet's stamp before it; None when it is none."""
    text = _ANSI.sub("", line.rstrip("\r\n"))
    stamp = None
    stamped = _STAMPED.match(text)
    if stamped and (stamp := parse_rfc3339(stamped["stamp"])) is not None and stamped["rest"]:
        record = _bare(stamped["rest"])
        if record is not None:
            return replace(record, stamp=stamp)
    return _bare(text)


def _bare(text: str) -> Record | None:
    if text.startswith("{"):
        return _json(text)
    match = _TEXT.match(text)
    if match is None:
        return None
    zone = match["zone"]
    moment = parse_rfc3339(f"{match['day']}T{match['time'].replace(',', '.')}{zone or 'Z'}")
    if moment is None:
        return None
    fine = match["pid"] is not None and len(match["time"]) >= len("00:00:00.000000")
    return Record(moment, match["pid"], match["message"], zone is not None, fine=fine)


def _json(text: str) -> Record | None:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return record_of_fields(document) if isinstance(document, dict) and isinstance(document.get("msg"), str) else None


def record_of_fields(document: dict[str, Any]) -> Record | None:
    """The record of one object that the JSON formatter wrote; None where its time is none."""
    time = document.get("time")
    pid = document.get("pid")
    moment: int | None = None
    zoned = True
    if isinstance(time, str):
        moment = parse_rfc3339(time)
        if moment is None:
            moment, zoned = parse_rfc3339(f"{time}Z"), False
    elif isinstance(time, int | float) and not isinstance(time, bool):
        moment = _epoch(time)
    if moment is None:
        return None
    return Record(moment, pid if isinstance(pid, str) else None, document["msg"], zoned)


def _epoch(value: float) -> int:
    # log.file.formatter.time_format: epoch_secs (with fraction) or epoch_usecs.
    return int(value) * 1000 if value > 1e14 else int(value * SECOND)


def with_zone(records: list[Record], opened: Mapping[str, int]) -> tuple[list[Record], bool]:
    """Records without zone shifted to UTC, by the kubelet's stamps or by connections whose opening is known in UTC.

    Args:
        records: of one log.
        opened: when the management API says that a connection was opened (ns), by its name.

    Returns:
        The records, and whether every time is now known to be UTC.
    """
    if all(record.zoned for record in records):
        return records, True
    shifts = [record.stamp - record.time for record in records if record.stamp is not None and not record.zoned]
    if not shifts:
        logged = ((_ACCEPTED.match(record.message), record) for record in records if not record.zoned)
        told = [opened[name[1]] - record.time for name, record in logged if name and name[1] in opened]
        # A port is used again by later connections: what a zone cannot explain tells of another one.
        shifts = [shift for shift in told if abs(shift - round(shift / _QUARTER) * _QUARTER) <= _SKEW]
    if not shifts:
        return records, False
    shifts.sort()
    shift = round(shifts[len(shifts) // 2] / _QUARTER) * _QUARTER
    return [r if r.zoned else replace(r, time=r.time + shift, zoned=True) for r in records], True
