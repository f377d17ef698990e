"""The zone of a console's own times that state none: that which puts its lines beside the documents with their messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from incident_kit.importing.own_times import OwnTimes
from incident_kit.window import SECOND

_QUARTER = 900
#: A message shorter than this may stand in any line.
_TELLING = 12
#: Lines that must agree, and their share of all that found a document.
_ENOUGH, _AGREED = 3, 0.8


def learnt_offset(lines: Sequence[str], told: Sequence[tuple[int, str]], near: int) -> int | None:
    """Seconds east of UTC, in quarters of an hour; None where too few lines have a document, or they contradict each other.

    Args:
        lines: lines of a console, with or without a name in front.
        told: times (ns) and messages of documents.
        near: a time of the same day (ns), for clocks without a date.
    """
    times = OwnTimes(near, within=1_000)
    found: Counter[int] = Counter()
    messages = [(time, text) for time, text in told if len(text) >= _TELLING]
    for line in lines:
        times.last, times.without_zone = None, False
        own = times.of(line)
        if own is None or not times.without_zone:
            continue
        shifts = {round((own - time) / SECOND / _QUARTER) * _QUARTER for time, text in messages if text in line}
        if len(shifts) == 1:
            found.update(shifts)
    if not found:
        return None
    offset, votes = found.most_common(1)[0]
    return offset if votes >= _ENOUGH and votes >= _AGREED * found.total() else None
