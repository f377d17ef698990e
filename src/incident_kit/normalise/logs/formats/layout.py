"""Layout: how one container writes its entries, decided on a sample and applied to all of its lines at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers, put
from incident_kit.normalise.logs.formats.blocks import Blocks
from incident_kit.normalise.logs.formats.extract import extract
from incident_kit.normalise.logs.formats.known import inner_forms
from incident_kit.normalise.logs.formats.patterns import ANY_PREFIX, SIMPLE_CONSOLE
from incident_kit.normalise.logs.grammar import EXCEPTION_EXPRESSION, INSIDE_EXPRESSION, RUNTIME_EXPRESSION
from incident_kit.normalise.logs.levels import FOLDED, WORDS, fold_level
from incident_kit.normalise.logs.text_bytes import BRACE, NO_DIGIT, fitted

_JSON = r"^\s*\{.*\}\s*$"
#: A level that the message itself begins with.
_SPOKEN_LEVEL = rf"^[\[(<]?(?P<level>{'|'.join(word.upper() for word in WORDS)})(?:[\])>]:?|:)\s(?s:.*)$"
#: Lines of which one must fit before all are asked for what their own alternative does not tell.
_TRIED = 500
#: So few lines are all asked, and so come out the same in any company.
ALL_ASKED = 2 * _TRIED - 1


@dataclass(slots=True)
class Alternative:
    """One first-line regexp of a layout.

    Attributes:
        name: pattern's name, ``profile`` or ``learnt``.
        expression: regexp with the group ``message`` and perhaps time, level, logger.
        levels: level words that were learnt from the documents' levels; else the usual names.
    """

    name: str
    expression: str
    levels: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Parsed:
    """First lines taken apart; texts of equal length, null where not known."""

    format: pa.Array
    time: pa.Array
    level: pa.Array
    logger: pa.Array
    message: pa.Array


@dataclass(slots=True)
class Layout:
    """The alternatives of a container, best first; JSON lines are told by their braces.

    Attributes:
        alternatives: first-line regexps.
        simple_console: .NET's two-line console.
        json: whether lines that are one JSON object are taken as such.
        inner: forms of lines that documents have inside of an entry.
        blocks: how entries of several lines look, where the container writes such.
        margin: blanks that stand before every entry's first line (tracing's pretty form).
    """

    alternatives: list[Alternative] = field(default_factory=list)
    simple_console: bool = False
    json: bool = True
    margin: str = ""
    blocks: Blocks | None = None
    inner: frozenset[str] = frozenset()

    def parses_as(self, other: Layout) -> bool:
        """Whether another layout takes first lines apart in the same way; what tells entries apart may differ."""
        mine, theirs = ((one.alternatives, one.simple_console, one.json, one.margin) for one in (self, other))
        return mine == theirs

    def proven(
        self, texts: pa.Array, loose: np.ndarray[Any, np.dtype[np.bool_]]
    ) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Lines without a prefix that documents show to stand inside of an entry, or its first line to go on."""
        found = np.zeros(len(texts), dtype=bool)
        rows = np.flatnonzero(loose)
        if self.blocks is not None and len(rows):
            found[rows] = ~np.asarray(pc.starts_with(texts.take(pa.array(rows)), self.blocks.first))
            return found
        if self.inner and len(rows):
            found[rows] = [form in self.inner for form in inner_forms(texts.take(pa.array(rows)))]
        return found

    def _bare(self, texts: pa.Array) -> pa.Array:
        return pc.replace_substring_regex(texts, rf"^{self.margin}(\S)", r"\1") if self.margin else texts

    def heads(self, texts: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Lines that begin an entry by their own looks."""
        texts = self._bare(texts)
        found = np.asarray(pc.match_substring_regex(texts, ANY_PREFIX))
        json = fitted(texts, _JSON, BRACE) & ~found if self.json else np.zeros(len(texts), dtype=bool)
        found = found | json
        for alternative in self.alternatives:
            if not found.all():
                found = found | np.asarray(pc.match_substring_regex(texts, alternative.expression))
        if self.simple_console:
            found = found | np.asarray(pc.match_substring_regex(texts, SIMPLE_CONSOLE))
        # "Error: ..." may head an exception and "panic: ..." is a runtime's, however much they look like levels.
        told = fitted(texts, f"{EXCEPTION_EXPRESSION}|{RUNTIME_EXPRESSION}|{INSIDE_EXPRESSION}", NO_DIGIT)
        if self.inner and 0 < json.sum() < (found & ~json).sum():
            told = told | self.proven(texts, json)  # a body within an entry, where entries are no JSON
        heads: np.ndarray[Any, np.dtype[np.bool_]] = found & ~told
        if self.blocks is not None:
            inner = [self.blocks.continues(text) for text in texts.to_pylist()]
            heads = (heads & ~np.array(inner, bool)) | np.asarray(pc.starts_with(texts, self.blocks.first))
        return heads

    def parse(self, firsts: pa.Array) -> Parsed:
        """Take first lines apart; a line that fits no alternative is its own message."""
        firsts = self._bare(firsts)
        unknown = pa.nulls(len(firsts), pa.string())
        parsed = Parsed(unknown, unknown, unknown, unknown, firsts)
        left = ~fitted(firsts, RUNTIME_EXPRESSION, NO_DIGIT)
        simple = [Alternative("dotnet_simple", SIMPLE_CONSOLE)] if self.simple_console else []
        for alternative in (*simple, *self.alternatives):
            if not left.any():
                break
            left[_apply(alternative, firsts, parsed, np.flatnonzero(left))] = False
        self._complete(firsts, parsed)
        return parsed

    def _complete(self, firsts: pa.Array, parsed: Parsed) -> None:
        """Level and time of lines whose alternative does not tell them, from any other that fits the line."""
        rows = np.flatnonzero(pc.and_(parsed.level.is_null(), parsed.format.is_valid()))
        for alternative in self.alternatives:
            if not len(rows):
                return
            if "(?P<level>" not in alternative.expression:
                continue
            some = rows[:: max(1, len(rows) // _TRIED)]
            if not pc.any(pc.match_substring_regex(firsts.take(pa.array(some)), alternative.expression)).as_py():
                continue
            extracted = extract(firsts.take(pa.array(rows)), alternative.expression)
            levels = fold_words(extracted.field("level"), alternative.levels)
            told = np.asarray(levels.is_valid())
            parsed.level = put(parsed.level, rows[told], levels.filter(pa.array(told)))
            if extracted.type.get_field_index("time") >= 0:
                own = told & np.asarray(parsed.time.take(pa.array(rows)).is_null())
                parsed.time = put(parsed.time, rows[own], _told(extracted.field("time").filter(pa.array(own))))
            rows = rows[~told]
        if len(rows):
            words = extract(parsed.message.take(pa.array(rows)), _SPOKEN_LEVEL)
            levels = fold_words(words.field("level"), {})
            told = np.asarray(levels.is_valid())
            parsed.level = put(parsed.level, rows[told], levels.filter(pa.array(told)))


def _apply(alternative: Alternative, firsts: pa.Array, parsed: Parsed, open_rows: Integers) -> Integers:
    """Take some lines apart as an alternative says; the rows that it fits."""
    whole = len(open_rows) == len(firsts)
    extracted = extract(firsts if whole else firsts.take(pa.array(open_rows)), alternative.expression)
    valid = np.asarray(extracted.is_valid())
    rows: Integers = open_rows[valid]
    if not len(rows):
        return rows
    names = {extracted.type.field(i).name for i in range(extracted.type.num_fields)}
    hit = extracted if valid.all() else extracted.filter(pa.array(valid))
    parsed.format = put(parsed.format, rows, pa.repeat(alternative.name, len(rows)))
    for group in {"time", "logger"} & names:
        setattr(parsed, group, put(getattr(parsed, group), rows, _told(hit.field(group))))
    if "level" in names:
        parsed.level = put(parsed.level, rows, fold_words(hit.field("level"), alternative.levels))
    if "message" in names:
        parsed.message = put(parsed.message, rows, hit.field("message"))
    return rows


def _told(values: pa.Array) -> pa.Array:
    """A group's texts; one that is empty, as one that took no part is, tells nothing."""
    empty = pc.equal(pc.binary_length(values), 0)
    return pc.if_else(empty, pa.scalar(None, values.type), values) if pc.any(empty).as_py() else values


def fold_words(words: pa.Array, learnt: dict[str, str]) -> pa.Array:
    """Folded level of each word; few distinct words, so each is folded once."""
    encoded = words.dictionary_encode()
    folded = [
        learnt.get(w) or FOLDED.get(w.lower()) or fold_level(w) if w else None for w in encoded.dictionary.to_pylist()
    ]
    return pa.array(folded, pa.string()).take(encoded.indices)
