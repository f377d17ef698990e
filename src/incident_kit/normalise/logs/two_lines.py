"""Entries whose message stands on the second line, which is joined to the first before anything is grouped.

java.util.logging's usual form has time and method, then level and message; OTP's has level and time, then the message.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers, put
from incident_kit.normalise.logs.console import InstanceLines
from incident_kit.normalise.logs.formats.patterns import TIME, TRANSLATED_TIME
from incident_kit.normalise.logs.grammar import SAME_WRITE_NS
from incident_kit.normalise.logs.lines import Lines
from incident_kit.normalise.logs.text_bytes import NO_DIGIT, fitted, holds

#: What the first line is, and the second: whole lines or their beginnings.
_JUL = (
    rf"^(?:{TIME}|{TRANSLATED_TIME}) [\w.$\-]+(?: [\w.$<>]+)?$",
    r"^(?:\p{Lu}{4,}|\p{Lo}{2,}): ",
)
_OTP = (r"^=[A-Z]{4,} REPORT==== \S+(?: UTC)? ===$", r"^[^=\s]")


def join_two_lines(instance: InstanceLines) -> InstanceLines:
    """The instance with each such pair as one line of text, where it writes so."""
    lines = instance.lines
    if len(lines) < 2:
        return instance
    begins = _begins(lines)
    if not len(begins):
        return instance
    joined = pc.binary_join_element_wise(
        lines.text.take(pa.array(begins)), lines.text.take(pa.array(begins + 1)), pa.scalar("\n", lines.text.type)
    )
    text = put(lines.text, begins, joined)
    keep = np.ones(len(lines), dtype=bool)
    keep[begins + 1] = False
    kept = Lines(lines.time[keep], lines.stream[keep], text.filter(pa.array(keep)), lines.unstamped)
    return InstanceLines(instance.restart_count, kept, instance.parts[keep])


def _begins(lines: Lines) -> Integers:
    """First lines of such pairs."""
    if holds(lines.text, b" REPORT==== "):
        first, second = (np.asarray(pc.match_substring_regex(lines.text, expression)) for expression in _OTP)
    else:
        second = fitted(lines.text, _JUL[1], NO_DIGIT)
        if not second.any():
            return np.zeros(0, np.int64)
        first = np.asarray(pc.match_substring_regex(lines.text, _JUL[0]))
    near = np.diff(lines.time) <= SAME_WRITE_NS
    return np.flatnonzero(first[:-1] & second[1:] & near & (lines.stream[1:] == lines.stream[:-1]))
