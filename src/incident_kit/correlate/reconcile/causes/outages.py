"""shipping_outage: from-to in which nothing of any template arrived, with edges of its own for each container."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.causes.strays import strays
from incident_kit.correlate.reconcile.causes.view import ContainerView, Hole, Losses, runs

_SECOND = 1_000_000_000
#: A hole that no other container has must be this long, in entries and time, and span several templates where the container mixes them.
_ALONE_ENTRIES = 8
_ALONE_NS = 20 * _SECOND
#: A hole corroborates others when deliveries of its own instance bound it and it is no handful by chance.
_WITNESS_ENTRIES = 4
_FAR = 1 << 62
#: As long as a shipper that follows files by name may look away at a rotation.
_ROTATION_NS = 10 * _SECOND
#: A shipper that lost its place at a rotation misses so many entries at most; more are an outage's.
_MOST_BEFORE_ROTATION = 200
#: In so many holes apart a template is missing for a reason of its own.
_OFTEN = 3
#: A hole that chance makes so often, where entries are lost all the time, is none.
_BY_CHANCE = 0.01


@dataclass(frozen=True, slots=True)
class LocalHole:
    """A hole with its place among the view's rows and the deliveries around it.

    Attributes:
        before, after: times of the last delivery before and the first after, of any instance of the container.
        chance: how likely so many in a row are lost, as often as the entry after a delivered one is lost elsewhere.
    """

    hole: Hole
    first: int
    last: int
    before: int
    after: int
    chance: float


def holes_of(view: ContainerView, ignored: Flags | None = None) -> list[LocalHole]:
    """Runs of lost entries.

    Entries that would not have been shipped anyway (``ignored``), and strays, neither break nor make a run.
    """
    ignored = ignored if ignored is not None else np.zeros(len(view), bool)
    arrivals = arrivals_of(view, ignored)
    counted = np.flatnonzero(~ignored & (view.lost | arrivals))
    found = []
    arrived = np.flatnonzero(arrivals)
    spans = _runs_by_instance(view.lost[counted], view.restart[counted])
    # After a delivered entry one is lost this often; where losses come one by one, so is the one after it.
    often = (len(spans) - 1) / max(len(counted) - int(view.lost[counted].sum()), 1)
    for first, last in spans:
        begin, end = int(counted[first]), int(counted[last])
        # The entries next to it may be another instance's, and lost as well.
        place = int(np.searchsorted(arrived, begin))
        before = int(view.time[arrived[place - 1]]) if place else -_FAR
        after = int(view.time[arrived[place]]) if place < len(arrived) else _FAR
        length = last - first + 1
        chance = min(often, 1.0) ** length
        inner = (
            first > 0
            and last + 1 < len(counted)
            and view.restart[counted[first - 1]] == view.restart[begin]
            and view.restart[counted[last + 1]] == view.restart[end]
        )
        hole = Hole(
            namespace=view.namespace,
            pod=view.pod,
            container=view.container,
            node=view.node,
            begin=int(view.time[begin]),
            end=int(view.time[end]),
            count=last - first + 1,
            witness=bool(inner)
            and length >= _WITNESS_ENTRIES
            and len(spans) * chance <= _BY_CHANCE
            and not _is_rotation(view, begin, end),
        )
        found.append(LocalHole(hole, begin, end, before, after, chance))
    return found


def arrivals_of(view: ContainerView, ignored: Flags) -> Flags:
    """Delivered entries, but for those that stand alone inside of a hole."""
    counted = np.flatnonzero(~ignored & (view.lost | view.delivered))
    found = view.delivered.copy()
    found[counted[strays(view.lost[counted])]] = False
    return found


def _is_rotation(view: ContainerView, begin: int, end: int) -> bool:
    """A short hole at the edge of a rotated file, or one that ends or begins exactly there.

    A node rotates the files of several containers at once, so others may have such a hole, too.
    """
    short = view.time[end] - view.time[begin] <= _ROTATION_NS
    exact = _is_cut_by_rotation(view, begin, end) and end - begin < _MOST_BEFORE_ROTATION
    return exact or bool(short and (view.edge[begin : end + 1] > 0).any())


def _is_cut_by_rotation(view: ContainerView, begin: int, end: int) -> bool:
    return bool(view.edge[begin] == 1 or view.edge[end] == 2)


def unsurprising(view: ContainerView, losses: Losses) -> Flags:
    """Losses that say nothing about an outage: explained ones, and templates that are missing again and again.

    A template that no document has, in at least three holes apart, is missing for a reason of its own; one that is
    missing in one hole only is missing as everything else there is.
    """
    ignored: Flags = view.lost & ~losses.open()
    if not view.delivered.any():
        return ignored
    hole_of = np.full(len(view), -1)
    for number, local in enumerate(holes_of(view, ignored)):
        hole_of[local.first : local.last + 1] = number
    never = view.lost & ~ignored & ~np.isin(view.mask, np.unique(view.mask[view.delivered]))
    in_holes = np.unique(np.stack([view.mask[never], hole_of[never]]), axis=1)[0]
    masks, holes = np.unique(in_holes, return_counts=True)
    ignored |= never & np.isin(view.mask, masks[holes >= _OFTEN])
    return ignored


def _runs_by_instance(lost: Flags, restart: Integers) -> list[tuple[int, int]]:
    """Runs that end with their instance: its tail and the next one's first words are signatures of their own."""
    edges = np.flatnonzero(restart[1:] != restart[:-1]) + 1
    found = []
    for begin, end in zip([0, *edges.tolist()], [*edges.tolist(), len(lost)], strict=True):
        found += [(begin + first, begin + last) for first, last in runs(lost[begin:end])]
    return found


