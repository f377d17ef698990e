"""Values that a pipeline or a logger hides: what it puts in their place stands for any text."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: ``[EMAIL]``, ``<redacted>``, ``****``, ``j***@example.com``: the whole word is hidden.
_MASK = re.compile(
    r"\[[A-Z][A-Z0-9_-]+(?: [A-Z0-9_-]+)*\]|<[A-Za-z][A-Za-z_-]{2,}>|\*{3,}|[xX]{4,}|#{3,}|•{3,}|REDACTED|MASKED|FILTERED"
)
_WORD = re.compile(r"[^\s\[<]*")
#: So many letters and digits must be left to compare.
_LEAST_SHOWN = 6
#: The beginning of a message that is looked for behind other words is so long.
_LEAST_BEGINNING = 5


def shown_parts(text: str) -> list[str] | None:
    """What a text in normal form shows around its hidden values; None where it hides nothing, or too much."""
    parts, place = [], 0
    # Masks first and words around them after: texts may be long, and each is gone through once.
    for mask in _MASK.finditer(text):
        if mask.start() < place:
            continue  # a second mask of the same word
        begin = mask.start()
        while begin > place and not text[begin - 1].isspace() and text[begin - 1] not in "[<":
            begin -= 1
        parts.append(text[place:begin])
        word = _WORD.match(text, mask.end())
        place = word.end() if word else mask.end()
    parts.append(text[place:])
    shown = sum(character.isalnum() for part in parts for character in part)
    return parts if len(parts) > 1 and shown >= _LEAST_SHOWN else None


def _behind_words(part: str, text: str) -> int:
    """Where a part stands behind other words; -1 where it does not, or is too short to tell."""
    if len(part) < _LEAST_BEGINNING:
        return -1
    return text.find(f" {part}") + 1 or -1


def fits_shown(parts: Sequence[str], text: str) -> bool:
    """Whether a text has all the parts in their order, begins and ends with the outer ones, and something between any two.

    A longer first part may have words before it: a prefix that nobody could learn, where most messages hide something.
    """
    begin = 0 if text.startswith(parts[0]) else _behind_words(parts[0], text)
    if begin < 0:
        return False
    place = begin + len(parts[0])
    for part in parts[1:-1]:
        found = text.find(part, place + 1)
        if found < 0:
            return False
        place = found + len(part)
    return len(text) - len(parts[-1]) > place and text.endswith(parts[-1])
