"""What the documents say, for look-ups by whole text or beginning while a console's layout is learnt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_WORD_END = re.compile(r"(?=\W)|$")
#: A message shorter than this begins too many texts by chance.
_SHORTEST_BEGINNING = 8
_LONGEST_BEGINNING = 600


@dataclass(slots=True)
class KnownMessages:
    """Normal forms of the documents' messages, with their levels."""

    levels: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def build(cls, messages: Iterable[tuple[str, str | None]]) -> KnownMessages:
        """From (normal form of the message's first line, level) pairs; the first of equal forms counts."""
        found = [(form, level) for form, level in messages if len(form) >= 3]
        return cls(dict(reversed(found)))

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
