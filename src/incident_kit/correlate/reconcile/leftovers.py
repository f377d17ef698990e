"""What found no partner by hash is compared as text: folded numbers, templates, parts of lines, truncation, shifts.

Leftovers are few, so rows are Python objects here; candidates still come from sorted times, never from all pairs.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from incident_kit.correlate.reconcile.arbitration import disagree, values_of
from incident_kit.correlate.reconcile.clocks import SECOND, Clocks
from incident_kit.correlate.reconcile.match import Integers, mix, nearest_pairs
from incident_kit.correlate.reconcile.pairing import foreign
from incident_kit.correlate.reconcile.pairs import (
    EXACT,
    HEAD,
    LOOSE,
    OWN,
    PART,
    REFUSED,
    REFUSED_UNLABELLED,
    TEMPLATE,
    TRUNCATED,
    UNLABELLED,
    Pairs,
)
from incident_kit.correlate.reconcile.sides import NOT_SAID, Side
from incident_kit.correlate.reconcile.texts import Texts, document_texts, entry_texts
from incident_kit.normalise.logs.normal_form import normal_form

_SHORTEST_PART = 6
_MOST_CANDIDATES = 400
_HOLE = re.compile(r"\\\{[@$]?[\w.]+(?:,-?\d+)?(?::[^{}]+?)?\\\}")
#: Folded texts and hashes of nothing, which are no text in common.
_NO_TEXT: set[object] = {"", 0}
#: Hashes of entry and document that make them equal, the strictest first.
HASHES = (("message", "message"), ("head", "message"), ("head", "head"), ("text", "message"))
#: A document this much later than its entry is late at most, never its document.
MOST_LATE_NS = 6 * 3600 * SECOND
#: On a busy node a line reaches the kubelet's file this long after its document was made.
_MOST_STALLED_NS = 10 * SECOND
#: A pod whose last line is older than the capture's by this had ended by then.
_SILENT_NS = 60 * SECOND


#: Whether an entry (first row number) and a document (second) are one event.
Test = Callable[["Leftovers", int, int], bool]


@dataclass(slots=True)
class Leftovers:
    """One bucket's entries without partner, against documents of their pods or without pod.

    Attributes:
        entries, documents: the two sides; documents may be those of the bucket or those without pod.
        pairs: what is known so far; pairs found are added.
        clocks: by pod.
        where: `OWN` or `UNLABELLED`.
        free: rows of the documents that may still be taken.
        suffixed: pods whose console shows more behind a message than their documents hold.
    """

    entries: Side
    documents: Side
    pairs: Pairs
    clocks: Clocks
    where: int
    free: Integers
    entry_texts: Texts
    document_texts: Texts
    suffixed: set[int]

    def run(self) -> None:
        """All text passes, strictest first."""
        # Truncated before template: a cut message stays cut even where its properties are whole.
        for test, how in (
            (_equal_loose, LOOSE),
            (_has_suffix, PART),
            (_has_exception, PART),
            (_is_prefix, TRUNCATED),
            (_is_part, PART),
            (_fits_template, TEMPLATE),
        ):
            self._near(test, how)
        self._tell_suffixes()

    def _tell_suffixes(self) -> None:
        """A console that always appends the same kind of thing behind the message truncates nothing.

        What a truncation takes away begins anywhere in a text; what a layout appends always begins alike.
        """
        rows = np.flatnonzero((self.pairs.how == TRUNCATED) & (self.pairs.where == self.where))
        rows = np.array(
            [
                row
                for row in rows.tolist()
                if row in self.entry_texts.message and int(self.pairs.document[row]) in self.document_texts.message
            ],
            dtype=np.int64,
        )
        for pod in np.unique(self.entries.pod[rows]).tolist():
            own = rows[self.entries.pod[rows] == pod]
            rests = [
                self.entry_texts.message[row][len(self.document_texts.message[int(self.pairs.document[row])]) :][:2]
                for row in own.tolist()
            ]
            common, count = Counter(rests).most_common(1)[0]
            if count >= max(3, 0.9 * len(rests)) and len(common) == 2 and not common.strip()[:1].isalnum():
                self.pairs.how[own] = PART

    def _near(self, test: Test, how: int, shift: int = 0) -> None:
        """Pair each document with the nearest entry within tolerance that passes the test."""
        proposals: list[tuple[int, int, int]] = []
        open_rows = self.pairs.open_entries()
        if not len(open_rows) or not len(self.free):
            return
        order = open_rows[np.argsort(self.entries.time[open_rows], kind="stable")]
        times = self.entries.time[order]
        for document in self.free.tolist():
            pod = int(self.documents.pod[document])
            widest = int(self.clocks.tolerance.max(initial=0)) if pod == NOT_SAID else int(self.clocks.tolerance[pod])
            skew = 0 if pod == NOT_SAID else int(self.clocks.skew[pod])
            centre = int(self.documents.time[document]) - skew - shift
            low, high = np.searchsorted(times, [centre - widest - 1, centre + widest + 1])
            for entry in order[low : min(int(high), int(low) + _MOST_CANDIDATES)].tolist():
                if self.allowed(entry, document) and test(self, entry, document):
                    proposals.append((abs(int(self.entries.time[entry]) - centre), entry, document))
        self._accept(proposals, how, shift)

    def allowed(self, entry: int, document: int) -> bool:
        """Whether the document may be the entry's by what it says of itself."""
        pod, namespace, container = (
            int(getattr(self.documents, n)[document]) for n in ("pod", "namespace", "container")
        )
        return (
            pod in (NOT_SAID, int(self.entries.pod[entry]))
            and namespace in (NOT_SAID, int(self.entries.namespace[entry]))
            and container in (NOT_SAID, int(self.entries.container[entry]))
        )

    def _accept(self, proposals: list[tuple[int, int, int]], how: int, shift: int) -> None:
        used_entries: set[int] = set()
        used_documents: set[int] = set()
        for _, entry, document in sorted(proposals):
            if entry in used_entries or document in used_documents:
                continue
            used_entries.add(entry)
            used_documents.add(document)
            where = _refused(self.where) if self.documents.rejected[document] else self.where
            self.pairs.add(np.array([entry]), np.array([document]), how, where, shift)
        if used_documents:
            self.free = self.free[~np.isin(self.free, np.fromiter(used_documents, np.int64))]