def shipping_outage(view: ContainerView, losses: Losses, witnesses: list[Hole], *, absent: bool) -> None:
    """Holes that other containers share, or that are long enough to stand alone."""
    ignored = unsurprising(view, losses)
    arrivals = arrivals_of(view, ignored)
    for local in holes_of(view, ignored):
        hole = local.hole
        others = [
            other
            for other in witnesses
            if (other.pod, other.container, other.namespace) != (hole.pod, hole.container, hole.namespace)
            and _shared(local, other, 0.9 if absent else 0.5)
        ]
        rows = np.arange(local.first, local.last + 1)
        masks = np.unique(view.mask[rows[view.lost[rows]]])
        seconds = (hole.end - hole.begin) / _SECOND
        if not absent and (
            local.chance > _BY_CHANCE or _is_edge(view, arrivals, local) or _is_rotation(view, local.first, local.last)
        ):
            continue
        if others and (hole.count >= 2 or len({other.pod for other in others}) >= 2):
            pods = {other.pod for other in others} | {hole.pod}
            nodes = {other.node for other in others} | {hole.node}
            scope = f"{len(pods)} pods" + (f" on node {hole.node}" if len(nodes) == 1 and hole.node else "")
            losses.give(
                rows,
                "shipping_outage",
                0.9,
                f"nothing of the container arrived over {seconds:.1f} s ({hole.count} entries), as in {scope}",
            )
        elif not absent and _stands_alone(view, arrivals, local, masks):
            losses.give(
                rows,
                "shipping_outage",
                0.75,
                f"nothing of the container arrived over {seconds:.1f} s: {hole.count} entries of {len(masks)} templates",
            )


def _is_edge(view: ContainerView, arrivals: Flags, local: LocalHole) -> bool:
    """A handful at an instance's beginning or end: what came before the logger, or a tail, whatever others lost then."""
    own = arrivals & (view.restart == view.restart[local.first])
    return local.hole.count < _ALONE_ENTRIES and not (own[: local.first].any() and own[local.last + 1 :].any())


def _shared(local: LocalHole, other: Hole, share: float) -> bool:
    """Whether this container delivered nothing during the other's hole, and its hole lies mostly within it."""
    length = other.end - other.begin
    silent = min(local.after, other.end) - max(local.before, other.begin)
    if silent < 0.7 * length:
        return False
    own = local.hole.end - local.hole.begin
    margin = 2 * _SECOND + length // 4
    within = min(local.hole.end, other.end + margin) - max(local.hole.begin, other.begin - margin)
    return within >= share * own and within >= 0


def _stands_alone(view: ContainerView, arrivals: Flags, local: LocalHole, masks: Integers) -> bool:
    hole, begin, end = local.hole, local.first, local.last
    if hole.count < _ALONE_ENTRIES or hole.end - hole.begin < _ALONE_NS:
        return False
    if len(masks) == 1 and not _often_alone(view, local, int(masks[0])):
        return False
    instance = int(view.restart[begin])
    own = view.restart == instance
    at_end = not (arrivals & own)[end + 1 :].any()
    at_start = not (arrivals & own)[:begin].any()
    if (at_end and _goes_on(view, arrivals, instance, forwards=True)) or (
        at_start and _goes_on(view, arrivals, instance, forwards=False)
    ):
        return True
    ending = view.endings.get(instance)
    if at_end and ((ending is not None and ending.finished_at is not None) or instance != view.restart.max()):
        # The tail of an instance that ended is its own signature, unless it is far too long for a buffer.
        return hole.end - hole.begin > 300 * _SECOND and hole.count > 60
    if at_start and arrivals.any():
        return hole.end - hole.begin > 60 * _SECOND and hole.count > 20
    return not _is_cut_by_rotation(view, begin, end) or hole.count > _MOST_BEFORE_ROTATION


def _often_alone(view: ContainerView, local: LocalHole, mask: int) -> bool:
    """Whether so many entries in a row are often of this one template, as the container's other entries go."""
    others = np.ones(len(view), bool)
    others[local.first : local.last + 1] = False
    share = float((view.mask[others] == mask).mean()) if others.any() else 1.0
    return share**local.hole.count > _BY_CHANCE


def _goes_on(view: ContainerView, arrivals: Flags, instance: int, *, forwards: bool) -> bool:
    """Whether the hole crosses the restart: the neighbour instance's adjacent logged entries are missing, too.

    A few of them may be a crash's tail or what came before the logger; an outage takes more, and longer.
    """
    counts = view.counts()
    place = counts.index(instance) + (1 if forwards else -1)
    if not 0 <= place < len(counts):
        return False
    here = np.flatnonzero((view.restart == instance) & view.logged & (view.lost | arrivals))
    there = np.flatnonzero((view.restart == counts[place]) & view.logged & (view.lost | arrivals))
    if not len(here) or not len(there):
        return False
    tail, head = (here[::-1], there) if forwards else (there[::-1], here)
    return all(_lost_first(view, arrivals, rows) for rows in (tail, head))


def _lost_first(view: ContainerView, arrivals: Flags, rows: Integers) -> bool:
    """Whether many entries from the first on are lost, over some time."""
    arrived = np.flatnonzero(arrivals[rows])
    run = rows[: arrived[0]] if len(arrived) else rows
    return len(run) >= _ALONE_ENTRIES and abs(int(view.time[run[-1]] - view.time[run[0]])) >= _ALONE_NS
