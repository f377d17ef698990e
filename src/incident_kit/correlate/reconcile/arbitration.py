"""Which of several equal texts is the lost one: where both sides carry values, the values decide, not the time.

Libraries with key=value pairs log constant messages; two of them within the tolerance differ in their values only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.clocks import Clocks
from incident_kit.correlate.reconcile.match import is_among, mix
from incident_kit.correlate.reconcile.pairs import OWN, Pairs
from incident_kit.correlate.reconcile.sides import Side

_MOST_IN_CLUSTER = 60


def arbitrate(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks) -> None:
    """Exchange partners within clusters of equal texts until values agree; counts stay as they are."""
    lost = pairs.open_entries()
    if not len(lost) or any(side.files.all_null("properties") for side in (entries, documents)):
        return
    keys = mix(entries.pod, entries.hashes("head"))
    members = np.flatnonzero(is_among(keys, keys[lost]) & ((pairs.document < 0) | (pairs.where == OWN)))
    members = members[np.lexsort((entries.time[members], keys[members]))]
    clusters = [
        cluster
        for cluster in _clusters(entries, members, keys, clocks)
        if (pairs.document[cluster] < 0).any() and (pairs.document[cluster] >= 0).any()
    ]
    if not clusters:
        return
    rows = np.concatenate(clusters)
    partners = np.unique(pairs.document[rows][pairs.document[rows] >= 0])
    mine, theirs = values_of(entries, np.sort(rows)), values_of(documents, partners)
    for cluster in clusters:
        _settle(cluster.tolist(), pairs, mine, theirs)


def _clusters(entries: Side, members: Integers, keys: Integers, clocks: Clocks) -> list[Integers]:
    """Runs of one key whose neighbours are within the tolerance of each other."""
    if len(members) < 2:
        return []
    time, key = entries.time[members], keys[members]
    apart = (key[1:] != key[:-1]) | (time[1:] - time[:-1] > 2 * clocks.tolerance[entries.pod[members[1:]]])
    return [run[:_MOST_IN_CLUSTER] for run in np.split(members, np.flatnonzero(apart) + 1) if len(run) > 1]


def values_of(side: Side, rows: Integers) -> dict[int, dict[str, str]]:
    """Values by the last part of their name; documents keep them under prefixes of their own."""
    found: dict[int, dict[str, str]] = {}
    for row, text in zip(rows.tolist(), side.text(["properties"], rows)["properties"].to_pylist(), strict=True):
        document: Any = orjson.loads(text) if text else {}
        if isinstance(document, dict):
            found[row] = {
                name.rpartition(".")[2].lower(): str(value)
                for name, value in document.items()
                if not isinstance(value, dict | list)
            }
    return found


def agree(mine: dict[str, str], theirs: dict[str, str]) -> bool:
    """Whether both have values of the same names, and the same ones."""
    common = mine.keys() & theirs.keys()
    return bool(common) and all(mine[name] == theirs[name] for name in common)


def disagree(mine: dict[str, str], theirs: dict[str, str]) -> bool:
    """Whether a value that both have differs."""
    return any(mine[name] != theirs[name] for name in mine.keys() & theirs.keys())


def _settle(
    cluster: list[int], pairs: Pairs, mine: dict[int, dict[str, str]], theirs: dict[int, dict[str, str]]
) -> None:
    taken = {row: int(pairs.document[row]) for row in cluster if pairs.document[row] >= 0}
    for row in [row for row in cluster if pairs.document[row] < 0]:
        if not mine.get(row):
            continue
        for holder, document in list(taken.items()):
            values = theirs.get(document, {})
            if agree(mine[row], values) and not agree(mine.get(holder, {}), values):
                pairs.document[row], pairs.how[row], pairs.where[row], pairs.shift[row] = (
                    document,
                    pairs.how[holder],
                    OWN,
                    pairs.shift[holder],
                )
                pairs.document[holder], pairs.how[holder], pairs.where[holder], pairs.shift[holder] = -1, -1, -1, 0
                taken[row] = taken.pop(holder)
                break
