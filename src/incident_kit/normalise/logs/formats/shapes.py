"""The shape of a prefix or tail: its punctuation and blanks stay, what stands between becomes a slot."""

from __future__ import annotations

import re

_STRUCTURE = re.compile(r"[ \t]+|[|\[\](){}<>;=\"']|[^\s|\[\](){}<>;=\"']+")
_PUNCTUATION = frozenset("|[](){}<>;=\"'")
#: A character of a slot.
SLOT = r"[^\s|\[\](){}<>;=\"']"


def tokens(text: str) -> list[str]:
    """Blanks, punctuation and slots in order."""
    return _STRUCTURE.findall(text)


def shape_of(text: str) -> str:
    """Blanks as one blank, punctuation as it is, slots as ``w``."""
    return "".join(" " if t.isspace() else t if t in _PUNCTUATION else "w" for t in tokens(text))


def slots_of(text: str) -> list[str]:
    """The slots' words."""
    return [t for t in tokens(text) if not t.isspace() and t not in _PUNCTUATION]
