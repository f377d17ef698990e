"""Where a learnt prefix or tail says the level: the word whose values agree with the documents' levels."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.normalise.logs.formats.extract import extract
from incident_kit.normalise.logs.formats.layout import Alternative
from incident_kit.normalise.logs.levels import FOLDED, fold_level

_PART = re.compile(r"[^\W_]+")
_MOST_PARTS = 6
_MOST_WORDS = 8
#: Words of nobody's that may be levels: so many, of so many lines of a sample each.
_MOST_OWN_WORDS, _LEAST_OF_WORD = 3, 3


@dataclass(frozen=True, slots=True)
class LevelPlace:
    """The slot of the level, the part of it where a slot holds more, and the words with their levels.

    Attributes:
        slot: number of the slot; None where no slot tells the level.
        part: number of the part between punctuation within the slot; None for the whole slot.
        words: level by word, as the documents say it; words beyond them are read by their usual names.
    """

    slot: int | None = None
    part: int | None = None
    words: dict[str, str] = field(default_factory=dict)


def level_place(rows: Sequence[tuple[list[str], str | None]]) -> LevelPlace:
    """The place of the level in rows of slots, each with its document's level where known."""
    width = min((len(slots) for slots, _ in rows), default=0)
    whole = _best([[bare(slots[place]) for slots, _ in rows] for place in range(width)], rows)
    if whole is not None:
        return LevelPlace(whole[0], None, whole[1])
    for place in range(width):
        parts = [_PART.findall(slots[place])[:_MOST_PARTS] for slots, _ in rows]
        depth = min(map(len, parts))
        found = _best([[one[number] for one in parts] for number in range(depth)], rows) if depth > 1 else None
        if found is not None:
            return LevelPlace(place, found[0], found[1])
    return LevelPlace()


def _best(
    columns: Sequence[Sequence[str]], rows: Sequence[tuple[list[str], str | None]]
) -> tuple[int, dict[str, str]] | None:
    """The column whose words agree with the documents' levels, else the one whose words are level names."""
    best: tuple[float, int, dict[str, str]] | None = None
    for place, column in enumerate(columns):
        words: dict[str, Counter[str]] = defaultdict(Counter)
        named = 0
        for word, (_, level) in zip(column, rows, strict=True):
            named += word.lower() in FOLDED and not word.isdigit()
            if level:
                words[word][level] += 1
        if not words or len(words) > _MOST_WORDS:
            if named > len(rows) * 0.9 and (best is None or best[0] < 0.5):
                best = (0.5, place, {})
            continue
        agree = sum(counter.most_common(1)[0][1] for counter in words.values()) / sum(
            map(Counter.total, words.values())
        )
        distinct = len({counter.most_common(1)[0][0] for counter in words.values()})
        score = agree + 0.3 * (named / len(rows)) + 0.2 * (distinct > 1)
        if agree > 0.95 and (distinct > 1 or named > len(rows) * 0.9) and (best is None or score > best[0]):
            best = (score, place, {w: c.most_common(1)[0][0] for w, c in words.items() if not _is_name(w)})
    return None if best is None else (best[1], best[2])


def with_own_words(alternative: Alternative, lines: pa.Array) -> Alternative:
    """The alternative with the words in its place of the level that are nobody's name of one, each in lower case.

    A level that is not shipped has no document that could say what its word means. Few words that stand there often are
    levels all the same; many are not, and then it is no place of levels.
    """
    if alternative.name != "learnt" or "(?P<level>" not in alternative.expression:
        return alternative
    said = pc.value_counts(extract(lines, alternative.expression).field("level").drop_null()).to_pylist()
    own = {
        one["values"]: one["counts"]
        for one in said
        if one["values"] and one["values"] not in alternative.levels and fold_level(one["values"]) is None
    }
    if not own or len(own) > _MOST_OWN_WORDS or min(own.values()) < _LEAST_OF_WORD:
        return alternative
    return replace(alternative, levels={**alternative.levels, **{word: word.lower() for word in own}})


def _is_name(word: str) -> bool:
    """Whether a word says its level in full: no document's number says otherwise."""
    return len(word) >= 4 and word.lower() in FOLDED


def bare(token: str) -> str:
    """A word without the punctuation around it; a mark that is nothing else stays."""
    return token.strip(":,.-*#/") or token


def part_expression(part: int) -> str:
    """A slot of which one part is the level."""
    return rf"[^\w\s]*(?:[A-Za-z0-9]+[^A-Za-z0-9\s]+){{{part}}}(?P<level>[A-Za-z0-9]+)"
