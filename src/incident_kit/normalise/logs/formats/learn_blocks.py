"""Whether a container's entries are blocks of unindented lines that no grammar tells.

Two things must agree before lines are joined: nearly all lines that are written at once begin alike, and documents have
messages that stand inside of these lines but hardly any that are one of them.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa

from incident_kit.normalise.logs.formats.blocks import Blocks, beginning
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.learn import Split, split_lines
from incident_kit.normalise.logs.grammar import SAME_WRITE_NS
from incident_kit.normalise.logs.lines import Lines
from incident_kit.normalise.logs.normal_form import normal_form, normal_forms

_LOOKED_AT = 3_000
_LEAST_BLOCKS = 10
#: Share of the lines written at once that begin alike, and of the blocks that hold some document's message.
_ALIKE, _KNOWN = 0.9, 0.3
#: Share of the inner lines that may be a document's whole message.
_ENTRIES_BY_THEMSELVES = 0.05


def learn_blocks(lines: Lines, known: KnownMessages) -> Blocks | None:
    """The blocks that a container writes; None where it writes lines.

    Args:
        lines: of one instance, in time order.
        known: messages of the pod's documents.
    """
    size = min(len(lines), _LOOKED_AT)
    if not known or size < 2 * _LEAST_BLOCKS or len(np.unique(lines.stream[:size])) > 1:
        return None
    apart = np.flatnonzero(np.diff(lines.time[:size]) > SAME_WRITE_NS) + 1
    if 3 * len(apart) > 2 * size:
        return None
    runs = [run for run in np.split(np.array(lines.text.slice(0, size).to_pylist(), object), apart) if len(run)]
    first, count = Counter(beginning(run[0]) for run in runs).most_common(1)[0]
    if not first or count < max(_LEAST_BLOCKS, _ALIKE * len(runs)):
        return None
    inner = [[line for line in run if not line.startswith(first)] for run in runs if run[0].startswith(first)]
    inner = [some for some in inner if some]
    if len(inner) < max(_LEAST_BLOCKS, _ALIKE * len(runs)):
        return None
    flat = [line for some in inner for line in some]
    if known.has(normal_forms(pa.array(flat, pa.large_string()))).sum() > _ENTRIES_BY_THEMSELVES * len(flat):
        return None
    places = [place for place in _places(inner, known) if place is not None]
    if len(places) < _KNOWN * len(inner):
        return None
    place, often = Counter(places).most_common(1)[0]
    before, behind = place if often >= _ALIKE * len(places) else ("", "")
    return Blocks(first, frozenset(map(beginning, flat)), before, behind)


def _places(inner: list[list[str]], known: KnownMessages) -> list[tuple[str, str] | None]:
    """For each block what stands around a document's message on the line that holds it."""
    splits = iter(split_lines([line for some in inner for line in some], known))
    found: list[tuple[str, str] | None] = []
    for some in inner:
        told = [
            (line, split) for line, split in zip(some, [next(splits) for _ in some], strict=True) if split is not None
        ]
        found.append(next((place for line, split in told if (place := _around(line, split)) is not None), None))
    return found


def _around(line: str, split: Split) -> tuple[str, str] | None:
    rest = line[len(split.prefix) :]
    if not split.prefix.strip():
        return None
    if split.whole:
        return split.prefix, ""
    ends = (end for end in range(len(rest), 0, -1) if normal_form(rest[:end]) == split.message)
    end = next(ends, None)
    return None if end is None else (split.prefix, rest[end:])
