"""Documents of values alone, as a pipeline makes of access logs, against plain lines: the values stand in the line.

Which fields stand in the lines is learnt for each container and kind of event: those whose value nearly every document finds in the line
that shows the most of its values. A document's line is the nearest that has all of these. Fields that most other lines
have, too, tell nothing; where no fields tell, nothing can be compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import orjson

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.clocks import SECOND, Clocks
from incident_kit.correlate.reconcile.match import is_among
from incident_kit.correlate.reconcile.pairs import LOOSE, OWN, Pairs
from incident_kit.correlate.reconcile.sides import NOT_SAID, Side
from incident_kit.correlate.reconcile.values import Owner, containers, of_container
from incident_kit.normalise.logs.normal_form import normal_form

#: Fewer fields than this tell no event; fewer than the second only where hardly any other line nearby has their values.
_FEWEST_FIELDS, _MANY_FIELDS = 2, 3
#: Share of the documents whose value of a telling field stands in their line.
_LEAST_FOUND = 0.9
#: Share of the other lines nearby that may have all of a document's values.
_MOST_BY_CHANCE, _HARDLY = 0.2, 0.02
#: So many documents of one kind are learnt from by themselves.
_LEAST_OF_KIND = 10
#: More documents that nothing was recognised of than this share of the open entries may be theirs.
_MOST_STRANGE = 0.1
_MOSTLY = 0.5
#: A document of another wording than its line has so many fields in it at least, and this share of its fields.
_FEWEST_OF_WORDING, _MOST_OF_WORDING = 4, 0.7
_SAMPLED = 1_000
_UNIT = re.compile(r"(?:[nµum]?s|ms|sec|[kmg]i?b|bytes|b|%)(?!\w)")
#: Documents that are learnt from, and lines nearby that are tried for one.
_LEARNT_FROM, _TRIED = 300, 12
#: So many lines before and behind a document's own are tried for chance.
_BESIDE = 4
_NEAREST_NS = 5 * SECOND


def pair_by_words(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks) -> Integers:
    """Pair lines with documents that have no message.

    Returns:
        Entries about which a missing document proves nothing: most of their container's have none, and free documents
        without a message are of kinds of which no fields could be recognised in the lines.
    """
    nothing = np.zeros(0, np.int64)
    rows, free = pairs.open_entries(), pairs.open_documents()
    if not len(rows) or not len(free) or documents.files.all_null("properties"):
        return nothing
    free = free[~documents.rejected[free] & (documents.pod[free] != NOT_SAID)]
    free = free[documents.hashes("message")[free] == 0]
    rows = rows[is_among(entries.pod[rows], np.unique(documents.pod[free]))]
    doubtful = []
    for owner, mine in containers(entries, rows):
        theirs = of_container(documents, free[~pairs.taken[free]], owner)
        if not len(theirs):
            continue
        strange = 0
        lines = _Lines(entries, mine)
        for part, said in _kinds(documents, theirs):
            fields = _telling(lines, said, documents.time[part] - clocks.skew[owner[0]])
            if fields:
                for reach in (_NEAREST_NS, None):
                    _pair(lines, said, part, fields, entries, documents, pairs, clocks, reach)
            else:
                strange += len(part)
        mine = mine[pairs.document[mine] < 0]
        # Where most entries have their document, the strange ones are no log: metrics of the pod, for one.
        if strange >= _MOST_STRANGE * len(mine) and not _mostly_paired(entries, pairs, owner):
            doubtful.append(mine)
    return np.concatenate(doubtful) if doubtful else nothing


def pair_other_wording(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks) -> None:
    """Pair lines with documents whose message is worded otherwise, as a formatter does for requests, by the values of both.

    A line's own values must be nearly all that such a document holds, and no line of its template may have been found by
    its text: then its documents' wording is known, and it is lost.
    """
    rows, free = pairs.open_entries(), pairs.open_documents()
    if not len(rows) or not len(free) or documents.files.all_null("properties"):
        return
    free = free[
        ~documents.rejected[free] & (documents.pod[free] != NOT_SAID) & (documents.hashes("message")[free] != 0)
    ]
    rows = rows[is_among(entries.pod[rows], np.unique(documents.pod[free]))]
    for owner, mine in containers(entries, rows):
        mine = mine[~is_among(entries.integers("mask_hash")[mine], _masks_found(entries, pairs, owner))]
        theirs = of_container(documents, free[~pairs.taken[free]], owner)
        if len(mine) < _LEAST_OF_KIND or len(theirs) < _LEAST_OF_KIND:
            continue
        lines, skew = _Lines(entries, mine), clocks.skew[owner[0]]
        some = theirs[:: max(1, len(theirs) // _SAMPLED)]
        if not any(_worded(lines, said, documents.time[part] - skew) for part, said in _kinds(documents, some)):
            continue
        for part, said in _kinds(documents, theirs):
            fields = _worded(lines, said, documents.time[part] - skew)
            if fields:
                for reach in (_NEAREST_NS, None):
                    _pair(lines, said, part, fields, entries, documents, pairs, clocks, reach)


def _worded(lines: _Lines, said: Sequence[Mapping[str, str]], instants: Integers) -> list[str]:
    """Fields that tell documents of another wording; empty unless they are nearly all of what these hold."""
    fields = _telling(lines, said, instants, _HARDLY)
    usual = sum(2 * count >= len(said) for count in Counter(name for one in said for name in one).values())
    return fields if len(fields) >= max(_FEWEST_OF_WORDING, _MOST_OF_WORDING * usual) else []


def _masks_found(entries: Side, pairs: Pairs, owner: Owner) -> Integers:
    """Hashes of the templates of which an entry of the container has its document."""
    found = pairs.document >= 0
    for codes, code in zip((entries.pod, entries.namespace, entries.container), owner, strict=True):
        found &= codes == code
    return np.unique(entries.integers("mask_hash")[found])


def _mostly_paired(entries: Side, pairs: Pairs, owner: Owner) -> bool:
    own = np.ones(len(entries), bool)
    for codes, code in zip((entries.pod, entries.namespace, entries.container), owner, strict=True):
        own &= codes == code
    return bool((pairs.document[own] >= 0).mean() > _MOSTLY)


def _kinds(documents: Side, rows: Integers) -> Iterator[tuple[Integers, list[dict[str, str]]]]:
    """Documents with the values of each, one kind of event at a time: those with the same fields; rare kinds together."""
    said = _said(documents, rows)
    names = [frozenset(values) for values in said]
    often = {kind for kind, count in Counter(names).items() if count >= _LEAST_OF_KIND}
    kinds: dict[frozenset[str], list[int]] = {}
    for place, kind in enumerate(names):
        kinds.setdefault(kind if kind in often else frozenset(), []).append(place)
    for places in kinds.values():
        yield rows[places], [said[place] for place in places]


class _Lines:
    """Open entries of one container in time order, with their texts."""

    def __init__(self, entries: Side, rows: Integers) -> None:
        self.rows = rows[np.argsort(entries.time[rows], kind="stable")]
        self.time = entries.time[self.rows]
        # Texts are read in the order of rows, which is how they are stored.
        texts = dict(zip(rows.tolist(), entries.text(["text"], rows)["text"].to_pylist(), strict=True))
        self.text = [normal_form(texts[row] or "").lower() for row in self.rows.tolist()]

    def near(self, instant: int, reach: int) -> list[int]:
        """Places of the lines within reach of an instant, the nearest first."""
        low, high = np.searchsorted(self.time, [instant - reach, instant + reach + 1]).tolist()
        centre = int(np.searchsorted(self.time, instant))
        low, high = max(low, centre - _TRIED), min(high, centre + _TRIED)
        return sorted(range(low, high), key=lambda place: abs(int(self.time[place]) - instant))[:_TRIED]


def _said(documents: Side, rows: Integers) -> list[dict[str, str]]:
    """Values of each document as a line may show them; flags, lists and objects are no words."""
    found = []
    for text in documents.text(["properties"], rows)["properties"].to_pylist():
        values = orjson.loads(text) if text else {}
        found.append(
            {
                name: _word(value)
                for name, value in values.items()
                if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip("- ")
            }
        )
    return found


def _word(value: str | float) -> str:
    """A value as a line shows it: a whole number without a fraction, whatever the documents' field made of it."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else normal_form(str(value)).lower()


