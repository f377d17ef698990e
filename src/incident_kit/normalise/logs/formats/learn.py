"""An unknown prefix, learnt: the message is the part of the line that some document's message equals.

For each line of a sample, every place where the message could begin is tried against the documents' messages. The
prefixes found are generalised to shapes (what stays between punctuation becomes a slot); the slot whose words agree
with the documents' levels is the level.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.layout import Alternative
from incident_kit.normalise.logs.formats.level_place import LevelPlace, level_place, part_expression
from incident_kit.normalise.logs.formats.shapes import SLOT, shape_of, slots_of
from incident_kit.normalise.logs.normal_form import normal_forms

_MAX_PREFIX = 240
_MAX_STARTS = 60
_SHAPES = 12
#: Lines that are split at once; each is tried from every place where its message could begin.
_AT_ONCE = 200
_START = re.compile(r"(?<=[\s\]|:<>)}=\"'-])(?=\S)|(?<=[/,;#*~\[])(?=[^\s\d])")
#: Kinds of words that a slot may be limited to, narrowest first.
_KINDS = (r"\d", r"[\d:.,/TZ+\-]", r"[^\w\s]")


@dataclass(slots=True)
class Split:
    """One line split by a document: its prefix, the message that was found, and what follows it."""

    prefix: str
    message: str
    level: str | None
    whole: bool


def split_lines(lines: Sequence[str], known: KnownMessages) -> list[Split | None]:
    """The split of each line: at the first place behind which stands a known message, else at the first behind which one begins."""
    return [
        split
        for begin in range(0, len(lines), _AT_ONCE)
        for split in _split_some(lines[begin : begin + _AT_ONCE], known)
    ]


def _split_some(lines: Sequence[str], known: KnownMessages) -> list[Split | None]:
    starts = [[0, *[m.start() for m in _START.finditer(line[:_MAX_PREFIX])][:_MAX_STARTS]] for line in lines]
    rows = [row for row, places in enumerate(starts) for _ in places]
    places = [place for own in starts for place in own]
    tails = pa.array([lines[row][place:] for row, place in zip(rows, places, strict=True)], pa.large_string())
    forms = normal_forms(tails)
    found: dict[int, tuple[int, str, bool]] = {}
    for number in np.flatnonzero(known.has(forms)).tolist():
        found.setdefault(rows[number], (places[number], forms[number].as_py(), True))
    rest = [number for number, row in enumerate(rows) if row not in found]
    beginnings = known.beginnings_of(forms.take(pa.array(rest, pa.int64())).to_pylist())
    for number, beginning in zip(rest, beginnings, strict=True):
        if beginning is not None:
            found.setdefault(rows[number], (places[number], beginning, False))
    levels = dict(zip(found, known.levels_of([message for _, message, _ in found.values()]), strict=True))
    return [
        Split(line[: found[row][0]], found[row][1], levels[row], whole=found[row][2]) if row in found else None
        for row, line in enumerate(lines)
    ]


def learn(splits: list[Split]) -> list[Alternative]:
    """First-line regexps for the prefixes of the splits, most frequent shape first."""
    shapes: dict[str, list[Split]] = defaultdict(list)
    for split in splits:
        if split.prefix.strip():
            shapes[shape_of(split.prefix)].append(split)
    ranked = sorted(shapes.items(), key=lambda item: -len(item[1]))
    total = sum(len(members) for _, members in ranked)
    found: list[Alternative] = []
    for shape, members in ranked[:_SHAPES]:
        if len(members) < max(2, total // 200):
            break
        place = level_place([(slots_of(m.prefix), m.level) for m in members])
        if place.slot != 0 and not _telling(shape, members):
            continue
        found.append(Alternative("learnt", _expression(shape, place, members), place.words))
    return found


def _expression(shape: str, level: LevelPlace, members: list[Split]) -> str:
    columns = list(zip(*(slots_of(m.prefix) for m in members), strict=False))
    parts, slot = ["^"], 0
    for character in shape:
        if character == " ":
            parts.append(r"[ \t]+")
        elif character == "w":
            values = set(columns[slot]) if slot < len(columns) else set()
            if slot == level.slot and level.part is not None:
                parts.append(part_expression(level.part) + (f"(?:[^A-Za-z0-9\\s]{SLOT}*)?"))
            else:
                literal = slot == 0 and level.slot != 0 and not shape.strip("w ")
                parts.append(_slot_expression(values, is_level=slot == level.slot, literal=literal))
            slot += 1
        else:
            parts.append(re.escape(character))
    return "".join([*parts, r"(?P<message>(?s:.*))$"])


def _slot_expression(values: set[str], *, is_level: bool, literal: bool) -> str:
    if len(values) == 1 and not any(c.isalnum() for c in next(iter(values))):
        return re.escape(next(iter(values)))
    if len(values) == 1 and literal:
        return re.escape(next(iter(values)))
    tail = _common_tail(values)
    kind = next((kind for kind in _KINDS if all(re.fullmatch(kind + "+", value) for value in values)), None)
    if kind is None and not is_level and all(any(c.isdigit() for c in value) for value in values):
        return f"{SLOT}*\\d{SLOT}*"
    kind = kind or SLOT
    head = kind + "+?" if tail else kind + "+"
    return (f"(?P<level>{head})" if is_level else head) + re.escape(tail)


def _telling(shape: str, members: list[Split]) -> bool:
    """Whether a shape tells a prefix from prose: punctuation, a number or one word always the same at its beginning."""
    if shape.strip("w "):
        return True
    columns = list(zip(*(slots_of(member.prefix) for member in members), strict=False))
    if any(len(set(column)) == 1 and not any(c.isalnum() for c in column[0]) for column in columns):
        return True
    firsts = set(columns[0]) if columns else set()
    return len(firsts) == 1 or all(any(c.isdigit() for c in first) for first in firsts)


def _common_tail(values: set[str]) -> str:
    tails: Mapping[str, int] = Counter(re.search(r"[:,.\-*#/]*$", v)[0] for v in values)  # type: ignore[index]
    return next(iter(tails)) if len(tails) == 1 else ""
