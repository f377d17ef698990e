"""Pairing the entries of one bucket with its documents: quick passes on hashes, then the rest on text.

Exact texts before folded ones, near before far, documents that name the pod before those that do not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incident_kit.correlate.reconcile.clocks import Clocks, learn_clocks
from incident_kit.correlate.reconcile.match import Integers, alone, is_among, mix, nearest_pairs
from incident_kit.correlate.reconcile.sides import NOT_SAID, Names, Side

#: How a pair was found; the order is the order of trust.
EXACT, HEAD, TEXT, LOOSE, TEMPLATE, PART, LINE, TRUNCATED = range(8)
#: Where its document stands.
OWN, UNLABELLED, REFUSED, REFUSED_UNLABELLED = range(4)
_COMBINATIONS = (
    ("message_hash", "message_hash", EXACT),
    ("head_hash", "message_hash", HEAD),
    ("message_hash", "head_hash", HEAD),
    ("head_hash", "head_hash", HEAD),
    ("text_hash", "message_hash", TEXT),
    ("text_hash", "text_hash", TEXT),
)
#: Precisions (ns) at which own times are compared; whole seconds tell nothing that the kubelet's time does not.
_PRECISIONS = (1, 100, 1_000, 1_000_000)
#: A console may be written this much later than its text was made.
_BUFFERED_NS = 600_000_000_000
#: Where every text repeats, equal texts within this teach the clock.
_NEAREST_NS = 5_000_000_000


@dataclass(slots=True)
class Pairs:
    """The pairs found so far, by entry; -1 where none.

    Attributes:
        document: row of the document in its side.
        how: `EXACT` ... `TRUNCATED`.
        where: `OWN` and `REFUSED` (the bucket's documents), `UNLABELLED` and `REFUSED_UNLABELLED` (those without pod).
        shift: constant shift at which the pair was found (ns).
        taken: rows of the bucket's documents that have an entry.
        doubles: rows of documents that repeat a taken one.
    """

    document: Integers
    how: np.ndarray[Any, np.dtype[np.int8]]
    where: np.ndarray[Any, np.dtype[np.int8]]
    shift: Integers
    taken: np.ndarray[Any, np.dtype[np.bool_]]
    doubles: np.ndarray[Any, np.dtype[np.bool_]]
    lines: dict[int, int] = field(default_factory=dict)

    @classmethod
    def none(cls, entries: int, documents: int) -> Pairs:
        """No pair yet."""
        return cls(
            np.full(entries, -1, np.int64),
            np.full(entries, -1, np.int8),
            np.full(entries, -1, np.int8),
            np.zeros(entries, np.int64),
            np.zeros(documents, bool),
            np.zeros(documents, bool),
        )

    def add(self, entries: Integers, documents: Integers, how: int, where: int, shift: int = 0) -> None:
        """Remember pairs."""
        self.document[entries], self.how[entries], self.where[entries], self.shift[entries] = (
            documents,
            how,
            where,
            shift,
        )
        if where in (OWN, REFUSED):
            self.taken[documents] = True

    def open_entries(self) -> Integers:
        """Entries without a pair."""
        return np.flatnonzero(self.document < 0)

    def open_documents(self) -> Integers:
        """Documents without a pair that repeat none."""
        return np.flatnonzero(~self.taken & ~self.doubles)


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


def scope_keys(
    side: Side, rows: Integers, hashes: Integers, *, namespace: bool, container: bool, pod: bool = True
) -> Integers:
    """Keys that hold what the scope's documents say."""
    parts = [hashes]
    if pod:
        parts.append(side.pod[rows])
    if namespace:
        parts.append(side.namespace[rows])
    if container:
        parts.append(side.container[rows])
    return mix(*parts)


def disown(entries: Side, documents: Side) -> None:
    """Container and namespace names that no console knows are no evidence of another container.

    A document's container counts only where its pod has a console of that name or some document of the pod names
    one; a field that holds something else (an image, a service) must not keep the document from its entry.
    """
    for name in ("container", "namespace"):
        mine, theirs = getattr(entries, name), getattr(documents, name)
        if not len(theirs):
            continue
        known = mix(entries.pod, mine) if len(mine) else np.zeros(0, np.int64)
        fits = is_among(mix(documents.pod, theirs), known)
        said = theirs != NOT_SAID
        # Judged per pod: a field that never names a container of the pod's consoles names something else.
        pods_with_fit = np.unique(documents.pod[fits])
        hopeless = said & ~np.isin(documents.pod, pods_with_fit) & np.isin(documents.pod, entries.pod)
        if name == "container" and said.any() and not fits.any():
            theirs[hopeless] = NOT_SAID


def pair_bucket(entries: Side, documents: Side, names: Names) -> tuple[Pairs, Clocks]:
    """All pairs that hashes find within the bucket, and the clocks they taught."""
    pairs = Pairs.none(len(entries), len(documents))
    pairs.taken |= documents.repeated
    disown(entries, documents)
    usable = ~documents.rejected & (documents.pod != NOT_SAID)
    _own_times(entries, documents, pairs, usable)
    clocks = _clocks(entries, documents, pairs, names)
    _learn_from_pairs(entries, documents, pairs, clocks, usable)
    for tight in (True, False):
        for mine, theirs, how in _COMBINATIONS:
            _pass(entries, documents, pairs, clocks, mine, theirs, how, usable, tight=tight)
    mark_doubles(documents, pairs)
    return pairs, clocks


def _learn_from_pairs(
    entries: Side, documents: Side, pairs: Pairs, clocks: Clocks, usable: np.ndarray[Any, Any]
) -> None:
    """Clocks of pods whose texts all repeat: from pairs by own time, else from the nearest equal texts."""
    rows = np.flatnonzero(pairs.document >= 0)
    clocks.learn(entries.pod[rows], documents.time[pairs.document[rows]] - entries.time[rows], least=5)
    _learn_from_own_times(entries, documents, clocks, usable)
    poor = np.flatnonzero(clocks.pairs == 0)
    rows = np.flatnonzero(np.isin(entries.pod, poor) & (pairs.document < 0))
    part = np.flatnonzero(np.isin(documents.pod, poor) & usable)
    for mine, theirs in (("message_hash", "message_hash"), ("head_hash", "message_hash"), ("head_hash", "head_hash")):
        left, right = nearest_pairs(
            mix(entries.pod[rows], entries.hashes[mine][rows]),
            entries.time[rows],
            mix(documents.pod[part], documents.hashes[theirs][part]),
            documents.time[part],
            _NEAREST_NS,
        )
        clocks.learn(
            entries.pod[rows[left]], documents.time[part[right]] - entries.time[rows[left]], least=10, only=poor
        )


def _learn_from_own_times(entries: Side, documents: Side, clocks: Clocks, usable: np.ndarray[Any, Any]) -> None:
    """Clocks of pods whose texts are unlike on both sides: from times that each side has once, to the millisecond."""
    poor = clocks.pairs < 5
    rows = np.flatnonzero(poor[entries.pod] & (entries.app % 1_000_000_000 != 0))
    part = np.flatnonzero(usable & (documents.time % 1_000_000_000 != 0))
    part = part[poor[documents.pod[part]]]
    if not len(rows) or not len(part):
        return
    keys, other = (
        mix(entries.pod[rows], entries.app[rows] // 1_000_000),
        mix(documents.pod[part], documents.time[part] // 1_000_000),
    )
    mine, theirs = np.flatnonzero(alone(keys)), np.flatnonzero(alone(other))
    _, left, right = np.intersect1d(keys[mine], other[theirs], assume_unique=True, return_indices=True)
    left, right = rows[mine[left]], part[theirs[right]]
    clocks.learn(entries.pod[left], documents.time[right] - entries.time[left], least=5)


def _own_times(entries: Side, documents: Side, pairs: Pairs, usable: np.ndarray[Any, Any]) -> None:
    """Pairs whose document has the very time that the console's text shows, as precisely as both have it.

    Equal texts a millisecond apart are told apart by it; the kubelet's time could exchange them.
    """
    timed = entries.app != 0
    for precision in _PRECISIONS:
        for mine, theirs, how in _COMBINATIONS[:4]:
            rows = np.flatnonzero(timed & (pairs.document < 0) & (entries.hashes[mine] != 0))
            part = np.flatnonzero(~pairs.taken & usable & (documents.hashes[theirs] != 0))
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
                    scope_keys(entries, left, entries.hashes[mine][left], namespace=namespace, container=container),
                    entries.app[left] // precision,
                )
                other = mix(
                    scope_keys(
                        documents, scoped, documents.hashes[theirs][scoped], namespace=namespace, container=container
                    ),
                    documents.time[scoped] // precision,
                )
                found, right = nearest_pairs(keys, entries.time[left], other, documents.time[scoped], _BUFFERED_NS)
                pairs.add(left[found], scoped[right], how, OWN)


def _clocks(entries: Side, documents: Side, pairs: Pairs, names: Names) -> Clocks:
    """Clocks by whole messages, where few are equal by heads; pods whose entries nearly all have pairs teach more."""
    best: Clocks | None = None
    open_entries = np.bincount(entries.pod[pairs.document < 0], minlength=len(names.names))
    settled = np.bincount(entries.pod[pairs.document >= 0], minlength=len(names.names))
    wanted = open_entries * 3 >= settled
    mine_rows = np.flatnonzero(wanted[entries.pod])
    own = ~documents.rejected & (documents.pod != NOT_SAID)
    own[own] = wanted[documents.pod[own]]
    for mine, theirs in (
        ("message_hash", "message_hash"),
        ("head_hash", "message_hash"),
        ("head_hash", "head_hash"),
        ("text_hash", "message_hash"),
    ):
        found = learn_clocks(
            len(names.names),
            entries.pod[mine_rows],
            entries.hashes[mine][mine_rows],
            entries.time[mine_rows],
            documents.pod[own],
            documents.hashes[theirs][own],
            documents.time[own],
        )
        if best is None:
            best = found
            continue
        better = found.pairs > best.pairs * 2
        best.skew[better], best.tight[better], best.tolerance[better], best.pairs[better] = (
            found.skew[better],
            found.tight[better],
            found.tolerance[better],
            found.pairs[better],
        )
        for code, shifts in enumerate(found.shifts):
            best.shifts[code] += [shift for shift in shifts if shift not in best.shifts[code]]
    assert best is not None
    return best


def _pass(
    entries: Side,
    documents: Side,
    pairs: Pairs,
    clocks: Clocks,
    mine: str,
    theirs: str,
    how: int,
    usable: np.ndarray[Any, Any],
    *,
    tight: bool,
) -> None:
    open_entries = pairs.open_entries()
    open_entries = open_entries[entries.hashes[mine][open_entries] != 0]
    open_documents = np.flatnonzero(~pairs.taken & usable & (documents.hashes[theirs] != 0))
    for namespace, container, part in scopes(documents, open_documents):
        rows = open_entries[pairs.document[open_entries] < 0]
        if not len(rows):
            return
        limits = (clocks.tight if tight else clocks.tolerance)[entries.pod[rows]]
        keys = scope_keys(entries, rows, entries.hashes[mine][rows], namespace=namespace, container=container)
        other_keys = scope_keys(
            documents, part, documents.hashes[theirs][part], namespace=namespace, container=container
        )
        if not tight:
            limits = np.where(crowded(keys, other_keys), clocks.tight[entries.pod[rows]], limits)
        left, right = nearest_pairs(
            keys, entries.time[rows], other_keys, documents.time[part] - clocks.skew[documents.pod[part]], limits
        )
        pairs.add(rows[left], part[right], how, OWN)


def foreign(other_keys: Integers, keys: Integers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Documents of a text of which some, but far fewer, entries are open."""
    theirs, inverse, counts = np.unique(other_keys, return_inverse=True, return_counts=True)
    mine, mine_counts = np.unique(keys, return_counts=True)
    if not len(mine):
        return np.zeros(len(other_keys), bool)
    position = np.searchsorted(mine, theirs).clip(0, len(mine) - 1)
    open_entries = np.where(mine[position] == theirs, mine_counts[position], 0)
    found: np.ndarray[Any, np.dtype[np.bool_]] = ((open_entries > 0) & (counts > 3 * open_entries + 5))[inverse]
    return found


def crowded(keys: Integers, other_keys: Integers) -> np.ndarray[Any, np.dtype[np.bool_]]:
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
    found: np.ndarray[Any, np.dtype[np.bool_]] = (open_documents > 3 * counts + 5)[inverse]
    return found


def mark_doubles(documents: Side, pairs: Pairs) -> None:
    """Documents that repeat another one: same pod, same own time at full precision, same text, other _id."""
    if not len(documents):
        return
    identity = mix(
        documents.pod, documents.namespace, documents.container, documents.time, documents.hashes["message_hash"]
    )
    open_rows = np.flatnonzero(~pairs.taken & ~documents.rejected)
    if not len(open_rows):
        return
    repeated = is_among(identity[open_rows], identity[pairs.taken])
    pairs.doubles[open_rows[repeated]] = True
    rest = open_rows[~repeated]
    _, first = np.unique(identity[rest], return_index=True)
    again = np.ones(len(rest), bool)
    again[first] = False
    pairs.doubles[rest[again]] = True
