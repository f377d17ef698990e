"""Redactor: documents and text in, the same without what must not leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Protocol

import orjson

from incident_kit.redaction import objects
from incident_kit.redaction.detectors import replace_personal, replace_secrets
from incident_kit.redaction.pem import PemState, replace_pem
from incident_kit.redaction.pseudonym import Pseudonyms
from incident_kit.redaction.scan import Scan, scan

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

    def text(self, text: str, name: str = "") -> str:
        """A text without credentials and personal data.

        Args:
            text: decoded text of any length.
            name: the field that holds it; digits in time and id fields are left alone.
        """
        return self._short_text(text, name) if len(text) <= _CACHED_TEXT_LENGTH else self._text(text, name)

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
            return self._lines(block, scanned, state, lambda line: self._log_line(line, state))

        return redact

    def json_lines(self, block: bytes, scanned: Scan | None = None) -> bytes:
        """Whole lines with one JSON document each; lines with nothing to hide stay byte for byte."""
        return self._lines(block, scanned, None, self._json_line)

    def _lines(
        self, block: bytes, scanned: Scan | None, state: PemState | None, redact: Callable[[bytes], bytes]
    ) -> bytes:
        if not block:
            return block
        numbers, offsets, _ = scanned or scan(block)
        if not len(numbers) and not (state and state.inside):
            return block
        wanted = iter(numbers.tolist())
        upcoming = next(wanted, None)
        parts: list[bytes] = []
        copied = 0
        number = upcoming if not (state and state.inside) else 0
        last = len(offsets) - 1
        while number is not None and number < last:
            start, end = int(offsets[number]), int(offsets[number + 1])
            parts += (block[copied:start], redact(block[start:end]))
            copied = end
            while upcoming is not None and upcoming <= number:
                upcoming = next(wanted, None)
            number = number + 1 if state and state.inside else upcoming
        parts.append(block[copied:])
        return b"".join(parts)

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

    def _json_line(self, line: bytes) -> bytes:
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            return self._text(line.decode("utf-8", "surrogateescape"), "").encode("utf-8", "surrogateescape")
        redacted = self.value(document)
        if redacted is document:
            return line
        return orjson.dumps(redacted) + (b"\n" if line.endswith(b"\n") else b"")

    def _text(self, text: str, name: str) -> str:
        if "-----BEGIN " in text:
            text = replace_pem(text, self._pseudonym)
        text = replace_secrets(text, self._pseudonym)
        return replace_personal(text, self._pseudonym, name)

    def _pseudonym(self, kind: str, value: str) -> str:
        if kind == "email" and any(fnmatchcase(value, pattern) for pattern in self._keep):
            return value
        return self._pseudonyms.of(kind, value)
