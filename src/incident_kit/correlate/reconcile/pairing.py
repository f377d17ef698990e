"""Pairing what is left of a bucket by hashes: repeated texts, other spellings, pods whose clocks few pairs teach.

Exact texts before folded ones, own times before kubelet times, near before far.
"""

from __future__ import annotations

import numpy as np

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.certain import BUFFERED_NS, PRECISIONS, own_differences, pair_by_own_time, usable
from incident_kit.correlate.reconcile.clocks import Clocks, learn_clocks
from incident_kit.correlate.reconcile.match import is_among, mix, nearest_pairs, once_on_both
from incident_kit.correlate.reconcile.own_times import part_contradicted
from incident_kit.correlate.reconcile.pairs import EXACT, HEAD, OWN, TEXT, Pairs
from incident_kit.correlate.reconcile.sides import NOT_SAID, Side
from incident_kit.normalise.logs.normal_form import hashes

_COMBINATIONS = (
    ("message", "message", EXACT),
    ("head", "message", HEAD),
    ("message", "head", HEAD),
    ("head", "head", HEAD),
    ("text", "message", TEXT),
    ("text", "text", TEXT),
    ("message", "text", TEXT),
)
#: Where every text repeats, equal texts within this teach the clock.
_NEAREST_NS = 5_000_000_000


def scopes(documents: Side, rows: Integers) -> list[tuple[bool, bool, Integers]]:
    """Rows of documents by what they say of themselves: (namespace said, container said, rows)."""
    said_namespace = documents.namespace[rows] != NOT_SAID
    said_container = documents.container[rows] != NOT_SAID
    found = []
    for namespace in (True, False):
        for container in (True, False):
            part = rows[(said_namespace == namespace) & (said_container == container)]
            if len(part):
                found.append((namespace, container, part))
    return found


def scope_keys(side: Side, rows: Integers, hashes: Integers, *, namespace: bool, container: bool) -> Integers:
    """Keys that hold what the scope's documents say."""
    parts = [hashes, side.pod[rows]]
    if namespace:
        parts.append(side.namespace[rows])
    if container:
        parts.append(side.container[rows])
    return mix(*parts)


def disown(entries: Side, documents: Side) -> None:
    """A field that never names a container of the pods' consoles names something else (an image, a service).

    It must not keep documents from their entries, so documents do not say their container then.
    """
    said = documents.container != NOT_SAID
    if not said.any() or not len(entries):
        return
    known = is_among(_within_pod(documents), np.unique(_within_pod(entries)))
    if not known.any():
        documents.container[said & is_among(documents.pod, np.unique(entries.pod))] = NOT_SAID


def _within_pod(side: Side) -> Integers:
    """One number for pod and container; codes of names are small."""
    return (side.pod << 32) + side.container


def pair_rest(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks) -> None:
    """Pair by hash what the certain pairs left, and let it teach the clocks that these left untaught."""
    part = pairs.open_documents()
    if not len(part):
        return
    pairs.taken[part[_fetched_before(documents, pairs, part)]] = True
    rows, part = pairs.open_entries(), pairs.open_documents()
    if not len(rows) or not len(part):
        return
    few, some = entries.take(rows), documents.take(part)
    rest, free = Pairs.none(len(rows), len(part)), usable(some)
    pair_by_own_time(few, some, rest)  # once more: what was fetched twice is gone
    _own_times(few, some, rest, free)
    count = len(clocks.skew)
    unsettled = 4 * np.bincount(few.pod[rest.document < 0], minlength=count) >= np.bincount(
        entries.pod, minlength=count
    )
    _learn_by_heads(few, some, clocks, free, unsettled)
    _learn_from_own_times(entries, documents, pairs, few, some, rest, clocks, free)
    for tight in (True, False):
        for mine, theirs, how in _COMBINATIONS:
            _pass(few, some, rest, clocks, mine, theirs, how, free, tight=tight)
    pairs.put(rows, part, rest)
    part_contradicted(entries, documents, pairs, rows[rest.document >= 0])


def _fetched_before(documents: Side, pairs: Pairs, part: Integers) -> Flags:
    """Open documents that were fetched more than once, all but one."""
    identities = documents.integers("id_hash")
    own = identities[part]
    again = documents.take(part).repeated
    again |= is_among(own, identities[pairs.taken]) & (own != 0)
    return again


