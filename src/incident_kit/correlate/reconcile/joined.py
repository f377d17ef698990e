"""A shipper that joins lines by their beginning puts entries without prefix into the document of the entry before.

Both entries are there: the document's lines are those of one, then those of the next of the same container.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.clocks import Clocks
from incident_kit.correlate.reconcile.pairs import LINE, OWN, Pairs
from incident_kit.correlate.reconcile.sides import Side
from incident_kit.normalise.logs.grammar import SAME_WRITE_NS
from incident_kit.normalise.logs.normal_form import normal_form


def claim_joined(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks) -> None:
    """Pair open entries with the document that holds them behind the entry before, and that one, where it is open, too."""
    rows = pairs.open_entries()
    if not len(rows) or not len(documents):
        return
    # What begins like the container's other entries is no shipper's continuation, unless the logger writes what all
    # lines begin with in front of each line of a message.
    loose = np.asarray(pc.is_null(entries.text(["format"], rows)["format"]))
    begun_again = _behind_pairs(rows[~loose & (entries.time[rows] - entries.time[rows - 1] <= SAME_WRITE_NS)], pairs)
    loose = rows[loose]
    if not len(loose) and not len(begun_again):
        return
    _claim_first(entries, documents, pairs, clocks, loose[np.isin(loose - 1, rows)] - 1)
    rows = np.union1d(loose, begun_again)
    rows = rows[(rows > 0) & (pairs.document[rows] < 0)]
    same = np.ones(len(rows), bool)
    for codes in (entries.pod, entries.namespace, entries.container):
        same &= codes[rows] == codes[rows - 1]
    rows = rows[same]
    # The entry before may itself be open yet, and behind one that is not.
    holders = np.unique(pairs.document[rows - 1][pairs.where[rows - 1] == OWN])
    held = _of_several_lines(documents, holders)
    if not held:
        return
    before = rows[pairs.where[rows - 1] == OWN] - 1
    # Each line of a document is one entry's alone: behind those of the entry that it was made for.
    used = dict(zip(pairs.document[before].tolist(), entries.integers("line_count")[before].tolist(), strict=True))
    again = set(begun_again.tolist())
    said = zip(rows.tolist(), _lines(entries, "text", rows), _lines(entries, "message", rows), strict=True)
    for row, text, message in said:
        holder, lines = int(pairs.document[row - 1]), message if row in again else text
        place = (
            _place(lines, held.get(holder, []), used.get(holder, 1)) if pairs.where[row - 1] == OWN and lines else -1
        )
        if place >= 0:
            used[holder] = place + len(lines)
            pairs.add(np.array([row]), np.array([holder]), LINE, OWN)


def _behind_pairs(rows: Integers, pairs: Pairs) -> Integers:
    """Those of some open entries that stand, one behind the other, behind an entry that has a document."""
    starts = np.diff(rows, prepend=-2) != 1
    kept: Integers = rows[(pairs.where[rows[starts] - 1] == OWN)[np.cumsum(starts) - 1]]
    return kept


def _claim_first(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks, firsts: Integers) -> None:
    """Pair open entries that another open one follows with the free document that begins with both."""
    free = pairs.open_documents()
    free = free[~documents.rejected[free]]
    free = free[np.isin(documents.pod[free], np.unique(entries.pod[firsts]))]
    if not len(firsts) or not len(free):
        return
    joined: dict[tuple[int, str], list[tuple[int, list[str]]]] = {}
    for document, lines in _of_several_lines(documents, free).items():
        joined.setdefault((int(documents.pod[document]), lines[0]), []).append((document, lines))
    if not joined:
        return
    both = np.unique(np.concatenate([firsts, firsts + 1]))
    texts = dict(zip(both.tolist(), _lines(entries, "text", both), strict=True))
    messages = dict(zip(firsts.tolist(), _lines(entries, "message", firsts), strict=True))
    for row in firsts.tolist():
        pod = int(entries.pod[row])
        moment = int(entries.time[row] + clocks.skew[pod])
        for own in (texts[row], messages[row]):
            for document, lines in joined.get((pod, own[0]), ()) if own else ():
                if (
                    not pairs.taken[document]
                    and abs(int(documents.time[document]) - moment) <= int(clocks.tolerance[pod])
                    and lines[: len(own)] == own
                    and texts[row + 1]
                    and _place(texts[row + 1], lines, len(own)) == len(own)
                ):
                    pairs.add(np.array([row]), np.array([document]), LINE, OWN)


def _of_several_lines(documents: Side, rows: Integers) -> dict[int, list[str]]:
    """Lines of those documents whose message has more than one, by row."""
    messages = documents.text(["message"], rows)["message"]
    several = np.asarray(pc.fill_null(pc.match_substring(messages, "\n"), False))
    found = dict(zip(rows[several].tolist(), _forms(messages.filter(pa.array(several)).to_pylist()), strict=True))
    return {row: lines for row, lines in found.items() if len(lines) > 1}


def _lines(side: Side, column: str, rows: Integers) -> list[list[str]]:
    """Normal forms of the lines of a text, blank ones left out."""
    return _forms(side.text([column], rows)[column].to_pylist())


def _forms(texts: list[str | None]) -> list[list[str]]:
    return [[form for line in (text or "").split("\n") if (form := normal_form(line))] for text in texts]


def _place(lines: list[str], among: list[str], begin: int) -> int:
    """Where lines stand together among others, from a place on; -1 where they don't."""
    starts = range(begin, len(among) - len(lines) + 1)
    return next((place for place in starts if among[place : place + len(lines)] == lines), -1)
