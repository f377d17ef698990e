"""java.util.logging's usual form: time and method on one line, level and message on the next. Both are joined before anything is grouped."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import put
from incident_kit.normalise.logs.console import InstanceLines
from incident_kit.normalise.logs.formats.patterns import TIME, TRANSLATED_TIME
from incident_kit.normalise.logs.grammar import SAME_WRITE_NS
from incident_kit.normalise.logs.lines import Lines
from incident_kit.normalise.logs.text_bytes import NO_DIGIT, fitted

_FIRST = rf"^(?:{TIME}|{TRANSLATED_TIME}) [\w.$\-]+(?: [\w.$<>]+)?$"
_SECOND = r"^(?:\p{Lu}{4,}|\p{Lo}{2,}): "


def join_two_lines(instance: InstanceLines) -> InstanceLines:
    """The instance with each such pair as one line of text, where it writes so."""
    lines = instance.lines
    if len(lines) < 2:
        return instance
    second = fitted(lines.text, _SECOND, NO_DIGIT)
    if not second.any():
        return instance
    first = np.asarray(pc.match_substring_regex(lines.text, _FIRST))
    near = np.diff(lines.time) <= SAME_WRITE_NS
    begins = np.flatnonzero(first[:-1] & second[1:] & near & (lines.stream[1:] == lines.stream[:-1]))
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
