"""An unknown prefix, learnt: the message is the part of the line that some document's message equals.

For each line of a sample, every place where the message could begin is tried against the documents' messages. The
prefixes found are generalised to shapes (what stays between punctuation becomes a slot); the slot whose words agree
with the documents' levels is the level.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.layout import Alternative
from incident_kit.normalise.logs.formats.level_place import LevelPlace, level_place, part_expression
from incident_kit.normalise.logs.formats.shapes import SLOT, shape_of, slots_of
from incident_kit.normalise.logs.normal_form import normal_form

_MAX_PREFIX = 240
_MAX_STARTS = 60
_SHAPES = 12
_START = re.compile(r"(?<=[\s\]|:>)}=\"'-])(?=\S)|(?<=[/,;#*~])(?=[^\s\d])")
#: Kinds of words that a slot may be limited to, narrowest first.
_KINDS = (r"\d", r"[\d:.,/TZ+\-]", r"[^\w\s]")


@dataclass(slots=True)
class Split:
    """One line split by a document: its prefix, the message that was found, and what follows it."""

    prefix: str
    message: str
    level: str | None
    whole: bool


def split_line(line: str, known: KnownMessages) -> Split | None:
    """The split of a line whose message is the longest that a document knows."""
    starts = [0, *[m.start() for m in _START.finditer(line[:_MAX_PREFIX])][:_MAX_STARTS]]
    for start in starts:
        form = normal_form(line[start:])
        if form in known.levels and len(form) >= 3:
            return Split(line[:start], form, known.levels[form], whole=True)
    for start in starts:
        found = known.beginning_of(normal_form(line[start:]))
        if found is not None:
            return Split(line[:start], found, known.levels[found], whole=False)
    return None


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
