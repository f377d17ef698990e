"""What can be read of JSON that is torn, broken in one place, or several documents one after another."""

from __future__ import annotations

import json
import math
import re
from typing import Any

#: A document begins at the start of a line; what a tool wrote before it (a warning) is passed over.
_BEGINNING = re.compile(r"^[\[{]", re.MULTILINE)
#: Between documents: white space, and the separators that people and tools write.
_BETWEEN = " \t\r\n,\x1e\ufeff"


def salvage(text: str) -> tuple[list[Any], bool]:
    """Complete documents of a file, and the complete elements of the list that is broken.

    Returns:
        What could be read, and whether that is everything: several answers appended to one file (``>>``) and one
        document a line are whole, if not one document.
    """
    decoder = json.JSONDecoder(parse_int=integer)
    found: list[Any] = []
    whole = True
    position = _next_document(text, 0)
    while position < len(text):
        if text[position] not in "{[":
            whole = False
            beginning = _BEGINNING.search(text, position)
            if beginning is None:
                break
            position = beginning.start()
        try:
            document, end = decoder.raw_decode(text, position)
        except (json.JSONDecodeError, RecursionError):
            return found + _elements(text, position, decoder), False
        found.append(document)
        position = _next_document(text, end)
    return found, whole and bool(found)


def integer(digits: str) -> int | float | None:
    """A JSON integer; beyond 64 bits a float, as the strict decoder reads it."""
    return int(digits) if len(digits) < 19 else finite(digits)


def finite(digits: str) -> float | None:
    """A JSON number; null where no float can hold it."""
    value = float(digits)
    return value if math.isfinite(value) else None


def _next_document(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BETWEEN:
        position += 1
    return position


def _elements(text: str, begin: int, decoder: json.JSONDecoder) -> list[Any]:
    """Complete objects of the list that a broken document is or holds, and of what follows it."""
    position = begin
    if text[begin] == "[":
        position = begin + 1
    elif (items := text.find('"items"', begin)) >= 0 and (bracket := text.find("[", items)) >= 0:
        position = bracket + 1
    found: list[Any] = []
    while (brace := text.find("{", position)) >= 0:
        try:
            document, position = decoder.raw_decode(text, brace)
        except json.JSONDecodeError:
            # One broken object: go on at the next line that begins an object at list depth, never inside this one.
            following = text.find(f"\n{_indent(text, brace)}{{", brace + 1)
            if following < 0:
                break
            position = following
            continue
        except RecursionError:
            break
        found.append(document)
    return found


def _indent(text: str, brace: int) -> str:
    line_start = text.rfind("\n", 0, brace) + 1
    prefix = text[line_start:brace]
    return prefix if not prefix.strip() else ""
