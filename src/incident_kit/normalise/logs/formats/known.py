"""What the documents say, for look-ups by whole text or beginning while a console's layout is learnt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from incident_kit.normalise.logs.normal_form import masks, normal_forms

_WORD_END = re.compile(r"(?=\W)|$")
#: A message shorter than this is found in too many texts by chance.
SHORTEST_MESSAGE = 3
#: A message shorter than this begins too many texts by chance.
_SHORTEST_BEGINNING = 8
_LONGEST_BEGINNING = 600


def inner_forms(lines: pa.Array) -> list[str]:
    """The form in which lines inside of entries are compared: normal, with their values masked."""
    return [str(form) for form in normal_forms(masks(lines)).to_pylist()]


@dataclass(slots=True)
class KnownMessages:
    """Normal forms of the documents' messages, with their levels.

    Attributes:
        levels: level by the normal form of a message's first line.
        inner: forms of the lines behind the first, and of exceptions' lines, as `inner_forms` makes them.
    """

    levels: dict[str, str | None] = field(default_factory=dict)
    inner: frozenset[str] = frozenset()

    @classmethod
    def build(cls, messages: Iterable[tuple[str, str | None]], inner: Iterable[str] = ()) -> KnownMessages:
        """From (normal form of the message's first line, level) pairs; the first of equal forms counts."""
        found = [(form, level) for form, level in messages if len(form) >= SHORTEST_MESSAGE]
        return cls(dict(reversed(found)), frozenset(inner))

    def __bool__(self) -> bool:
        return bool(self.levels)

    def beginning_of(self, form: str) -> str | None:
        """The longest known message that this text begins with, at a word's end."""
        ends = [m.start() for m in _WORD_END.finditer(form[:_LONGEST_BEGINNING])]
        for end in reversed(ends):
            if end < _SHORTEST_BEGINNING:
                return None
            if form[:end] in self.levels:
                return form[:end]
        return None