def _equal_loose(leftovers: Leftovers, entry: int, document: int) -> bool:
    mine, theirs = leftovers.entry_texts.loose[entry], leftovers.document_texts.loose[document]
    return bool(theirs) and theirs in (mine, leftovers.entry_texts.first[entry])


def _fits_template(leftovers: Leftovers, entry: int, document: int) -> bool:
    template = leftovers.document_texts.template.get(document)
    if not template:
        return False
    own = leftovers.entry_texts.template.get(entry)
    if own is not None:
        return own == normal_form(template)
    expression = _template_expression(template)
    return expression is not None and expression.match(leftovers.entry_texts.message[entry]) is not None


@lru_cache(maxsize=4096)
def _template_expression(template: str) -> re.Pattern[str] | None:
    escaped = re.escape(normal_form(template))
    expression, holes = _HOLE.subn("(?:.*?)", escaped)
    if len(re.sub(r"\W|_", "", _HOLE.sub("", escaped))) < _SHORTEST_PART or not holes:
        return None
    return re.compile(expression + r"(?:\s.*)?$", re.DOTALL)


def _is_part(leftovers: Leftovers, entry: int, document: int) -> bool:
    """The document's message stands in the entry's text at words' ends, but is not the beginning of its message."""
    theirs, whole = leftovers.document_texts.message[document], leftovers.entry_texts.whole[entry]
    if len(theirs) < _SHORTEST_PART or len(theirs) > len(whole):
        return False
    position = whole.find(theirs)
    if position < 0 or leftovers.entry_texts.message[entry].startswith(theirs):
        return False
    before, after = whole[position - 1 : position], whole[position + len(theirs) : position + len(theirs) + 1]
    return not (before.isalnum() and theirs[0].isalnum()) and not (after.isalnum() and theirs[-1].isalnum())


