"""The one normal form in which a console's text and a document's message are compared.

It folds what differs between two spellings of one event: quotes around template values, escapes of JSON, HTML and of
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
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers
from incident_kit.normalise.logs.lines import ANSI
from incident_kit.normalise.logs.text_bytes import bytes_of, holds, one_of

#: Characters that the normal form has none of.
QUOTE_MARKS = "\"'`\\“”‘’"
#: Bytes that every quote mark has one of.
_QUOTE_BYTES = (b'"', b"'", b"`", b"\\", b"\xe2\x80")
_QUOTES = r"[\"'`\\“”‘’]+"
_SPACES = r"[ \t\n\r\f\x0b\x00\x85\xa0\u2028\u200b]+"
_ODD_SPACES = "\t\n\r\f\x0b\x00\x85\xa0\u2028\u200b"
#: Marks that compose with the letter before them.
_MARKS = r"[\x{300}-\x{36f}]"
_ESCAPED_SPACE = r"\\[nrt]"
#: What pipelines and loggers write for characters of HTML, and the characters; quotes are folded to nothing anyway.
_ENTITIES = {
    "&lt;": "<",
    "&gt;": ">",
    **dict.fromkeys(("&quot;", "&apos;", "&#34;", "&#39;", "&#x27;"), ""),
    "&amp;": "&",
}
_ENTITY = "|".join(_ENTITIES)


def normal_forms(texts: pa.Array) -> pa.Array:
    """Normal form of each text; null stays null."""
    data = bytes_of(texts)
    for may_need, fold in _FOLDS:
        if may_need(data):
            texts = fold(texts)
            data = bytes_of(texts)
    return pc.utf8_trim(texts, " ")


def _where(texts: pa.Array, expression: str, fold: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Fold only the texts that a regexp finds something in: finding is cheaper than replacing, by ten."""
    rows = pc.fill_null(pc.match_substring_regex(texts, expression), False)
    count = pc.sum(rows).as_py()
    if not count:
        return texts
    return fold(texts) if count == len(texts) else pc.replace_with_mask(texts, rows, fold(texts.filter(rows)))


def _composed(texts: pa.Array) -> pa.Array:
    return pa.array([unicodedata.normalize("NFC", text) for text in texts.to_pylist()], texts.type)


def _unescaped(texts: pa.Array) -> pa.Array:
    return pa.array([_unescape(text) for text in texts.to_pylist()], texts.type)


def _without_entities(texts: pa.Array) -> pa.Array:
    for entity, character in _ENTITIES.items():
        texts = pc.replace_substring(texts, entity, character)
    return texts


def _with(texts: pa.Array, characters: str, instead: str) -> pa.Array:
    """The texts with each of some characters replaced."""
    # One after the other: plain replacing is far cheaper than a class of characters.
    for character in characters:
        if holds(texts, character.encode()):
            texts = pc.replace_substring(texts, character, instead)
    return texts


def _with_single_blanks(texts: pa.Array) -> pa.Array:
    while True:
        texts = pc.replace_substring(texts, "  ", " ")
        if not holds(texts, b"  ") or not pc.any(pc.match_substring(texts, "  ")).as_py():
            return texts


def _may_hold_odd_space(data: bytes) -> bool:
    """Whether there may be a space that is no blank: a control character, or a longer character that leads one."""
    return bool(data) and (bool(np.frombuffer(data, np.uint8).min() < 0x20) or b"\xc2" in data or b"\xe2" in data)


