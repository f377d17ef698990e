"""What a broken JSON line still says: the complete fields before the break."""

from __future__ import annotations

from typing import Any

import orjson

_CLOSING = {"{": "}", "[": "]"}
#: Commas tried from the break backwards; the last complete field is almost always before one of the last two.
_MOST_TRIED = 40


def readable_beginning(line: bytes) -> dict[str, Any]:
    """The object of a line up to its last complete field; empty when not even one is complete.

    A field counts as complete when a comma or a closing bracket follows it, so that a number or a text that was cut
    short is never taken for a whole one.
    """
    text = line.decode("utf-8", errors="replace").lstrip("\ufeff \t")
    for position, closing in reversed(_ends(text)[-_MOST_TRIED:]):
        try:
            found = orjson.loads(text[:position] + closing)
        except orjson.JSONDecodeError:
            continue
        return found if isinstance(found, dict) else {}
    return {}


def _ends(text: str) -> list[tuple[int, str]]:
    """Where the object could end, with what would close it: at each comma, and behind each closing bracket."""
    open_brackets: list[str] = []
    quoted = escaped = False
    found: list[tuple[int, str]] = []
    for position, character in enumerate(text):
        if quoted:
            quoted, escaped = escaped or character != '"', not escaped and character == "\\"
        elif character == '"':
            quoted = True
        elif character in _CLOSING:
            open_brackets.append(_CLOSING[character])
        elif character == ",":
            found.append((position, "".join(reversed(open_brackets))))
        elif open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
            found.append((position + 1, "".join(reversed(open_brackets))))
    return found
