"""Redactor: documents and text in, the same without what must not leave."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import orjson

from incident_kit.arrays import Flags, Integers
from incident_kit.redaction import objects
from incident_kit.redaction.detectors import replace_personal, replace_secrets
from incident_kit.redaction.may_hold import ANYTHING, MAIL, ODD_CASE, PEM
from incident_kit.redaction.pem import PemState, replace_pem
from incident_kit.redaction.pseudonym import Pseudonyms
from incident_kit.redaction.scan import Scan, scan
from incident_kit.redaction.together import redact_together

_CACHED_TEXT_LENGTH = 256


class RedactLines(Protocol):
    """Redacts a block of whole lines, of which somebody may have made the scan already."""

    def __call__(self, block: bytes, scanned: Scan | None = None) -> bytes:
        """The block without what must not leave."""


class Redactor:
    """Replaces secrets and personal data, consistently under one key.

    Args:
        key: secret bytes; the same key gives the same pseudonyms in every bundle.
        keep: patterns (``*@example.org``) of e-mail addresses and accounts that stay readable, such as the people
            and pipelines that Argo CD names as authors of a sync.
    """

    def __init__(self, key: bytes, *, keep: Iterable[str] = ()) -> None:
        self._pseudonyms = Pseudonyms(key)
        self._keep = tuple(pattern.lower() for pattern in keep)
        self._short_text = lru_cache(maxsize=65_536)(self._text)

    @property
    def key_id(self) -> str:
        """Names the key without revealing it."""
        return self._pseudonyms.key_id

    def text(self, text: str, name: str = "", may: int = ANYTHING) -> str:
        """A text without credentials and personal data.

        Args:
            text: decoded text of any length.
            name: the field that holds it; digits in time and id fields are left alone.
            may: what it may hold (`may_hold`), as far as somebody looked.
        """
        return self._short_text(text, name, may) if len(text) <= _CACHED_TEXT_LENGTH else self._text(text, name, may)

    def value(self, value: Any) -> Any:
        """Any decoded JSON document (Elasticsearch, RabbitMQ, Argo CD); unchanged parts are shared, not copied."""
        return objects.redact_value(value, self.text, self._pseudonym)

    def document(self, plural: str, document: Any) -> Any:
        """A Kubernetes object: data and environment values hashed, last-applied dropped, the rest as `value`."""
        return objects.redact_object(plural, document, self.text, self._pseudonyms, self._pseudonym)

    def text_block(self, block: bytes) -> bytes:
        """Whole lines of log text; for a block of its own, see `text_stream` for a file."""
        return self.text_stream()(block)

    def text_stream(self) -> RedactLines:
        """A function for consecutive blocks of whole lines; it remembers an open PEM block between them."""
        state = PemState()

        def redact(block: bytes, scanned: Scan | None = None) -> bytes:
            found = scanned or scan(block)
            lines = _suspicious(block, found)
            if state.inside or any(b"-----BEGIN " in line for line in lines):
                return self._one_by_one(block, found, state)
            return _spliced(block, found, self._log_lines(lines, found.may))

        return redact

    def json_lines(self, block: bytes, scanned: Scan | None = None) -> bytes:
        """Whole lines with one JSON document each; lines with nothing to hide stay byte for byte."""
        found = scanned or scan(block)
        lines = _suspicious(block, found)
        # Of most the addresses are all: where they are texts of their own, they are found in JSON as in any line.
        plain = np.array([kind == MAIL and _is_plain(line) for line, kind in zip(lines, found.may, strict=True)], bool)
        made = self._together(lines, plain, found.may)
        redacted = (
            made[row] if row in made else self._json_line(line, kind)
            for row, (line, kind) in enumerate(zip(lines, found.may.tolist(), strict=True))
        )
        return _spliced(block, found, redacted)

    def _one_by_one(self, block: bytes, found: Scan, state: PemState) -> bytes:
        """A block in which a PEM block begins or goes on: every line within may be a part of it."""
        suspicious = set(found.suspicious.tolist())
        return b"".join(
            self._log_line(line, state) if state.inside or number in suspicious else line
            for number, line in enumerate(_lines(block, found.offsets))
        )

    def _log_lines(self, lines: list[bytes], may: Integers) -> list[bytes]:
        """Suspicious lines outside of PEM blocks, in which none begins."""
        alone = np.array([b"\\" in line and b"{" in line for line in lines], dtype=bool) | (may & ODD_CASE != 0)
        made = self._together(lines, ~alone, may)
        return [made[row] if row in made else self._log_line(line, PemState()) for row, line in enumerate(lines)]

    def _together(self, lines: list[bytes], chosen: Flags, may: Integers) -> dict[int, bytes]:
        """Some of the lines redacted, by their row."""
        rows = np.flatnonzero(chosen)
        texts = [lines[row].decode("utf-8", "surrogateescape") for row in rows.tolist()]
        redacted = redact_together(texts, may[rows], self._pseudonym)
        made = (text.encode("utf-8", "surrogateescape") for text in redacted)
        return dict(zip(rows.tolist(), made, strict=True))

    def _log_line(self, line: bytes, state: PemState) -> bytes:
        text = line.decode("utf-8", "surrogateescape")
        if state.inside or "-----BEGIN " in text:
            text = state.line(text, self._pseudonym)
        brace = text.find("{")
        if "\\" in text and brace >= 0:
            redacted = self._embedded_json(text, brace)
            if redacted is not None:
                return redacted.encode("utf-8", "surrogateescape")
        return self._text(text, "").encode("utf-8", "surrogateescape")

    def _embedded_json(self, text: str, brace: int) -> str | None:
        """A line that ends in a JSON object with escapes, redacted on decoded strings; None when it is no such line."""
        body = text[brace:].rstrip()
        try:
            document = orjson.loads(body)
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            return None
        redacted = self.value(document)
        if redacted is document:
            return self._text(text[:brace], "") + text[brace:]
        tail = text[brace + len(body) :]
        return self._text(text[:brace], "") + orjson.dumps(redacted).decode() + tail

    def _json_line(self, line: bytes, may: int) -> bytes:
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            return self._text(line.decode("utf-8", "surrogateescape"), "").encode("utf-8", "surrogateescape")
        # Escapes may hide anything from whoever looked at the bytes.
        may = ANYTHING if b"\\" in line or may & ODD_CASE else may
        redacted = objects.redact_value(document, lambda text, name: self.text(text, name, may), self._pseudonym)
        if redacted is document:
            return line
        return orjson.dumps(redacted) + (b"\n" if line.endswith(b"\n") else b"")

    def _text(self, text: str, name: str, may: int = ANYTHING) -> str:
        if may & PEM and "-----BEGIN " in text:
            text = replace_pem(text, self._pseudonym)
        without = replace_secrets(text, self._pseudonym, may)
        return replace_personal(without, self._pseudonym, name, may if without == text else ANYTHING)

    def _pseudonym(self, kind: str, value: str) -> str:
        if self._keep and kind == "email" and any(fnmatchcase(value, pattern) for pattern in self._keep):
            return value
        return self._pseudonyms.of(kind, value)


def _is_plain(line: bytes) -> bool:
    """Whether a line of JSON is as it would be written anew, without escapes, and so flat that none of it is cut off."""
    if b"\\" in line or line.count(b"{") + line.count(b"[") > objects.DEEPEST:
        return False
    try:
        return orjson.dumps(orjson.loads(line)) == line.removesuffix(b"\n")
    except orjson.JSONDecodeError:
        return False


def _lines(block: bytes, offsets: Integers) -> list[bytes]:
    return [block[start:end] for start, end in pairwise(offsets.tolist())]


def _suspicious(block: bytes, found: Scan) -> list[bytes]:
    ends = zip(found.offsets[found.suspicious].tolist(), found.offsets[found.suspicious + 1].tolist(), strict=True)
    return [block[start:end] for start, end in ends]


def _spliced(block: bytes, found: Scan, redacted: Iterable[bytes]) -> bytes:
    """The block with its suspicious lines replaced; the very same where there are none."""
    if not len(found.suspicious):
        return block
    parts: list[bytes] = []
    copied = 0
    starts, ends = found.offsets[found.suspicious].tolist(), found.offsets[found.suspicious + 1].tolist()
    for start, end, line in zip(starts, ends, redacted, strict=True):
        parts += (block[copied:start], line)
        copied = end
    return b"".join([*parts, block[copied:]])
