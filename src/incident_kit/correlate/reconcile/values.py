"""Events without a message (access logs as fields): the values are the event, whatever each side calls them.

Which field of the console is which field of the documents is learnt for each container from the values themselves: two
fields correspond when nearly all of the smaller side's values are the other's too, as a multiset. The values of
the corresponding fields are then one key, paired one to one by nearness in time like any text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import orjson

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.clocks import SECOND, Clocks, constant_shifts
from incident_kit.correlate.reconcile.match import is_among, nearest_pairs, once_on_both
from incident_kit.correlate.reconcile.pairs import LOOSE, OWN, REFUSED, REFUSED_UNLABELLED, UNLABELLED, Pairs
from incident_kit.correlate.reconcile.sides import NOT_SAID, Side
from incident_kit.normalise.logs.normal_form import hash_texts, normal_form

Values = list[dict[str, str]]
#: Corresponding fields, of the console and of the documents.
Fields = list[tuple[str, str]]
#: Codes of pod, namespace and container.
Owner = tuple[int, int, int]
#: Share of the smaller side's values that corresponding fields have in common.
_LEAST_SHARED = 0.9
#: Fewer corresponding fields than this tell no event.
_FEWEST_FIELDS = 2
_NEAREST_NS = 5 * SECOND
_MOST_LATE_NS = 6 * 3600 * SECOND


def pair_by_values(
    entries: Side, documents: Side, pairs: Pairs, clocks: Clocks
) -> tuple[dict[Owner, Fields], Integers]:
    """Pair entries without a message by their values.

    Returns:
        The corresponding fields of each container; and entries about which a missing document proves nothing:
        documents of their pod are free, but no field of theirs could be recognised in these.
    """
    known: dict[Owner, Fields] = {}
    nothing = np.zeros(0, np.int64)
    rows, free = pairs.open_entries(), pairs.open_documents()
    if not len(rows) or not len(free) or any(side.files.all_null("properties") for side in (entries, documents)):
        return known, nothing
    refused = free[documents.rejected[free]]
    free = free[~documents.rejected[free] & (documents.pod[free] != NOT_SAID)]
    rows = rows[is_among(entries.pod[rows], np.unique(documents.pod[free]))]
    rows = rows[_speechless(entries, rows)]
    doubtful = []
    for owner, mine in containers(entries, rows):
        theirs = of_container(documents, free[~pairs.taken[free]], owner)
        fields = _pair_container(entries, documents, pairs, clocks, mine, theirs) if len(theirs) else None
        if fields:
            known[owner] = fields
        elif fields is not None:
            doubtful.append(mine)
    claim_by_values(entries, documents, pairs, clocks, known, refused)
    return known, np.concatenate(doubtful) if doubtful else nothing


def claim_by_values(
    entries: Side, documents: Side, pairs: Pairs, clocks: Clocks, known: Mapping[Owner, Fields], free: Integers
) -> Integers:
    """Let open entries claim documents of failure stores, or without pod, by fields known to correspond.

    Args:
        entries: of a bucket, all or some.
        documents: of the bucket or without pod, with the bucket's codes.
        pairs: found pairs are added.
        clocks: of the bucket.
        known: corresponding fields of each container.
        free: documents that may be claimed.

    Returns:
        Documents that stay free.
    """
    rows = pairs.open_entries()
    if not known or not len(rows) or not len(free) or documents.files.all_null("properties"):
        return free
    rows = rows[_speechless(entries, rows)]
    for owner, mine in containers(entries, rows):
        part = of_container(documents, free, owner)
        if owner not in known or not len(part):
            continue
        names, their_names = zip(*known[owner], strict=True)
        said = _values(documents, part)
        # A document that has few of these fields is of something else.
        likely = [2 * len(one.keys() & set(their_names)) > len(their_names) for one in said]
        part = part[np.array(likely, bool)]
        left, right = nearest_pairs(
            _keys(_values(entries, mine), names),
            entries.time[mine] + clocks.skew[owner[0]],
            _keys([one for one, kept in zip(said, likely, strict=True) if kept], their_names),
            documents.time[part],
            int(clocks.tolerance[owner[0]]),
        )
        for own_pod in (True, False):
            for is_refused in (True, False):
                some = (documents.rejected[part[right]] == is_refused) & (
                    (documents.pod[part[right]] != NOT_SAID) == own_pod
                )
                where = (REFUSED if own_pod else REFUSED_UNLABELLED) if is_refused else OWN if own_pod else UNLABELLED
                pairs.add(mine[left[some]], part[right[some]], LOOSE, where)
        free = np.setdiff1d(free, part[right])
    return free


def containers(entries: Side, rows: Integers) -> Iterator[tuple[Owner, Integers]]:
    """Codes of pod, namespace and container, with their rows."""
    codes = np.stack([entries.pod[rows], entries.namespace[rows], entries.container[rows]], axis=1)
    for owner in np.unique(codes, axis=0):
        pod, namespace, container = owner.tolist()
        yield (pod, namespace, container), rows[(codes == owner).all(axis=1)]


def of_container(documents: Side, part: Integers, owner: Owner) -> Integers:
    """Those of the documents that may be a container's by what they say of themselves."""
    for said, own in zip((documents.pod, documents.namespace, documents.container), owner, strict=True):
        part = part[np.isin(said[part], [NOT_SAID, own])]
    return part