def _learn_by_heads(entries: Side, documents: Side, clocks: Clocks, free: Flags, unsettled: Flags) -> None:
    """Clocks of pods whose messages are unlike on both sides while their first lines, or whole texts, are not."""
    rows = np.flatnonzero(unsettled[entries.pod])
    part = np.flatnonzero(free & unsettled[documents.pod])
    for mine, theirs in (("head", "message"), ("head", "head"), ("text", "message")):
        found, _, _ = learn_clocks(
            len(clocks.skew),
            entries.pod[rows],
            entries.hashes(mine)[rows],
            entries.time[rows],
            documents.pod[part],
            documents.hashes(theirs)[part],
            documents.time[part],
        )
        clocks.improve(found)


def _learn_from_own_times(
    entries: Side, documents: Side, pairs: Pairs, few: Side, some: Side, rest: Pairs, clocks: Clocks, free: Flags
) -> None:
    """Clocks from pairs by own time, else from own times that each side has once, else from the nearest equal texts."""
    pod, difference = own_differences(few, some, rest)
    news = 4 * np.bincount(pod, minlength=len(clocks.pairs)) > clocks.pairs
    if news.any():
        before, known = own_differences(entries, documents, pairs)
        pod, difference = np.concatenate([pod, before]), np.concatenate([difference, known])
        clocks.learn(pod[news[pod]], difference[news[pod]], least=5)
    _learn_from_lone_times(few, some, clocks, free)
    for mine, theirs in (("message", "message"), ("head", "message"), ("head", "head")):
        poor = clocks.pairs == 0
        rows = np.flatnonzero(poor[few.pod] & (rest.document < 0))
        part = np.flatnonzero(poor[some.pod] & free)
        if not len(rows) or not len(part):
            return
        left, right = nearest_pairs(
            mix(few.pod[rows], few.hashes(mine)[rows]),
            few.time[rows],
            mix(some.pod[part], some.hashes(theirs)[part]),
            some.time[part],
            _NEAREST_NS,
        )
        clocks.learn(few.pod[rows[left]], some.time[part[right]] - few.time[rows[left]], least=10)


