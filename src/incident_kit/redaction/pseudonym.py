"""Pseudonyms: keyed, consistent, and harmless wherever the value stood.

A pseudonym is ``redacted-<kind>-<12 hex digits>``: no quote, space, ``=``, ``:`` or ``/``, so it breaks neither
JSON nor logfmt nor a URL, and no detector finds anything in it (redacting twice changes nothing). The digits depend
only on the value, not on the kind: a password seen in a URL and in an environment variable shows as one.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

PREFIX = "redacted-"
_DIGITS_BYTES = 6


class Pseudonyms:
    """Maker of pseudonyms under one key."""

    def __init__(self, key: bytes) -> None:
        # BLAKE2b takes at most 64 bytes of key; a longer one is folded.
        self._key = key if len(key) <= 64 else blake2b(key).digest()
        self.digits = lru_cache(maxsize=65_536)(self._digits)

    def of(self, kind: str, value: str) -> str:
        """The pseudonym of a value; what already is one stays."""
        if not value or value.startswith(PREFIX):
            return value
        return f"{PREFIX}{kind}-{self.digits(value)}"

    def of_bytes(self, kind: str, value: bytes) -> str:
        """The same for bytes; bytes that are UTF-8 text get the text's pseudonym."""
        return self.of(kind, value.decode("utf-8", "surrogateescape"))

    @property
    def key_id(self) -> str:
        """Names the key without revealing it: bundles with equal ids can be compared value by value."""
        return self._digits("incident-kit key id")

    def _digits(self, value: str) -> str:
        data = value.encode("utf-8", "surrogateescape" if _has_escapes(value) else "surrogatepass")
        return blake2b(data, key=self._key, digest_size=_DIGITS_BYTES).hexdigest()


def _has_escapes(value: str) -> bool:
    """Whether the text came from undecodable bytes (U+DC80-DCFF only), not from lone surrogates of JSON."""
    if value.isascii():
        return False
    surrogates = [c for c in value if "\ud800" <= c <= "\udfff"]
    return bool(surrogates) and all("\udc80" <= c <= "\udcff" for c in surrogates)
