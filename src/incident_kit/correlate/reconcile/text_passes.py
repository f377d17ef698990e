"""What found no partner by hash is compared as text, strictest test first; then at shifts, then as late as it may be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.arbitration import disagree, values_of
from incident_kit.correlate.reconcile.begun_otherwise import pair_begun_otherwise
from incident_kit.correlate.reconcile.clocks import SECOND, Clocks
from incident_kit.correlate.reconcile.leftovers import Leftovers
from incident_kit.correlate.reconcile.match import is_among, mix
from incident_kit.correlate.reconcile.own_times import proved_clocks
from incident_kit.correlate.reconcile.pairing import foreign
from incident_kit.correlate.reconcile.pairs import EXACT, HEAD, LOOSE, OWN, PART, TEMPLATE, TRUNCATED, UNLABELLED, Pairs
from incident_kit.correlate.reconcile.said_more import pair_said_more
from incident_kit.correlate.reconcile.sides import Side
from incident_kit.correlate.reconcile.text_tests import (
    equal_loose,
    fits_hidden,
    fits_replaced,
    fits_template,
    has_exception,
    has_suffix,
    is_opening,
    is_part,
    is_prefix,
    same_text,
)
from incident_kit.correlate.reconcile.texts import Texts, document_texts, entry_texts

_MOST_CANDIDATES = 400
#: A document this much later than its entry is late at most, never its document.
MOST_LATE_NS = 6 * 3600 * SECOND
#: On a busy node a line reaches the kubelet's file this long after its document was made.
_MOST_STALLED_NS = 10 * SECOND
#: A pod whose last line is older than the capture's by this had ended by then.
_SILENT_NS = 60 * SECOND
#: Folded texts and hashes of nothing, which are no text in common.
_NO_TEXT: set[object] = {"", 0}


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
        leftovers.pair_equal(0)
    else:
        leftovers.free = leftovers.free[~_somebody_elses(leftovers)]
        leftovers.proved = set(open_rows[proved_clocks(entries, documents, pairs, open_rows)].tolist())
    for shift in _known_shifts(leftovers):
        leftovers.pair_equal(shift)
    open_rows = pairs.open_entries()
    if not len(open_rows) or not len(leftovers.free):
        return leftovers.free
    # Only now texts are read: whole pods at a shift, or without pod field, were paired by hash.
    leftovers.entry_texts, leftovers.document_texts = (
        entry_texts(entries, open_rows),
        document_texts(documents, leftovers.free),
    )
    _by_text(leftovers)
    _shifts(leftovers)
    _tell_suffixes(leftovers)
    _late(leftovers)
    return leftovers.free


def _somebody_elses(leftovers: Leftovers) -> Flags:
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


def _known_shifts(leftovers: Leftovers) -> list[int]:
    """Shifts that the clocks of pods with open entries know, most frequent pods first."""
    pods = np.unique(leftovers.entries.pod[leftovers.pairs.open_entries()]).tolist()
    found = Counter(shift for pod in pods for shift in leftovers.clocks.shifts[pod])
    return [shift for shift, _ in found.most_common(8)]


def _by_text(leftovers: Leftovers) -> None:
    """All text passes, strictest first."""
    # Truncated before template: a cut message stays cut even where its properties are whole.
    for test, how in (
        (equal_loose, LOOSE),
        (is_opening, PART),
        (has_suffix, PART),
        (has_exception, PART),
        (fits_hidden, PART),
        (fits_replaced, PART),
        (is_prefix, TRUNCATED),
        (is_part, PART),
        (fits_template, TEMPLATE),
    ):
        leftovers.near(test, how)
    pair_said_more(leftovers)
    pair_begun_otherwise(leftovers)


def _tell_suffixes(leftovers: Leftovers) -> None:
    """A console that always appends the same kind of thing behind the message truncates nothing.

    What a truncation takes away begins anywhere in a text; what a layout appends always begins alike.
    """
    rows = np.flatnonzero((leftovers.pairs.how == TRUNCATED) & (leftovers.pairs.where == leftovers.where))
    rows = np.array(
        [
            row
            for row in rows.tolist()
            if row in leftovers.entry_texts.message
            and int(leftovers.pairs.document[row]) in leftovers.document_texts.message
        ],
        dtype=np.int64,
    )
    for pod in np.unique(leftovers.entries.pod[rows]).tolist():
        own = rows[leftovers.entries.pod[rows] == pod]
        rests = [
            leftovers.entry_texts.message[row][
                len(leftovers.document_texts.message[int(leftovers.pairs.document[row])]) :
            ][:2]
            for row in own.tolist()
        ]
        common, count = Counter(rests).most_common(1)[0]
        if count >= max(3, 0.9 * len(rests)) and len(common) == 2 and not common.strip()[:1].isalnum():
            leftovers.pairs.how[own] = PART


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
        leftovers.pair_equal(shift)
        leftovers.near(same_text, LOOSE, shift)
        for test, how in ((has_suffix, PART), (has_exception, PART), (is_prefix, TRUNCATED)):
            leftovers.near(test, how, shift)


def _late(leftovers: Leftovers) -> None:
    """Documents of the same text later than the tolerance, or a little earlier where the console stalled; nearest first."""
    entries, documents = leftovers.entries, leftovers.documents
    candidates = list(_candidates(leftovers))
    if not candidates:
        return
    ends, rows = _console_ends(entries), np.unique([entry for entry, _ in candidates])
    once = {how: _said_once(entries, rows, how) for how in ("message", "head")}
    proposals = []
    for entry, document in candidates:
        behind = int(documents.time[document] - entries.time[entry])
        whole = entries.hashes("message")[entry] == documents.hashes("message")[document]
        # A document from after the console was read has its entry there, unless the text is only this one's.
        unread = (
            documents.time[document] > ends[entries.pod[entry]] and entry not in once["message" if whole else "head"]
        )
        if -_MOST_STALLED_NS <= behind <= MOST_LATE_NS and not unread and not leftovers.contradicted(entry, document):
            proposals.append((abs(behind), entry, document))
    if proposals:
        mine = values_of(entries, np.unique([entry for _, entry, _ in proposals]))
        theirs = values_of(documents, np.unique([document for _, _, document in proposals]))
        proposals = [(far, e, d) for far, e, d in proposals if not disagree(mine.get(e, {}), theirs.get(d, {}))]
    leftovers.accept(proposals, LOOSE, 0)


def _said_once(entries: Side, rows: Integers, how: str) -> set[int]:
    """Those of the rows whose text, or first line, their pod's console has no other time."""
    keys = mix(entries.pod, entries.hashes(how))
    values, counts = np.unique(keys[is_among(keys, keys[rows])], return_counts=True)
    found: set[int] = set(rows[counts[np.searchsorted(values, keys[rows])] == 1].tolist())
    return found


def _console_ends(entries: Side) -> Integers:
    """By pod, until when its console was read: its last line's time; for one that fell silent before, that of all."""
    ends = np.full(int(entries.pod.max()) + 1, entries.time.max())
    own = np.zeros(len(ends), np.int64)
    np.maximum.at(own, entries.pod, entries.time)
    living: Integers = np.where(own > ends - _SILENT_NS, own, ends)
    return living
