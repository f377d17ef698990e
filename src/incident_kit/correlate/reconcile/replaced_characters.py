"""Characters that a pipeline could not write or read: marks in their place, or UTF-8 taken for Latin-1."""

from __future__ import annotations

import re

_ODD = re.compile(r"[^\x00-\x7f\ufffd]")
#: Characters beyond ASCII and question marks in a row: what may have become marks, or is some.
_RUN = re.compile(r"[^\x00-\x3e@-\x7f]+ ?")
#: So many letters and digits must be left to compare.
_LEAST_SHOWN = 6
#: What begins a longer character of UTF-8, as Latin-1 and Windows-1252 show it, and one more of its bytes.
_MISREAD = re.compile(r"[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")


def is_replaced(whole: str, marked: str) -> bool:
    """Whether a text is another one with ``?`` or U+FFFD for some of the characters beyond ASCII.

    Args:
        whole: normal form with its characters.
        marked: normal form with marks for some; a character may have become two of them, or none been left.
    """
    if ("?" not in marked and "\ufffd" not in marked) or not _ODD.search(whole):
        return False
    if sum(map(str.isalnum, marked)) < _LEAST_SHOWN or _RUN.sub("?", whole) != _RUN.sub("?", marked):
        return False
    # Characters that were left as they are stand in both, in one order.
    there = iter(_ODD.findall(whole))
    return all(character in there for character in _ODD.findall(marked))


def read_anew(text: str) -> str:
    """A text whose UTF-8 was read as Latin-1 or Windows-1252, as it was meant; any other as it is."""
    if not _MISREAD.search(text):
        return text
    for charset in ("latin-1", "cp1252"):
        try:
            return text.encode(charset).decode("utf-8")
        except UnicodeError:
            continue  # it was not read in that way
    return text