def _speechless(entries: Side, rows: Integers) -> Flags:
    """Which of the rows are JSON of which no field is a message."""
    found: Flags = entries.hashes("message")[rows] == entries.hashes("text")[rows]
    some = np.flatnonzero(found)
    formats = entries.text(["format"], rows[some])["format"].to_pylist()
    found[some] = [one == "json" for one in formats]
    return found


def _pair_container(
    entries: Side, documents: Side, pairs: Pairs, clocks: Clocks, rows: Integers, part: Integers
) -> Fields:
    """Pair one container's entries; the fields that were recognised in the documents, none where too few were."""
    mine, theirs = _values(entries, rows), _values(documents, part)
    fields = corresponding(mine, theirs)
    if len(fields) < _FEWEST_FIELDS:
        return []
    pod = int(entries.pod[rows[0]])
    own, other = _keys(mine, [a for a, _ in fields]), _keys(theirs, [b for _, b in fields])
    left, right = once_on_both(own, other)
    difference = documents.time[part[right]] - entries.time[rows[left]]
    clocks.learn(np.full(len(left), pod), difference, least=3)
    if not clocks.pairs[pod]:
        left, right = nearest_pairs(own, entries.time[rows], other, documents.time[part], _NEAREST_NS)
        clocks.learn(np.full(len(left), pod), documents.time[part[right]] - entries.time[rows[left]], least=10)
    far = difference[np.abs(difference - clocks.skew[pod]) > clocks.tolerance[pod]] - clocks.skew[pod]
    shifts = constant_shifts(far, int(clocks.tolerance[pod]))
    # All values; then all but one, where two renderings differ or two fields were taken for each other.
    for shift in (0, *shifts):
        _near(entries, documents, pairs, clocks, rows, part, own, other, shift)
        for skipped in range(len(fields)) if len(fields) > _FEWEST_FIELDS else ():
            kept = [field for place, field in enumerate(fields) if place != skipped]
            open_rows, open_part = np.flatnonzero(pairs.document[rows] < 0), np.flatnonzero(~pairs.taken[part])
            if not len(open_rows) or not len(open_part):
                break
            _near(
                entries, documents, pairs, clocks, rows[open_rows], part[open_part],
                _keys([mine[row] for row in open_rows.tolist()], [a for a, _ in kept]),
                _keys([theirs[row] for row in open_part.tolist()], [b for _, b in kept]),
                shift,
            )  # fmt: skip
    _late(entries, documents, pairs, clocks, rows, part, own, other)
    return fields


