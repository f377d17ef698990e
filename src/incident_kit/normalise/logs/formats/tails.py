"""What a layout appends behind the message, learnt: request ids, places in the source, a diagnostic context.

Where most messages that a pattern gives begin with some document's message and go on with the same kind of text, that
text belongs to the layout. A truncation is told from it by its rests, which begin anywhere and have no common shape.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from incident_kit.arrays import Flags
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.layout import Alternative
from incident_kit.normalise.logs.formats.level_place import LevelPlace, level_place, part_expression
from incident_kit.normalise.logs.formats.patterns import REST
from incident_kit.normalise.logs.formats.shapes import SLOT, shape_of, slots_of, tokens
from incident_kit.normalise.logs.formats.tried import Tried
from incident_kit.normalise.logs.normal_form import QUOTE_MARKS, normal_form, normal_forms

_LEAST = 5
_LONGEST_TAIL = 300
#: Tails that differ behind their beginning are told by this many of its first tokens, so many of them marks at least.
_MOST_BEGINNING, _LEAST_MARKS = 8, 2
#: Behind what is appended only an exception may begin on the line.
_END = r"(?:\s+[:|-]*\s*(?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*(?:Exception|Error|Throwable)\b.*)?\s*$"
_WORD_END = re.compile(r"(?<=\S)(?=[^\w]|$)")


def with_tails(tried: Tried, alternatives: Sequence[Alternative]) -> list[Alternative]:
    """The alternatives, each behind those of its kind that also know what follows the message.

    Args:
        tried: a sample of the console's lines, and messages of the pod's documents.
        alternatives: the layout so far, best first.
    """
    if not tried.documents:
        return list(alternatives)
    found: list[Alternative] = []
    left = np.ones(len(tried.lines), dtype=bool)
    for alternative in alternatives:
        if left.any() and alternative.expression.endswith(REST):
            found += _tailed(alternative, tried, left)
            left &= ~tried.taken(alternative.expression).fits
        found.append(alternative)
    if left.any():
        found += _tailed(Alternative("learnt", f"^{REST}"), tried, left)
    return found


def _tailed(alternative: Alternative, tried: Tried, left: Flags) -> list[Alternative]:
    """The alternative with each tail; one that tells no level may have it in the tail."""
    taken = tried.taken(alternative.expression)
    fits = left & taken.fits
    messages = taken.messages.filter(pa.array(fits & ~taken.known))
    prefix = alternative.expression.removesuffix(REST)
    silent = "(?P<level>" not in prefix
    return [
        Alternative(alternative.name, prefix + tail, words if silent else alternative.levels)
        for tail, words in _tails(messages, int((fits & taken.known).sum()), tried.documents, levels=silent)
    ]


def _tails(messages: pa.Array, alone: int, known: KnownMessages, *, levels: bool) -> list[tuple[str, dict[str, str]]]:
    """Expressions for message and tail, with their level words; empty where messages stand alone.

    Args:
        messages: messages that no document has as they are.
        alone: how many others some document has.
        known: messages of the pod's documents.
        levels: whether the tail may tell the level.
    """
    if len(messages) < max(_LEAST, alone):
        return []
    tails = []
    begun: dict[str, str] = {}
    beginnings = known.beginnings_of(normal_forms(messages).to_pylist())
    for message, beginning in zip(messages.to_pylist(), beginnings, strict=True):
        if beginning is not None and (tail := _tail_of(message, beginning)) is not None:
            tails.append(tail)
            begun[tail] = beginning
    if len(tails) < _LEAST or len(tails) < alone:
        return []
    # What a layout appends always begins alike; what a truncation takes away begins anywhere.
    begin, count = Counter(_beginning(tail) for tail in tails).most_common(1)[0]
    if count < 0.8 * len(tails):
        return []
    alike = [tail for tail in tails if _beginning(tail) == begin]
    any_rest = _begun_alike(alike)
    shapes: dict[str, list[str]] = defaultdict(list)
    for tail in alike:
        shapes[shape_of(tail)].append(tail)
    ranked = sorted(shapes.items(), key=lambda item: -len(item[1]))[:3]
    if sum(len(members) for _, members in ranked) < 0.8 * len(tails):
        return any_rest
    said = dict(zip(begun, known.levels_of(list(begun.values())), strict=True))
    found = []
    for shape, members in ranked:
        if len(members) < max(3, len(tails) // 50):
            continue
        place = level_place([(slots_of(member), said[member]) for member in members]) if levels else LevelPlace()
        expression = _expression(shape, place, members)
        if expression is not None:
            found.append((expression, place.words))
    return found + any_rest


def _begun_alike(tails: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """An expression for tails by their beginning alone, since values behind it have all shapes: `` -- { :id => ...``.

    Only where two marks at least of that beginning are the same in all tails: prose may hold one.
    """
    columns = list(zip(*map(tokens, tails), strict=False))[:_MOST_BEGINNING]
    parts, marks, begun = [], 0, 0
    for column in columns:
        said = {" " if token.isspace() else token for token in column}
        token = next(iter(said))
        if len(said) == 1 and not any(map(str.isalnum, token)):
            parts.append(r"[ \t]+" if token == " " else re.escape(token))
            if token != " ":
                marks, begun = marks + 1, len(parts)
        elif all(re.fullmatch(f"{SLOT}+", one) for one in said):
            parts.append(f"{SLOT}+")
        else:
            break
    return [(r"(?P<message>(?s:.*?))" + "".join(parts[:begun]) + r"(?s:.*)$", {})] if marks >= _LEAST_MARKS else []


def _tail_of(message: str, found: str) -> str | None:
    """What stands behind the known message that this text begins with, as it is written."""
    for end in _WORD_END.finditer(message, min(len(found), len(message))):
        if len(message) - end.start() <= _LONGEST_TAIL and normal_form(message[: end.start()]) == found:
            # A quote mark behind the last value is the message's, though the normal form has none.
            return message[end.start() :].lstrip(QUOTE_MARKS)
    return None


def _expression(shape: str, level: LevelPlace, members: list[str]) -> str | None:
    """A shape with its constant words kept; None where nothing in it is constant, for then it could be prose."""
    columns = list(zip(*(slots_of(member) for member in members), strict=False))
    parts, slot, constant = [], 0, bool(shape.strip("w "))
    for character in shape:
        if character == " ":
            parts.append(r"[ \t]+")
        elif character == "w":
            expression, telling = _slot(columns[slot] if slot < len(columns) else ())
            if slot == level.slot:
                expression = f"(?P<level>{SLOT}+)" if level.part is None else f"{part_expression(level.part)}{SLOT}*"
            parts.append(expression)
            constant |= telling
            slot += 1
        else:
            parts.append(re.escape(character))
    return r"(?P<message>(?s:.*?))" + "".join(parts) + _END if constant else None


def _beginning(tail: str) -> str:
    """The form of the first word or punctuation of a tail; a bare word is its own form."""
    first = next((token for token in tokens(tail) if not token.isspace()), "")
    return first if first.isalpha() else _form(first)


def _form(word: str) -> str:
    return re.sub(r"[0-9]+", "0", re.sub(r"[^\W\d]+", "a", word))


def _common_beginning(first: str, last: str) -> str:
    """What all words between two, in order of their characters, begin with."""
    return "".join(
        one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    )


def _slot(values: Sequence[str]) -> tuple[str, bool]:
    """An expression for the words of a slot, and whether it tells a layout from prose."""
    counted = Counter(values)
    if len(counted) == 1:
        return re.escape(next(iter(counted))), True
    beginning = re.sub(r"\w$", "", _common_beginning(min(counted), max(counted)))
    beginning = beginning if len(beginning) >= 3 else ""
    forms = {_form(value) for value in counted}
    if not beginning and len(forms) == 1 and re.search(r"[^a0]", form := forms.pop()):
        parts = {"a": r"[^\W\d]+", "0": r"\d+"}
        return "".join(parts.get(character) or re.escape(character) for character in form), True
    return re.escape(beginning) + f"{SLOT}*" if beginning else f"{SLOT}+", bool(beginning)
