"""Whether an entry and a document are one event by their texts: folded numbers, templates, parts of lines, truncation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from incident_kit.correlate.reconcile.cut_secrets import CUT_MARK, ends_in_secret
from incident_kit.correlate.reconcile.hidden_values import fits_shown
from incident_kit.correlate.reconcile.replaced_characters import is_replaced
from incident_kit.normalise.logs.normal_form import loose_form, normal_form

if TYPE_CHECKING:
    from incident_kit.correlate.reconcile.leftovers import Leftovers

_SHORTEST_PART = 6
_SHORTEST_LOOSE = 12
#: By so much of its beginning a message is found in its line.
_TELLING = 24
_HOLE = re.compile(r"\\\{[@$]?[\w.]+(?:,-?\d+)?(?::[^{}]+?)?\\\}")


def equal_loose(leftovers: Leftovers, entry: int, document: int) -> bool:
    """Equal but for renderings of numbers, null words, case and punctuation; or the entry's first line is."""
    mine, theirs = leftovers.entry_texts.loose[entry], leftovers.document_texts.loose[document]
    return bool(theirs) and theirs in (mine, leftovers.entry_texts.first[entry])


def is_opening(leftovers: Leftovers, entry: int, document: int) -> bool:
    """The document is the entry's first line as it stands, or begins with it.

    The lines behind it may be documents of their own, or differ: a trace, as each of two sinks writes it.
    """
    theirs = leftovers.document_texts.opening[document]
    return bool(theirs) and theirs == leftovers.entry_texts.opening[entry]


def fits_template(leftovers: Leftovers, entry: int, document: int) -> bool:
    """The entry is of the document's template, as its console says or as its text shows, and has most of its values."""
    template = leftovers.document_texts.template.get(document)
    if not template or not _has_most(leftovers.entry_texts.loose[entry], leftovers.document_texts.filled[document]):
        return False
    own = leftovers.entry_texts.template.get(entry)
    if own is not None:
        return own == normal_form(template)
    expression = _template_expression(template)
    return expression is not None and expression.match(leftovers.entry_texts.message[entry]) is not None


def _has_most(text: str, values: Sequence[str]) -> bool:
    """Whether at least half of some values stand in a folded text."""
    there = sum(re.search(rf"(?<!\w){re.escape(value)}(?!\d)", text) is not None for value in values)
    return 2 * there >= len(values)


@lru_cache(maxsize=4096)
def _template_expression(template: str) -> re.Pattern[str] | None:
    escaped = re.escape(normal_form(template))
    expression, holes = _HOLE.subn("(?:.*?)", escaped)
    if len(re.sub(r"\W|_", "", _HOLE.sub("", escaped))) < _SHORTEST_PART or not holes:
        return None
    return re.compile(expression + r"(?:\s.*)?$", re.DOTALL)


def fits_replaced(leftovers: Leftovers, entry: int, document: int) -> bool:
    """One text but for characters of which one side has a mark, because its character set has none for them."""
    theirs = leftovers.document_texts.message[document]
    texts = (leftovers.entry_texts.message[entry], leftovers.entry_texts.line[entry], leftovers.entry_texts.head[entry])
    return any(is_replaced(mine, theirs) or is_replaced(theirs, mine) for mine in dict.fromkeys(texts))


def fits_hidden(leftovers: Leftovers, entry: int, document: int) -> bool:
    """One side hides values that the other shows; all else is the same."""
    mine, theirs = leftovers.entry_texts, leftovers.document_texts
    return any(
        parts is not None and fits_shown(parts, other)
        for parts, other in (
            (theirs.shown.get(document), mine.message[entry]),
            (theirs.shown.get(document), mine.line[entry]),
            (mine.shown.get(entry), theirs.message[document]),
        )
    )


@lru_cache(maxsize=4096)
def _loosely(text: str) -> str:
    return loose_form(text)


