"""One console that was brought in several ways (kubectl's output, a log store's export): each line once.

A container instance has one console. So files of it that overlap in time hold the same lines, and where their stamps are
of different precision, or one has the lines' own times, equal texts within a second are one line.
"""

from __future__ import annotations

from collections import defaultdict, deque
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.normalise.logs.lines import Lines, some_lines
from incident_kit.window import SECOND

_PRECISIONS = (SECOND, 1_000_000, 1_000, 100)


def without_copies(pieces: list[Lines]) -> list[Lines]:
    """The files' lines without those that another of them has, too; of two that have it, the one with finer stamps keeps it.

    Lines with equal stamps are left to whoever compares those: the kubelet's files and kubectl's have the same. Files that
    follow one another, as rotated ones do, do not overlap and are not looked at.
    """
    spans = [(int(one.time.min()), int(one.time.max())) if len(one) else None for one in pieces]
    known = sorted(span for span in spans if span is not None)
    if not any(following[0] < before[1] - SECOND for before, following in pairwise(known)):
        return pieces
    found = list(pieces)
    for number in sorted(range(len(pieces)), key=lambda one: (_coarseness(pieces[one]), one)):
        for other in range(len(pieces)):
            mine, theirs = spans[number], spans[other]
            if other == number or mine is None or theirs is None:
                continue
            begin, end = max(mine[0], theirs[0]), min(mine[1], theirs[1])
            finer = (_coarseness(pieces[number]), number) < (_coarseness(pieces[other]), other)
            if finer and end - begin > SECOND:
                found[other] = _without(found[other], found[number], begin - SECOND, end + SECOND)
    return found


def _coarseness(lines: Lines) -> int:
    """The unit (ns) that all stamps are whole numbers of."""
    return next((unit for unit in _PRECISIONS if len(lines) and not (lines.time % unit).any()), 1)


def _without(lines: Lines, others: Lines, begin: int, end: int) -> Lines:
    """Lines without those of which the others have the text within a second, one for one, between two times."""
    rows = np.flatnonzero((lines.time >= begin) & (lines.time <= end))
    rows = rows[~np.isin(lines.time[rows], others.time)]
    if not len(rows):
        return lines
    theirs = np.flatnonzero((others.time >= begin) & (others.time <= end) & ~np.isin(others.time, lines.time))
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for row, text in zip(theirs[np.argsort(others.time[theirs], kind="stable")], _texts(others, theirs), strict=True):
        waiting[text].append(int(others.time[row]))
    keep = np.ones(len(lines), dtype=bool)
    for row, text in zip(rows[np.argsort(lines.time[rows], kind="stable")], _texts(lines, rows), strict=True):
        times, own = waiting.get(text), int(lines.time[row])
        while times and times[0] <= own - SECOND:
            times.popleft()
        if times and times[0] < own + SECOND:
            times.popleft()
            keep[row] = False
    return lines if keep.all() else some_lines(lines, keep)


def _texts(lines: Lines, rows: np.ndarray[Any, Any]) -> list[str]:
    """Texts of rows in the order of their times, without white space at the end, which exports cut."""
    ordered = rows[np.argsort(lines.time[rows], kind="stable")]
    texts: list[str] = pc.utf8_rtrim_whitespace(lines.text.take(pa.array(ordered))).to_pylist()
    return texts
