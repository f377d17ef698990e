"""The one normal form in which a console's text and a document's message are compared.

It folds what differs between two spellings of one event: quotes around template values, escapes of JSON and of
key=value pairs, white space, escape sequences, bytes that were no UTF-8. `loose_form` folds more (numbers,
null words, letter case, punctuation) and is tried only on what found no partner.

Forms and their hashes are taken of the *redacted* text, although the design once asked for keyed hashes taken before:
a bundle's tables must come out the same when they are made anew, and then only the redacted files are left; and
whoever holds the key could guess a short secret from the hash of a text that is otherwise known. Matching loses little,
because a secret has the same pseudonym on both sides. What it loses is an entry of which one side cut the secret short.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.normalise.logs.lines import ANSI

_QUOTE_MARKS = "\"'`\\“”‘’"
#: Bytes that every quote mark has one of.
_QUOTE_BYTES = (b'"', b"'", b"`", b"\\", b"\xe2\x80")
_QUOTES = r"[\"'`\\“”‘’]+"
_SPACES = r"[ \t\n\r\f\x0b\x00\x85\xa0\u2028\u200b]+"
_RE2_SPACE = r"\t\n\r\f\x0b\x00\x{85}\x{a0}\x{2028}\x{200b}"
_ESCAPED_SPACE = r"\\[nrt]"


def normal_forms(texts: pa.Array) -> pa.Array:
    """Normal form of each text; null stays null."""
    out = texts
    if holds(out, b"\x1b"):
        out = pc.replace_substring_regex(out, ANSI, "")
    if holds(out, b"\\u"):
        out = _where(out, r"\\u", _unescaped)
    if holds(out, b"\\"):
        out = pc.replace_substring_regex(out, _ESCAPED_SPACE, " ")
    if any(holds(out, mark) for mark in _QUOTE_BYTES):
        out = _where(out, _QUOTES, _without_quotes)
    if _holds_odd_space(out):
        out = _where(out, f"[{_RE2_SPACE}]", lambda found: pc.replace_substring_regex(found, f"[ {_RE2_SPACE}]+", " "))
    while holds(out, b"  ") and _any(out, "  "):
        out = pc.replace_substring(out, "  ", " ")
    if holds(out, b"\xef\xbf\xbd"):
        out = pc.replace_substring_regex(out, "\ufffd+", "\ufffd")
    return pc.utf8_trim(out, " ")


def _bytes(texts: pa.Array) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The bytes of all texts, one after the other, where Arrow keeps them."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return np.zeros(0, np.uint8)
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    ends = np.frombuffer(offsets, kind)[[texts.offset, texts.offset + len(texts)]]
    return np.frombuffer(data, np.uint8)[ends[0] : ends[1]]


def holds(texts: pa.Array, needle: bytes) -> bool:
    """Whether these bytes stand somewhere in the texts, perhaps over two of them: no is certain, and cheap to find."""
    data = _bytes(texts)
    found = data == needle[0]
    for place, byte in enumerate(needle[1:], 1):
        if not found.any():
            return False
        found = found[:-1] & (data[place:] == byte)
    return bool(found.any())


def _holds_odd_space(texts: pa.Array) -> bool:
    """Whether some text may hold a space that is no blank: a control character, or a longer character that leads one."""
    data = _bytes(texts)
    return bool((data < 0x20).any() or (data == 0xC2).any() or (data == 0xE2).any())


def _where(texts: pa.Array, expression: str, fold: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Fold only the texts that a regexp finds something in: finding is cheaper than replacing, by ten."""
    rows = pc.fill_null(pc.match_substring_regex(texts, expression), False)
    count = pc.sum(rows).as_py()
    if not count:
        return texts
    return fold(texts) if count == len(texts) else pc.replace_with_mask(texts, rows, fold(texts.filter(rows)))


def _unescaped(texts: pa.Array) -> pa.Array:
    return pa.array([_unescape(text) for text in texts.to_pylist()], texts.type)