def _somebody_elses(leftovers: Leftovers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Documents of a text of which far more documents than entries are open: another container wrote them."""
    entries, documents, rows = leftovers.entries, leftovers.documents, leftovers.pairs.open_entries()
    keys = mix(entries.pod[rows], entries.hashes("message")[rows])
    other = mix(documents.pod[leftovers.free], documents.hashes("message")[leftovers.free])
    return foreign(other, keys)


def suffixed_pods(entries: Side, pairs: Pairs) -> set[int]:
    """Pods whose console shows more behind the message than their documents' messages hold."""
    own = pairs.where == OWN
    heads = np.bincount(entries.pod[own & (pairs.how == HEAD)], minlength=1)
    whole = np.bincount(entries.pod[own & (pairs.how == EXACT)], minlength=len(heads))
    return {int(pod) for pod in np.flatnonzero(heads > 0.3 * (heads + whole[: len(heads)]))}


_SUFFIX = re.compile(r"\s*(?:[\w.@/\[\]\-]+=|\{|\[|\(|[\w.@\-]+: )")


def _has_suffix(leftovers: Leftovers, entry: int, document: int) -> bool:
    """The document's message begins the entry's, and what follows are the values that such a console appends."""
    theirs, mine = leftovers.document_texts.message[document], leftovers.entry_texts.message[entry]
    if int(leftovers.entries.pod[entry]) not in leftovers.suffixed or len(theirs) < 3 or not mine.startswith(theirs):
        return False
    return _SUFFIX.match(mine[len(theirs) :]) is not None


def _has_exception(leftovers: Leftovers, entry: int, document: int) -> bool:
    """What follows the document's message on the console is the exception that the document has in another field."""
    exception = leftovers.document_texts.exception.get(document)
    theirs, mine = leftovers.document_texts.message[document], leftovers.entry_texts.message[entry]
    if not exception or len(theirs) < 3 or not mine.startswith(theirs):
        return False
    rest = mine[len(theirs) :].lstrip(" :-|")
    return len(rest) >= 4 and (rest[:40] in exception or rest.startswith(exception[:40]))


def _is_prefix(leftovers: Leftovers, entry: int, document: int) -> bool:
    theirs = leftovers.document_texts.message[document].rstrip(" .…")
    theirs = re.sub(r"(?:\.\.\.|…|\s*\[?\(?truncated\)?\]?)$", "", theirs)
    mine = leftovers.entry_texts.message[entry]
    if len(theirs) < 3:
        return False
    return (len(theirs) < len(mine) and mine.startswith(theirs)) or (
        leftovers.entry_texts.loose[entry].startswith(leftovers.document_texts.loose[document]) and len(theirs) > 12
    )


def run_leftovers(
    entries: Side, documents: Side, pairs: Pairs, clocks: Clocks, suffixed: set[int], where: int, free: Integers
) -> Integers:
    """Text passes, shifts and late documents; returns the documents that stay without an entry."""
    open_rows = pairs.open_entries()
    if where == OWN:
        free = free[np.isin(documents.pod[free], np.unique(entries.pod[open_rows]))] if len(open_rows) else free[:0]
    if not len(open_rows) or not len(free):
        return free
    leftovers = Leftovers(entries, documents, pairs, clocks, where, free, Texts(), Texts(), suffixed)
    if where == UNLABELLED:
        _hash_pass(leftovers, 0)
    else:
        leftovers.free = leftovers.free[~_somebody_elses(leftovers)]
    for shift in _known_shifts(leftovers):
        _hash_pass(leftovers, shift)
    open_rows = pairs.open_entries()
    if not len(open_rows) or not len(leftovers.free):
        return leftovers.free
    # Only now texts are read: whole pods at a shift, or without pod field, were paired by hash.
    leftovers.entry_texts, leftovers.document_texts = (
        entry_texts(entries, open_rows),
        document_texts(documents, leftovers.free),
    )
    leftovers.run()
    _shifts(leftovers)
    _late(leftovers)
    return leftovers.free


def _known_shifts(leftovers: Leftovers) -> list[int]:
    """Shifts that the clocks of pods with open entries know, most frequent pods first."""
    pods = np.unique(leftovers.entries.pod[leftovers.pairs.open_entries()]).tolist()
    found = Counter(shift for pod in pods for shift in leftovers.clocks.shifts[pod])
    return [shift for shift, _ in found.most_common(8)]


def _refused(where: int) -> int:
    return REFUSED if where == OWN else REFUSED_UNLABELLED


def _hash_pass(leftovers: Leftovers, shift: int) -> None:
    """Exact texts by hash, at a shift or for documents without pod."""
    entries, documents = leftovers.entries, leftovers.documents
    for mine, theirs in HASHES:
        rows = leftovers.pairs.open_entries()
        part = leftovers.free
        if not len(rows) or not len(part):
            return
        keys, other = entries.hashes(mine)[rows], documents.hashes(theirs)[part]
        if leftovers.where == OWN:
            keys, other = mix(entries.pod[rows], keys), mix(documents.pod[part], other)
        left, right = nearest_pairs(
            keys,
            entries.time[rows] + leftovers.clocks.skew[entries.pod[rows]],
            other,
            documents.time[part] - shift,
            leftovers.clocks.tolerance[entries.pod[rows]],
        )
        kept = np.array(
            [leftovers.allowed(int(rows[i]), int(part[j])) for i, j in zip(left, right, strict=True)], dtype=bool
        )
        left, right = left[kept], right[kept]
        refused = documents.rejected[part[right]]
        leftovers.pairs.add(rows[left[~refused]], part[right[~refused]], 0, leftovers.where, shift)
        leftovers.pairs.add(rows[left[refused]], part[right[refused]], 0, _refused(leftovers.where), shift)
        leftovers.free = np.delete(part, right)


def _same_text(leftovers: Leftovers, entry: int, document: int) -> bool:
    theirs = leftovers.document_texts.message[document]
    mine = leftovers.entry_texts.message[entry]
    head = mine == theirs or leftovers.entry_texts.whole[entry] == theirs
    return (
        head
        or leftovers.entries.hashes("head")[entry]
        in (leftovers.documents.hashes("message")[document], leftovers.documents.hashes("head")[document])
        or _equal_loose(leftovers, entry, document)
    )


def _candidates(leftovers: Leftovers) -> Iterator[tuple[int, int]]:
    """Pairs of one text at any distance."""
    by_text: dict[object, list[int]] = defaultdict(list)
    entries, documents = leftovers.entries, leftovers.documents
    for entry in leftovers.pairs.open_entries().tolist():
        for key in {
            leftovers.entry_texts.loose[entry],
            leftovers.entry_texts.first[entry],
            int(entries.hashes("head")[entry]),
            int(entries.hashes("message")[entry]),
        } - _NO_TEXT:
            by_text[key].append(entry)
    for document in leftovers.free.tolist():
        seen: set[int] = set()
        for key in (
            leftovers.document_texts.loose[document],
            int(documents.hashes("message")[document]),
            int(documents.hashes("head")[document]),
        ):
            for entry in by_text.get(key, ())[:_MOST_CANDIDATES]:
                if entry not in seen and leftovers.allowed(entry, document):
                    seen.add(entry)
                    yield entry, document


def _shifts(leftovers: Leftovers) -> None:
    """Documents at a constant shift that several texts share, per pod."""
    entries, documents = leftovers.entries, leftovers.documents
    votes: Counter[int] = Counter()
    texts: dict[int, set[int]] = defaultdict(set)
    for entry, document in _candidates(leftovers):
        difference = int(documents.time[document] - entries.time[entry])
        quarter = round(difference / (900 * SECOND))
        if quarter and abs(quarter) <= 4 * 26 and abs(difference - quarter * 900 * SECOND) <= 5 * SECOND:
            votes[quarter] += 1
            texts[quarter].add(int(entries.hashes("message")[entry]))
    ranked = [
        quarter * 900 * SECOND for quarter, count in votes.most_common() if count >= 2 and len(texts[quarter]) >= 2
    ]
    known = [
        shift
        for code in np.unique(entries.pod[leftovers.pairs.open_entries()]).tolist()
        for shift in leftovers.clocks.shifts[code]
    ]
    for shift in list(dict.fromkeys(ranked[:6] + known)):
        _hash_pass(leftovers, shift)
        leftovers._near(_same_text, LOOSE, shift)
        for test, how in ((_has_suffix, PART), (_has_exception, PART), (_is_prefix, TRUNCATED)):
            leftovers._near(test, how, shift)


def _late(leftovers: Leftovers) -> None:
    """Documents of the same text later than the tolerance, or a little earlier where the console stalled; nearest first."""
    entries, documents = leftovers.entries, leftovers.documents
    ends = _console_ends(entries)
    _, text, count = np.unique(mix(entries.pod, entries.hashes("message")), return_inverse=True, return_counts=True)
    once = count[text] == 1
    proposals = []
    for entry, document in _candidates(leftovers):
        behind = int(documents.time[document] - entries.time[entry])
        # A document from after the console was read has its entry there, unless the text is only this one's.
        unread = documents.time[document] > ends[entries.pod[entry]] and not once[entry]
        if -_MOST_STALLED_NS <= behind <= MOST_LATE_NS and not unread:
            proposals.append((abs(behind), entry, document))
    if proposals:
        mine = values_of(entries, np.unique([entry for _, entry, _ in proposals]))
        theirs = values_of(documents, np.unique([document for _, _, document in proposals]))
        proposals = [(far, e, d) for far, e, d in proposals if not disagree(mine.get(e, {}), theirs.get(d, {}))]
    leftovers._accept(proposals, LOOSE, 0)


def _console_ends(entries: Side) -> Integers:
    """By pod, until when its console was read: its last line's time; for one that fell silent before, that of all."""
    ends = np.full(int(entries.pod.max()) + 1, entries.time.max())
    own = np.zeros(len(ends), np.int64)
    np.maximum.at(own, entries.pod, entries.time)
    living: Integers = np.where(own > ends - _SILENT_NS, own, ends)
    return living
