"""One container instance's lines to entries, told apart; `entry_table` makes rows of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from incident_kit.arrays import Integers
from incident_kit.normalise.logs.documents.shape import HitShape
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.formats.layout import ALL_ASKED, Layout
from incident_kit.normalise.logs.grouping import owners
from incident_kit.normalise.logs.lines import Lines

#: Entries that are made into a table at once.
_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What is the same for all entries of one container instance."""

    cluster: str
    namespace: str
    pod: str
    pod_uid: str | None
    container: str
    restart_count: int | None
    image: str | None
    image_digest: str | None
    image_observed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The entries of one container instance: told apart, and made into tables piece by piece, in any thread.

    Attributes:
        lines: all lines of the instance in time order.
        parts: number of the rotated file of each line.
        instance: what all rows share.
        layout: how the container writes.
        roles: field roles for JSON entries.
        first_number: number of the first entry within the container.
        offset_seconds: zone of the console's times, where the profile states it.
        firsts: the first line of each entry.
        rest: all other lines of entries, by entry.
        rest_places: the entry of each of them.
        counts: lines of each entry.
        edges: whether an entry stands at a rotated file's beginning or end.
        shape: what is learnt of JSON entries.
    """

    lines: Lines
    parts: Integers
    instance: Instance
    layout: Layout
    roles: FieldRoles
    first_number: int
    offset_seconds: int | None
    firsts: Integers
    rest: Integers
    rest_places: Integers
    counts: Integers
    edges: Integers
    shape: HitShape

    def __len__(self) -> int:
        return len(self.firsts)

    def runs(self) -> Iterator[Run]:
        """Runs of entries that are made into a table at once."""
        for start in range(0, len(self), _AT_ONCE):
            yield Run(self, start, min(start + _AT_ONCE, len(self)))


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbours among an instance's entries: from the first to the one behind the last."""

    entries: Entries
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def joins(self, other: Run) -> bool:
        """Whether this run's rows come out the same when they are made together with another's."""
        one, two = self.entries, other.entries
        return (
            (one.roles, one.offset_seconds) == (two.roles, two.offset_seconds)
            and one.layout.blocks is None
            and two.layout.blocks is None
            and one.layout.parses_as(two.layout)
        )


def together(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """The runs in order, few entries of neighbours that are written alike together: to begin costs as much as a thousand entries."""
    waiting: list[Run] = []
    for run in runs:
        if waiting and (sum(map(len, waiting)) + len(run) > ALL_ASKED or not run.joins(waiting[0])):
            yield waiting
            waiting = []
        if len(run) > ALL_ASKED:
            yield [run]
        else:
            waiting.append(run)
    if waiting:
        yield waiting


def entries_of(
    lines: Lines,
    parts: Integers,
    instance: Instance,
    layout: Layout,
    roles: FieldRoles,
    first_number: int,
    offset_seconds: int | None = None,
) -> Entries:
    """Tell the entries of one instance apart; the arguments are attributes of `Entries`."""
    heads = layout.heads(lines.text)
    owner = owners(lines, heads, _levels_before_loose_lines(lines, heads, layout), layout.proven(lines.text, ~heads))
    begins = owner == np.arange(len(owner))
    firsts = np.flatnonzero(begins)
    places = (np.cumsum(begins) - 1)[owner]
    rest = np.flatnonzero((owner >= 0) & ~begins)
    rest = rest[np.argsort(places[rest], kind="stable")]
    return Entries(
        lines=lines,
        parts=parts,
        instance=instance,
        layout=layout,
        roles=roles,
        first_number=first_number,
        offset_seconds=offset_seconds,
        firsts=firsts,
        rest=rest,
        rest_places=places[rest],
        counts=np.bincount(places[owner >= 0], minlength=len(firsts)),
        edges=_edges(parts[firsts]),
        shape=HitShape(),
    )


def _levels_before_loose_lines(lines: Lines, heads: np.ndarray[Any, Any], layout: Layout) -> list[str | None]:
    """Levels of the heads that a line without prefix follows on the same stream; grouping asks for no others."""
    levels: list[str | None] = [None] * len(lines)
    if heads.all():
        return levels
    asked: list[np.ndarray[Any, Any]] = []
    for stream in np.unique(lines.stream):
        own = np.flatnonzero(lines.stream == stream)
        asked.append(own[:-1][heads[own[:-1]] & ~heads[own[1:]]])
    rows = np.concatenate(asked)
    if len(rows):
        told = layout.parse(lines.text.take(pa.array(rows))).level.to_pylist()
        for row, level in zip(rows.tolist(), told, strict=True):
            levels[row] = level
    return levels


def _edges(parts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    edge = np.zeros(len(parts), dtype=np.int64)
    if len(parts) > 1:
        change = np.flatnonzero(parts[1:] != parts[:-1])
        edge[change] = 2
        edge[change + 1] = 1
    return edge
