"""A shipper that knows no multi-line events makes one document of each line: those belong to the entry, too."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from incident_kit.correlate.reconcile.clocks import Clocks
from incident_kit.correlate.reconcile.pairs import LINE, OWN, Pairs
from incident_kit.correlate.reconcile.sides import Side
from incident_kit.normalise.logs.normal_form import normal_form


def claim_lines(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks) -> None:
    """Give documents that hold one line of an entry to that entry; an entry whose first line is there is matched."""
    # A line that a trace has twice is written at once: its documents are alike, and yet no copies of each other.
    free = np.flatnonzero(~pairs.taken & ~documents.rejected)
    if not len(free) or not len(entries):
        return
    many = np.flatnonzero(entries.integers("line_count") > 1)
    many = many[np.isin(entries.pod[many], documents.pod[free])]
    if not len(many):
        return
    lines: dict[tuple[int, str], Counter[int]] = defaultdict(Counter)
    for row, text in zip(many.tolist(), entries.text(["text"], many)["text"].to_pylist(), strict=True):
        for line in text.split("\n"):
            form = normal_form(line)
            if form:
                lines[int(entries.pod[row]), form][row] += 1
    claims: dict[int, list[int]] = {}
    for row, text in zip(free.tolist(), documents.text(["message"], free)["message"].to_pylist(), strict=True):
        pod = int(documents.pod[row])
        moment = int(documents.time[row] - clocks.skew[pod])
        left = lines.get((pod, normal_form(text or "")), Counter())
        near = [
            entry
            for entry, count in left.items()
            if (count > 0 or not pairs.doubles[row])
            and abs(int(entries.time[entry]) - moment) <= int(clocks.tolerance[pod])
        ]
        if near:
            entry = min(near, key=lambda entry: (left[entry] <= 0, abs(int(entries.time[entry]) - moment)))
            left[entry] -= 1
            claims.setdefault(entry, []).append(row)
    for entry, rows in claims.items():
        if pairs.document[entry] < 0:
            pairs.add(np.array([entry]), np.array(rows[:1]), LINE, OWN)
        pairs.taken[rows] = True
        pairs.doubles[rows] = False
