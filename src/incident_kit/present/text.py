"""Text from logs and servers, made safe to show: nothing in it may steer a terminal or a reader's eye.

An escape sequence in a log line can retitle a terminal, move its cursor or forge a line above; a
bidirectional override can make text read backwards. Both are shown as what they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from incident_kit.counting import plural

_NAMED = {"\n": "⏎", "\r": "\\r", "\t": "\\t", "\x1b": "\\e", "\x00": "\\0"}
#: Control, format (bidirectional overrides, zero width), surrogate, private, unassigned, line separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@lru_cache(maxsize=4096)
def _visible_character(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(value: object) -> str:
    """The text on one line, with every character that would act instead of show written out."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def shorten(value: object, width: int) -> str:
    """Visible text of at most ``width`` characters; what is cut away is marked by an ellipsis."""
    text = visible(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def shorten_end(text: str, width: int) -> str:
    """Text of which ``width`` characters are kept; how many were cut away is said where it ends."""
    return text if len(text) <= width else f"{text[:width]} … {plural(len(text) - width, 'more character')}"


def shorten_middle(value: object, width: int) -> str:
    """Visible text of at most ``width`` characters that keeps both ends: pod names differ at the end."""
    text = visible(value)
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[-tail:] if tail else ''}"


def names(listed: Sequence[str], most: int = 2, noun: str = "pod") -> str:
    """``a, b and 3 more pods``."""
    shown = ", ".join(map(visible, listed[:most]))
    return shown + (f" and {plural(len(listed) - most, f'more {noun}')}" if len(listed) > most else "")