def is_part(leftovers: Leftovers, entry: int, document: int) -> bool:
    """The document's message stands in the entry's text at words' ends, but is not the beginning of its message."""
    theirs, whole = leftovers.document_texts.message[document], leftovers.entry_texts.whole[entry]
    if len(theirs) < _SHORTEST_PART or len(theirs) > len(whole):
        return False
    if document in leftovers.document_texts.rendered:
        # Rendered here, not by the application: numbers may be written otherwise.
        return f" {leftovers.document_texts.loose[document]} " in f" {_loosely(whole)} "
    position = whole.find(theirs)
    if position < 0 or leftovers.entry_texts.message[entry].startswith(theirs):
        return False
    before, after = whole[position - 1 : position], whole[position + len(theirs) : position + len(theirs) + 1]
    return not (before.isalnum() and theirs[0].isalnum()) and not (after.isalnum() and theirs[-1].isalnum())


_SUFFIX = re.compile(r"\s*(?:[:;,|\-]+\s+)?(?:[\w.@/\[\]\-]+=|\{|\[|\(|[\w.@\-]+: )")


def has_suffix(leftovers: Leftovers, entry: int, document: int) -> bool:
    """The document's message begins the entry's, and what follows are the values that such a console appends."""
    theirs, mine = leftovers.document_texts.message[document], leftovers.entry_texts.message[entry]
    if int(leftovers.entries.pod[entry]) not in leftovers.suffixed or len(theirs) < 3 or not mine.startswith(theirs):
        return False
    return is_values(mine[len(theirs) :])


def is_values(rest: str) -> bool:
    """Whether what follows a message looks like the values that a console appends."""
    return _SUFFIX.match(rest) is not None


def has_exception(leftovers: Leftovers, entry: int, document: int) -> bool:
    """What follows the document's message on the console is the exception that the document has in another field."""
    exception = leftovers.document_texts.exception.get(document)
    theirs, mine = leftovers.document_texts.message[document], leftovers.entry_texts.message[entry]
    if not exception or len(theirs) < 3 or not mine.startswith(theirs):
        return False
    rest = mine[len(theirs) :].lstrip(" :-|")
    return len(rest) >= 4 and (rest[:40] in exception or rest.startswith(exception[:40]))


def is_prefix(leftovers: Leftovers, entry: int, document: int) -> bool:
    """The document's message was cut: it begins the entry's."""
    said = leftovers.document_texts.message[document]
    theirs = CUT_MARK.sub("", said.rstrip(" .…"))
    mine, whole = leftovers.entry_texts.message[entry], leftovers.entry_texts.whole[entry]
    if len(theirs) < 3:
        return False
    if _before(mine, whole) < len(theirs) < len(whole) and whole.startswith(theirs):
        # Shipped with its prefix, and cut; the first of several lines is no cut.
        return int(leftovers.entries.integers("line_count")[entry]) == 1
    # A text of marks alone is folded to nothing, which begins everything.
    loose = leftovers.document_texts.loose[document]
    return (
        (len(theirs) < len(mine) and mine.startswith(theirs))
        or (len(loose) > _SHORTEST_LOOSE and leftovers.entry_texts.loose[entry].startswith(loose))
        or _begins_head(leftovers.entry_texts.head[entry], theirs)
        or any(ends_in_secret(text, said) for text in (mine, leftovers.entry_texts.head[entry]))
    )


def _begins_head(head: str, theirs: str) -> bool:
    """Of a line of pairs the message is a value among others: it was cut within that."""
    return _SHORTEST_LOOSE < len(theirs) < len(head) and head.startswith(theirs)


def _before(mine: str, whole: str) -> int:
    """How much of a line stands before its message; within JSON it has something behind it, too."""
    place = -1 if whole.endswith(mine) else whole.find(mine[:_TELLING])
    return place if place >= 0 else len(whole) - len(mine)


def same_text(leftovers: Leftovers, entry: int, document: int) -> bool:
    """One text, as strictly as hashes see it or loosely."""
    theirs = leftovers.document_texts.message[document]
    mine = leftovers.entry_texts.message[entry]
    head = mine == theirs or leftovers.entry_texts.whole[entry] == theirs
    return (
        head
        or leftovers.entries.hashes("head")[entry]
        in (leftovers.documents.hashes("message")[document], leftovers.documents.hashes("head")[document])
        or equal_loose(leftovers, entry, document)
    )
