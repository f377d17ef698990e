"""Entries and documents that each say something that the other does not: a tag here, a logger there, a trace behind.

The document's message begins with one word and a separator, or ends with brackets; the console's line ends with what
stands between, and what the line has before that is of one shape in all of a pod's.
"""

from __future__ import annotations

import re
from collections import defaultdict

from incident_kit.correlate.reconcile.leftovers import Leftovers
from incident_kit.correlate.reconcile.pairs import PART
from incident_kit.normalise.logs.formats.shapes import shape_of

#: A word in brackets, or before a separator.
_BEGUN = re.compile(r"(?:\[[^\[\]\s]{1,60}\]|[^\s\[\]]{1,60}?(?:\s+-+|\s*[:|>]))\s+(?=\S)")
#: Words in brackets, or one of them, behind the message.
_ENDED = re.compile(r"\s+(?:\([^()]{1,80}\)|\[[^\[\]]{1,80}\]|\{[^{}]{1,80}\}|<[^<>]{1,80}>)$")
#: A shape is believed when so many different texts of this length stand behind it on both sides: shorter ones end too
#: many lines by chance, but count where the shape is believed.
_LEAST, _LONG = 5, 10
_SHORTEST = 3
#: What ends a word in front, on the console.
_ENDS = tuple(":-|>]")


def pair_begun_otherwise(leftovers: Leftovers) -> None:
    """Pair each document with the nearest entry within tolerance that says the same behind what it begins with."""
    found: list[tuple[int, str, int, int, int]] = []
    texts: dict[tuple[int, str], set[str]] = defaultdict(set)
    for document, centre, entries in leftovers.within_reach(0):
        for theirs in _cores(leftovers.document_texts.message[document]):
            for entry in entries:
                line = leftovers.entry_texts.line[entry]
                if not line.endswith(theirs):
                    continue
                front = line[: -len(theirs)].rstrip()
                if front.endswith(_ENDS) and leftovers.allowed(entry, document):
                    pod, shape = int(leftovers.entries.pod[entry]), shape_of(front)
                    if len(theirs) >= _LONG:
                        texts[pod, shape].add(theirs)
                    found.append((pod, shape, abs(int(leftovers.entries.time[entry]) - centre), entry, document))
    leftovers.accept(
        [
            (distance, entry, document)
            for pod, shape, distance, entry, document in found
            if len(texts[pod, shape]) >= _LEAST
        ],
        PART,
        0,
    )


def _cores(text: str) -> list[str]:
    """What a document's text is without the word that it begins with, and without brackets that it ends with, too."""
    begun, ended = _BEGUN.match(text), _ENDED.search(text)
    begin, end = begun.end() if begun else 0, ended.start() if ended else len(text)
    cores = {text[begin:], text[begin:end], text[:end]} - {text}
    return sorted((core for core in cores if len(core) >= _SHORTEST), key=len, reverse=True)
