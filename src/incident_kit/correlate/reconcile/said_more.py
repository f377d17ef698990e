"""Documents that say more than the console: a pipeline put a logger before the message, or a trace behind it.

What is put there has one shape in all documents of a pod; a text that only happens to stand in another has not.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from incident_kit.correlate.reconcile.leftovers import Leftovers
from incident_kit.correlate.reconcile.pairs import PART
from incident_kit.normalise.logs.formats.shapes import shape_of

#: A shape is learnt from so many documents, and from so many before it is believed of short texts.
_LEAST, _LEAST_OF_SHORT = 3, 10
_SHORTEST, _SHORT = 3, 6
#: More than this is no addition but another event.
_LONGEST_ADDED = 300

#: What stands before and behind.
Added = tuple[str, str]


def pair_said_more(leftovers: Leftovers) -> None:
    """Pair each document with the nearest entry within tolerance that its message holds, with the usual additions."""
    found: list[tuple[int, Added, int, int, int]] = []
    documents: dict[tuple[int, Added], set[int]] = defaultdict(set)
    for document, centre, entries in leftovers.within_reach(0):
        theirs = leftovers.document_texts.message[document]
        for entry in entries:
            mine = {leftovers.entry_texts.message[entry], leftovers.entry_texts.line[entry]}
            added = next((one for text in mine if (one := _added(text, theirs)) is not None), None)
            if added is not None and leftovers.allowed(entry, document):
                pod = int(leftovers.entries.pod[entry])
                documents[pod, added].add(document)
                found.append((pod, added, abs(int(leftovers.entries.time[entry]) - centre), entry, document))
    often = Counter({shape: len(rows) for shape, rows in documents.items()})
    leftovers.accept(
        [
            (distance, entry, document)
            for pod, added, distance, entry, document in found
            if often[pod, added] >= (_LEAST if len(leftovers.entry_texts.line[entry]) >= _SHORT else _LEAST_OF_SHORT)
        ],
        PART,
        0,
    )


def _added(mine: str, theirs: str) -> Added | None:
    """The shapes of what stands around a text in another, at words' ends; None where it does not stand there."""
    if not _SHORTEST <= len(mine) < len(theirs) <= len(mine) + _LONGEST_ADDED:
        return None
    place = theirs.find(mine)
    if place < 0:
        return None
    before, behind = theirs[:place], theirs[place + len(mine) :]
    if (before[-1:].isalnum() and mine[0].isalnum()) or (behind[:1].isalnum() and mine[-1].isalnum()):
        return None
    return shape_of(before), shape_of(behind)
