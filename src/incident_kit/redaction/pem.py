r"""PEM blocks: keys printed over many lines, or with ``\n`` inside one string.

Every body line gets a pseudonym of its own, so that the same key on the console (many lines) and in a document (one
string) stays equal line by line.
"""

from __future__ import annotations

import re

from incident_kit.redaction.detectors import Pseudonym

#: A block that never ends (a torn log) stops being one after so many lines.
_LONGEST = 400
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]+-----")
_END = re.compile(r"-----END [A-Z0-9 ]+-----")
_INSIDE = re.compile(r"(-----BEGIN [A-Z0-9 ]+-----)(.*?)(-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_BODY = re.compile(r"[A-Za-z0-9+/]{2,}={0,2}")
_TAIL = re.compile(r"(?:^|(?<=[\s\"']))([A-Za-z0-9+/]{2,}={0,2})(?=[\"',\r\n]*$)")


def replace_pem(text: str, pseudonym: Pseudonym) -> str:
    """The text with the bodies of PEM blocks inside it replaced."""

    def block(match: re.Match[str]) -> str:
        # The letter of an escaped newline is no part of the line after it.
        parts = re.split(r"(\\[rn]|\s+)", match[2])
        body = "".join(pseudonym("secret", p) if _BODY.fullmatch(p) else p for p in parts)
        return match[1] + body + match[3]

    return _INSIDE.sub(block, text)


class PemState:
    """Whether a stream of lines stands inside a PEM block."""

    def __init__(self) -> None:
        self._lines = 0

    @property
    def inside(self) -> bool:
        """Whether the next line may belong to a block."""
        return 0 < self._lines <= _LONGEST

    def line(self, text: str, pseudonym: Pseudonym) -> str:
        """One line, its body part replaced when it stands inside a block."""
        if self.inside:
            self._lines += 1
            if _END.search(text):
                self._lines = 0
            else:
                text = _TAIL.sub(lambda m: pseudonym("secret", m[1]), text)
        begins = list(_BEGIN.finditer(text))
        if begins and not _END.search(text, begins[-1].end()):
            self._lines = 1
        return text