def _stands(word: str, text: str) -> bool:
    """Whether a value stands in a text at words' ends."""
    place = text.find(word)
    while place >= 0:
        end = place + len(word)
        if not (text[place - 1 : place].isalnum() and word[0].isalnum()) and (
            not (text[end : end + 1].isalnum() and word[-1].isalnum()) or _is_unit(word, text, end)
        ):
            return True
        place = text.find(word, place + 1)
    return False


def _is_unit(word: str, text: str, end: int) -> bool:
    """Whether what goes on behind a number is its unit."""
    return word[-1].isdigit() and _UNIT.match(text, end) is not None


def _telling(
    lines: _Lines, said: Sequence[Mapping[str, str]], instants: Integers, by_chance: float = _MOST_BY_CHANCE
) -> list[str]:
    """Fields whose values stand in the documents' own lines, and hardly together in others, at most as often as by chance."""
    had: Counter[str] = Counter()
    stood: Counter[str] = Counter()
    tried: list[tuple[Mapping[str, str], int]] = []
    for number in range(0, len(said), max(1, len(said) // _LEARNT_FROM)):
        values, near = said[number], lines.near(int(instants[number]), _NEAREST_NS)
        if not near:
            continue
        found = [{name for name, word in values.items() if _stands(word, lines.text[place])} for place in near]
        weights = [sum(len(values[name]) for name in names) for names in found]
        best = int(np.argmax(weights))
        had.update(values.keys())
        stood.update(found[best])
        tried.append((values, near[best]))
    fields = [name for name, count in had.items() if 2 * count >= len(tried) and stood[name] >= _LEAST_FOUND * count]
    others = [
        _has_all(values, fields, lines.text[place])
        for values, best in tried
        for place in range(max(0, best - _BESIDE), min(len(lines.text), best + _BESIDE + 1))
        if place != best
    ]
    most = by_chance if len(fields) >= _MANY_FIELDS else _HARDLY
    told = len(fields) >= _FEWEST_FIELDS and bool(others or len(fields) >= _MANY_FIELDS)
    return fields if told and sum(others) <= most * len(others) else []


def _has_all(values: Mapping[str, str], fields: Sequence[str], text: str) -> bool:
    """Whether all of these values that a document has stand in a text, most fields being there."""
    own = [name for name in fields if name in values]
    return 2 * len(own) > len(fields) and all(_stands(values[name], text) for name in own)


def _pair(
    lines: _Lines, said: Sequence[Mapping[str, str]], theirs: Integers, fields: Sequence[str],
    entries: Side, documents: Side, pairs: Pairs, clocks: Clocks, reach: int | None,
) -> None:  # fmt: skip
    """Pair what is open on both sides, nearest first; then the clock is known."""
    pod = int(entries.pod[lines.rows[0]])
    within = int(clocks.tolerance[pod]) if reach is None else reach
    proposals = []
    for number in np.flatnonzero(~pairs.taken[theirs]).tolist():
        instant = int(documents.time[theirs[number]] - clocks.skew[pod])
        for place in lines.near(instant, within):
            if pairs.document[lines.rows[place]] < 0 and _has_all(said[number], fields, lines.text[place]):
                proposals.append((abs(int(lines.time[place]) - instant), place, number))
    used: set[int] = set()
    for _, place, number in sorted(proposals):
        row, document = lines.rows[place], theirs[number]
        if place not in used and not pairs.taken[document]:
            used.add(place)
            pairs.add(np.array([row]), np.array([document]), LOOSE, OWN)
    found = lines.rows[sorted(used)]
    clocks.learn(np.full(len(found), pod), documents.time[pairs.document[found]] - entries.time[found], least=10)