def _near(
    entries: Side, documents: Side, pairs: Pairs, clocks: Clocks,
    rows: Integers, part: Integers, own: Integers, other: Integers, shift: int,
) -> None:  # fmt: skip
    """Pair equal keys within the pod's tolerance."""
    open_rows, open_part = np.flatnonzero(pairs.document[rows] < 0), np.flatnonzero(~pairs.taken[part])
    pod = int(entries.pod[rows[0]])
    left, right = nearest_pairs(
        own[open_rows],
        entries.time[rows[open_rows]],
        other[open_part],
        documents.time[part[open_part]] - clocks.skew[pod] - shift,
        int(clocks.tolerance[pod]),
    )
    pairs.add(rows[open_rows[left]], part[open_part[right]], LOOSE, OWN, shift)


def _late(
    entries: Side, documents: Side, pairs: Pairs, clocks: Clocks,
    rows: Integers, part: Integers, own: Integers, other: Integers,
) -> None:  # fmt: skip
    """Pair values that are left once on each side, where the document is later, as late as one may be."""
    open_rows, open_part = np.flatnonzero(pairs.document[rows] < 0), np.flatnonzero(~pairs.taken[part])
    left, right = once_on_both(own[open_rows], other[open_part])
    left, right = rows[open_rows[left]], part[open_part[right]]
    behind = documents.time[right] - entries.time[left] - clocks.skew[entries.pod[left]]
    kept = (behind >= 0) & (behind <= _MOST_LATE_NS)
    # A value that the console has at other times is no proof that this one was meant.
    values, counts = np.unique(own, return_counts=True)
    kept &= counts[np.searchsorted(values, own[np.searchsorted(rows, left)])] == 1
    pairs.add(left[kept], right[kept], LOOSE, OWN)


def corresponding(mine: Values, theirs: Values) -> Fields:
    """Fields of one side with those of the other that hold the same values, each once; equal names first.

    Args:
        mine: values by name, of each entry.
        theirs: values by name, of each document.
    """
    own, other = _histograms(mine), _histograms(theirs)
    ranked = []
    for name, counts in own.items():
        for their_name, their_counts in other.items():
            smaller = min(counts.total(), their_counts.total())
            common = counts & their_counts
            same_name = _last(name) == _last(their_name)
            # One value in common, as a 0 that counts nothing, tells nothing of fields of other names.
            if common.total() >= _LEAST_SHARED * smaller and (same_name or len(common) > 1):
                ranked.append((same_name, len(common), common.total(), name, their_name))
    found: dict[str, str] = {}
    for _, _, _, name, their_name in sorted(ranked, reverse=True):
        if name not in found and their_name not in found.values():
            found[name] = their_name
    return sorted(found.items())


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _histograms(rows: Values) -> dict[str, Counter[str]]:
    """How often each field has each value; fields that fewer than half of the rows have are left out."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for name, value in row.items():
            found[name][value] += 1
    return {name: counts for name, counts in found.items() if 2 * counts.total() >= len(rows)}


def _values(side: Side, rows: Integers) -> Values:
    """Values of each row by name, in one spelling."""
    found: Values = []
    for text in side.text(["properties"], rows)["properties"].to_pylist():
        document = orjson.loads(text) if text else {}
        found.append({name: _spelt(value) for name, value in document.items() if not isinstance(value, dict | list)})
    return found


def _spelt(value: object) -> str:
    """A value as both sides may have it: as a number or as a text that shows one."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        number = float(str(value)) if str(value)[-1:].isdigit() else None
    except ValueError:
        number = None
    return repr(number) if number is not None and abs(number) < 2**53 else normal_form(str(value)).lower()


def _keys(rows: Values, names: Sequence[str]) -> Integers:
    """One number for the values of these names."""
    return hash_texts(["\x1f".join(row.get(name, "") for name in names) for row in rows])