#: How a form is made: what the bytes of all texts are asked first, since most texts need no folding, and the folding.
_FOLDS: tuple[tuple[Callable[[bytes], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (lambda data: b"\x1b" in data, lambda texts: pc.replace_substring_regex(texts, ANSI, "")),
    (lambda data: one_of((b"\xcc", b"\xcd"), data), lambda texts: _where(texts, _MARKS, _composed)),
    (lambda data: one_of((b"\\u", b"\\x"), data), lambda texts: _where(texts, r"\\[ux]", _unescaped)),
    (lambda data: b"\\" in data, lambda texts: pc.replace_substring_regex(texts, _ESCAPED_SPACE, " ")),
    (lambda data: b"&" in data, lambda texts: _where(texts, _ENTITY, _without_entities)),
    (
        lambda data: one_of(_QUOTE_BYTES, data),
        lambda texts: _with(texts, QUOTE_MARKS, ""),
    ),
    (_may_hold_odd_space, lambda texts: _with(texts, _ODD_SPACES, " ")),
    (lambda data: one_of((b"  ",), data), _with_single_blanks),
    (
        lambda data: one_of((b"\xef\xbf\xbd",), data),
        lambda texts: pc.replace_substring_regex(texts, "\ufffd+", "\ufffd"),
    ),
)


_UNICODE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_BYTES = re.compile(r"(?:\\x[0-9a-fA-F]{2})+")


def _unescape(text: str) -> str:
    """Characters that JSON wrote as four hexadecimal digits, and bytes that nginx or Python did as two.

    Halves of a pair that stand alone become U+FFFD; bytes that are no UTF-8 are Latin-1, as Python writes it.
    """

    def character(run: re.Match[str]) -> str:
        units = bytes.fromhex(run[0].replace("\\u", ""))
        return units.decode("utf-16-be", errors="replace")

    def characters(run: re.Match[str]) -> str:
        data = bytes.fromhex(run[0].replace("\\x", ""))
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")

    return _BYTES.sub(characters, _UNICODE.sub(character, text))


_PY_ANSI = re.compile(ANSI)
_PY_MARKS = re.compile("[\u0300-\u036f]")
_PY_QUOTES = re.compile(_QUOTES)
_PY_SPACES = re.compile(_SPACES)


def normal_form(text: str) -> str:
    """Normal form of one text; equal to `normal_forms` on it."""
    if "\x1b" in text:
        text = _PY_ANSI.sub("", text)
    if not text.isascii() and _PY_MARKS.search(text):
        text = unicodedata.normalize("NFC", text)
    if "\\u" in text or "\\x" in text:
        text = _unescape(text)
    if "\\" in text:
        text = re.sub(_ESCAPED_SPACE, " ", text)
    if "&" in text:
        for entity, character in _ENTITIES.items():
            text = text.replace(entity, character)
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


def hashes(texts: pa.Array) -> Integers:
    """64-bit hash of each text; null becomes 0."""
    return np.zeros(len(texts), np.int64) if texts.null_count == len(texts) else hash_columns([texts])[0]


def hash_columns(columns: Sequence[pa.Array]) -> list[Integers]:
    """`hashes` of several columns of one length at once: a question of its own costs as much as ten thousand texts."""
    connection = _hasher(os.getpid(), threading.get_ident())
    names = [f"c{number}" for number in range(len(columns))]
    # DuckDB finds the table by the name of this variable; registering it costs more than hashing a thousand texts.
    texts = pa.table(dict(zip(names, columns, strict=True)))  # noqa: F841
    found = connection.execute(
        f"SELECT {', '.join(f'hash({name}) AS {name}' for name in names)} FROM texts"
    ).fetchnumpy()
    made: list[Integers] = []
    for name, column in zip(names, columns, strict=True):
        own = np.asarray(found[name]).astype(np.uint64, copy=False).view(np.int64)
        made.append(np.where(np.asarray(column.is_null()), 0, own) if column.null_count else own)
    return made


@lru_cache(maxsize=8)
def _hasher(_process: int, _thread: int) -> duckdb.DuckDBPyConnection:
    """One connection per process and thread: opening one costs more than hashing a batch.

    Its questions hold nothing to optimise, and trying costs a third of a small one's time.
    """
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("PRAGMA disable_optimizer")
    return connection


def hash_texts(texts: list[str]) -> Integers:
    """64-bit hash of each text."""
    return hashes(pa.array(texts, pa.large_string()))