def _without_quotes(texts: pa.Array) -> pa.Array:
    # One mark after the other: plain replacing is far cheaper than a class of marks.
    for mark in _QUOTE_MARKS:
        if _any(texts, mark):
            texts = pc.replace_substring(texts, mark, "")
    return texts


def _any(texts: pa.Array, needle: str) -> bool:
    return bool(pc.any(pc.match_substring(texts, needle)).as_py())


_UNICODE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")


def _unescape(text: str) -> str:
    """Characters that JSON wrote as four hexadecimal digits; halves of a pair that stand alone become U+FFFD."""

    def character(run: re.Match[str]) -> str:
        units = bytes.fromhex(run[0].replace("\\u", ""))
        return units.decode("utf-16-be", errors="replace")

    return _UNICODE.sub(character, text)


_PY_ANSI = re.compile(ANSI)
_PY_QUOTES = re.compile(_QUOTES)
_PY_SPACES = re.compile(_SPACES)


def normal_form(text: str) -> str:
    """Normal form of one text; equal to `normal_forms` on it."""
    if "\x1b" in text:
        text = _PY_ANSI.sub("", text)
    if "\\u" in text:
        text = _unescape(text)
    if "\\" in text:
        text = re.sub(_ESCAPED_SPACE, " ", text)
    text = _PY_SPACES.sub(" ", _PY_QUOTES.sub("", text))
    if "\ufffd" in text:
        text = re.sub("\ufffd+", "\ufffd", text)
    return text.strip(" ")


_NUMBER = re.compile(r"(?<![\w.])-?\d[\d_]*(?:[.,]\d+)*(?:[eE][+-]?\d+)?(?![\w])")
_NULLS = re.compile(r"\(null\)|<nil>|\b(?:null|none|nil|undefined)\b", re.IGNORECASE)
_NOT_WORD = re.compile(r"[^\w\-]+|(?<!\w)-(?!\d)|(?<=\w)-")


def loose_form(text: str) -> str:
    """A form that also folds renderings of numbers, null words, letter case and punctuation."""
    text = normal_form(text)
    text = _NULLS.sub(" null ", text)
    text = _NUMBER.sub(_number, text)
    return _NOT_WORD.sub(" ", text.lower()).strip()


def _number(match: re.Match[str]) -> str:
    digits = match[0].replace("_", "")
    if digits.count(",") and re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", digits):
        digits = digits.replace(",", "")
    elif digits.count(",") == 1 and "." not in digits:
        digits = digits.replace(",", ".")
    try:
        value = float(digits)
    except ValueError:
        return match[0]
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return repr(value).replace(".", "p")


#: What a template leaves open, as a guess: RE2 for Arrow and DuckDB.
MASK = r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\b(?:[0-9a-fA-F]{6,}|\w*\d\w*)\b|\"[^\"]*\"|'[^']*'|(?:=|: )\S+"


def masks(heads: pa.Array) -> pa.Array:
    """The first line with numbers, identifiers, quoted and assigned values masked: a guess of its template."""
    return pc.replace_substring_regex(heads, MASK, "*")


def hashes(texts: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """64-bit hash of each text; null becomes 0."""
    if texts.null_count == len(texts):
        return np.zeros(len(texts), np.int64)
    connection = _hasher(os.getpid(), threading.get_ident())
    connection.register("texts", pa.table({"text": texts}))
    found = connection.execute("SELECT coalesce(hash(text), 0::UBIGINT) AS h FROM texts").fetchnumpy()["h"]
    connection.unregister("texts")
    result: np.ndarray[Any, np.dtype[np.int64]] = np.asarray(found).astype(np.uint64).view(np.int64)
    return np.where(np.asarray(texts.is_null()), 0, result)


@lru_cache(maxsize=8)
def _hasher(_process: int, _thread: int) -> duckdb.DuckDBPyConnection:
    """One connection per process and thread: opening one costs more than hashing a batch."""
    return duckdb.connect(config={"threads": 1})


def hash_texts(texts: list[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """64-bit hash of each text."""
    return hashes(pa.array(texts, pa.large_string()))
