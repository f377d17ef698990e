"""shipping_outage: from-to in which nothing of any template arrived, with edges of its own for each container."""

from __future__ import annotations

import numpy as np

from incident_kit.correlate.reconcile.causes.view import ContainerView, Flags, Hole, Losses, runs

_SECOND = 1_000_000_000
#: A hole that no other container has must be this long, in entries and time, and span several templates.
_ALONE_ENTRIES = 8
_ALONE_NS = 20 * _SECOND
_TOGETHER_ENTRIES = 2


def holes_of(view: ContainerView, ignored: Flags | None = None) -> list[tuple[Hole, int, int]]:
    """Runs of lost entries with first and last position among the view's rows.

    Entries that would not have been shipped anyway (``ignored``) neither break nor make a run.
    """
    counted = np.flatnonzero(~(ignored if ignored is not None else np.zeros(len(view), bool)) & (view.lost | view.delivered))
    found = []
    for first, last in runs(view.lost[counted]):
        begin, end = int(counted[first]), int(counted[last])
        hole = Hole(namespace=view.namespace, pod=view.pod, container=view.container, node=view.node,
                    begin=int(view.time[begin]), end=int(view.time[end]), count=last - first + 1)
        found.append((hole, begin, end))
    return found


def shipping_outage(view: ContainerView, losses: Losses, holes: list[Hole], *, absent: bool) -> None:
    """Holes that are long, or that other containers share."""
    ignored = view.lost & ~losses.open()
    for hole, begin, end in holes_of(view, ignored):
        others = [other for other in holes if (other.pod, other.container, other.namespace) != (hole.pod, hole.container, hole.namespace) and _overlap(other, hole)]
        rows = np.arange(begin, end + 1)
        templates = len(np.unique(view.mask[rows[view.lost[rows]]]))
        if others and hole.count >= _TOGETHER_ENTRIES and (templates > 1 or hole.count >= _ALONE_ENTRIES):
            pods = {other.pod for other in others} | {hole.pod}
            nodes = {other.node for other in others} | {hole.node}
            scope = f"{len(pods)} pods" + (f" on node {hole.node}" if len(nodes) == 1 and hole.node else "")
            losses.give(rows, "shipping_outage", 0.9, f"nothing of the container arrived over {(hole.end - hole.begin) / _SECOND:.1f} s ({hole.count} entries), as in {scope}")
        elif not absent and _stands_alone(view, hole, begin, end, templates):
            losses.give(rows, "shipping_outage", 0.75, f"nothing of the container arrived over {(hole.end - hole.begin) / _SECOND:.1f} s: {hole.count} entries of {templates} templates")


def _overlap(other: Hole, hole: Hole) -> bool:
    if other.count < 4:
        return False
    shared = min(other.end, hole.end) - max(other.begin, hole.begin)
    return shared >= -_SECOND and shared >= 0.3 * min(other.end - other.begin, hole.end - hole.begin)


def _stands_alone(view: ContainerView, hole: Hole, begin: int, end: int, templates: int) -> bool:
    if hole.count < _ALONE_ENTRIES or hole.end - hole.begin < _ALONE_NS or templates < 2:
        return False
    instances = np.unique(view.restart[begin : end + 1])
    at_end = len(instances) == 1 and not view.delivered[end + 1 :][view.restart[end + 1 :] == instances[0]].any()
    ended = view.endings.get(int(instances[0])) if len(instances) == 1 else None
    if at_end and ended is not None and ended.finished_at is not None:
        # The tail of an instance that ended is its own signature, unless it is far too long for a buffer.
        return hole.end - hole.begin > 300 * _SECOND and hole.count > 60
    at_start = len(instances) == 1 and not view.delivered[:begin][view.restart[:begin] == instances[0]].any()
    if at_start and view.delivered.any():
        return hole.end - hole.begin > 60 * _SECOND and hole.count > 20
    if view.edge[begin] == 1 or view.edge[end] == 2:
        return hole.count > 200
    return True