def _learn_from_lone_times(entries: Side, documents: Side, clocks: Clocks, free: Flags) -> None:
    """Clocks of pods whose texts are unlike on both sides: from times that each side has once, to the millisecond."""
    poor = clocks.pairs < 5
    rows = np.flatnonzero(poor[entries.pod] & (entries.app % 1_000_000_000 != 0))
    part = np.flatnonzero(free & (documents.time % 1_000_000_000 != 0))
    part = part[poor[documents.pod[part]]]
    if not len(rows) or not len(part):
        return
    left, right = once_on_both(
        mix(entries.pod[rows], entries.app[rows] // 1_000_000),
        mix(documents.pod[part], documents.time[part] // 1_000_000),
    )
    left, right = rows[left], part[right]
    clocks.learn(entries.pod[left], documents.time[right] - entries.time[left], least=5)


def _own_times(entries: Side, documents: Side, pairs: Pairs, free: Flags) -> None:
    """Pairs whose document has the very time that the console's text shows, as precisely as both have it.

    Equal texts a millisecond apart are told apart by it; the kubelet's time could exchange them.
    """
    timed = entries.app != 0
    for precision in PRECISIONS:
        for mine, theirs, how in _COMBINATIONS[:4]:
            rows = np.flatnonzero(timed & (pairs.document < 0) & (entries.hashes(mine) != 0))
            part = np.flatnonzero(~pairs.taken & free & (documents.hashes(theirs) != 0))
            if precision > 1:
                # Only what was cut to this precision may be compared at it.
                cut_rows, cut_part = entries.app[rows] % precision == 0, documents.time[part] % precision == 0
                if not cut_part.all() and not cut_rows.all():
                    rows, part = (rows, part[cut_part]) if cut_part.any() else (rows[cut_rows], part)
            if not len(rows) or not len(part):
                continue
            for namespace, container, scoped in scopes(documents, part):
                left = rows[pairs.document[rows] < 0]
                keys = mix(
                    scope_keys(entries, left, entries.hashes(mine)[left], namespace=namespace, container=container),
                    entries.app[left] // precision,
                )
                other = mix(
                    scope_keys(
                        documents, scoped, documents.hashes(theirs)[scoped], namespace=namespace, container=container
                    ),
                    documents.time[scoped] // precision,
                )
                found, right = nearest_pairs(keys, entries.time[left], other, documents.time[scoped], BUFFERED_NS)
                pairs.add(left[found], scoped[right], how, OWN)


def _pass(
    entries: Side,
    documents: Side,
    pairs: Pairs,
    clocks: Clocks,
    mine: str,
    theirs: str,
    how: int,
    free: Flags,
    *,
    tight: bool,
) -> None:
    open_entries = pairs.open_entries()
    open_entries = open_entries[entries.hashes(mine)[open_entries] != 0]
    open_documents = np.flatnonzero(~pairs.taken & free & (documents.hashes(theirs) != 0))
    for namespace, container, part in scopes(documents, open_documents):
        rows = open_entries[pairs.document[open_entries] < 0]
        if not len(rows):
            return
        limits = (clocks.tight if tight else clocks.tolerance)[entries.pod[rows]]
        keys = scope_keys(entries, rows, entries.hashes(mine)[rows], namespace=namespace, container=container)
        other_keys = scope_keys(
            documents, part, documents.hashes(theirs)[part], namespace=namespace, container=container
        )
        if not tight:
            limits = np.where(crowded(keys, other_keys), clocks.tight[entries.pod[rows]], limits)
        left, right = nearest_pairs(
            keys, entries.time[rows], other_keys, documents.time[part] - clocks.skew[documents.pod[part]], limits
        )
        pairs.add(rows[left], part[right], how, OWN)


def foreign(other_keys: Integers, keys: Integers) -> Flags:
    """Documents of a text of which some, but far fewer, entries are open."""
    theirs, inverse, counts = np.unique(other_keys, return_inverse=True, return_counts=True)
    mine, mine_counts = np.unique(keys, return_counts=True)
    if not len(mine):
        return np.zeros(len(other_keys), bool)
    position = np.searchsorted(mine, theirs).clip(0, len(mine) - 1)
    open_entries = np.where(mine[position] == theirs, mine_counts[position], 0)
    found: Flags = ((open_entries > 0) & (counts > 3 * open_entries + 5))[inverse]
    return found


def crowded(keys: Integers, other_keys: Integers) -> Flags:
    """Entries of a text of which far more documents than entries are open.

    These documents are somebody else's (a sidecar whose console nobody read, a namesake), so that being near in time
    says less than usual.
    """
    unique, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    theirs, their_counts = np.unique(other_keys, return_counts=True)
    position = np.searchsorted(theirs, unique).clip(0, max(0, len(theirs) - 1))
    open_documents = (
        np.where(theirs[position] == unique, their_counts[position], 0)
        if len(theirs)
        else np.zeros(len(unique), np.int64)
    )
    found: Flags = (open_documents > 3 * counts + 5)[inverse]
    return found


def mark_doubles(documents: Side, pairs: Pairs) -> None:
    """Documents that repeat another one: same pod, same own time at full precision, same text, other _id."""
    open_rows = np.flatnonzero(~pairs.taken & ~documents.rejected)
    if not len(open_rows):
        return
    said = _said(documents, open_rows)
    # Of documents that say nothing at all nobody knows whether they are copies.
    open_rows, said = open_rows[said != 0], said[said != 0]
    # A taken one that is repeated has the time of an open one: few have.
    taken = np.flatnonzero(pairs.taken)
    taken = taken[is_among(documents.time[taken], documents.time[open_rows])]
    mine = _identity(documents, open_rows, said)
    repeated = is_among(mine, _identity(documents, taken, _said(documents, taken)))
    pairs.doubles[open_rows[repeated]] = True
    rest = open_rows[~repeated]
    _, first = np.unique(mine[~repeated], return_index=True)
    again = np.ones(len(rest), bool)
    again[first] = False
    pairs.doubles[rest[again]] = True


def _said(documents: Side, rows: Integers) -> Integers:
    """Text of documents as a number; without a text, their values; 0 where they have neither."""
    said = documents.hashes("message")[rows]
    mute = np.flatnonzero(said == 0)
    if len(mute):
        said = said.copy()
        said[mute] = hashes(documents.text(["properties"], rows[mute])["properties"].combine_chunks())
    return said


def _identity(documents: Side, rows: Integers, said: Integers) -> Integers:
    """Pod, namespace, container, own time and what was said of documents as one number."""
    return mix(
        documents.pod[rows],
        documents.namespace[rows],
        documents.container[rows],
        documents.time[rows],
        said,
    )
