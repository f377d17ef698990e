"""Values that a pipeline or a logger hides: what it puts in their place stands for any text."""

from __future__ import annotations

import re

#: ``[EMAIL]``, ``<redacted>``, ``****``, ``j***@example.com``: the whole word is hidden.
_MASK = r"\[[A-Z][A-Z0-9_-]+(?: [A-Z0-9_-]+)*\]|<[A-Za-z][A-Za-z_-]{2,}>|\*{3,}|[xX]{4,}|#{3,}|•{3,}|REDACTED|MASKED|FILTERED"
_HIDDEN_WORD = re.compile(rf"[^\s\[<]*(?:{_MASK})[^\s\[<]*")
#: So many letters and digits must be left to compare.
_LEAST_SHOWN = 6


def hidden_values(text: str) -> re.Pattern[str] | None:
    """What a text in normal form with hidden values may have been; None where it hides nothing, or too much."""
    parts = _HIDDEN_WORD.split(text)
    if len(parts) == 1 or len(re.sub(r"\W|_", "", "".join(parts))) < _LEAST_SHOWN:
        return None
    return re.compile(".+?".join(map(re.escape, parts)) + "$", re.DOTALL)
