"""Losses at the edges of an instance or of a rotated file: before_logger, died_before_flush, rotation_edge."""

from __future__ import annotations

import numpy as np

from incident_kit.correlate.reconcile.causes.view import ContainerView, Losses, runs

_SECOND = 1_000_000_000
_START_NS = 60 * _SECOND
_MEANING = {137: "SIGKILL", 143: "SIGTERM", 139: "SIGSEGV", 134: "SIGABRT"}


def before_logger(view: ContainerView, losses: Losses) -> None:
    """The first entries of an instance, up to the first that arrived."""
    for restart, rows in view.instances():
        arrived = np.flatnonzero(view.delivered[rows])
        if not len(arrived) or arrived[0] == 0:
            continue
        head = rows[: arrived[0]]
        ending = view.endings.get(restart)
        first = int(view.time[rows[0]])
        known_start = ending is not None and ending.started_at is not None and first - ending.started_at <= _START_NS
        if not known_start and restart == 0 and ending is not None and ending.started_at is not None:
            continue
        if ending is not None and ending.started_at is not None and not known_start:
            continue
        early = head[view.time[head] - first <= _START_NS]
        if len(early) == len(head) and view.lost[head].all():
            losses.give(
                head,
                "before_logger",
                0.8 if known_start else 0.6,
                "the instance's first entry did not arrive"
                if len(head) == 1
                else f"none of the instance's first {len(head)} entries arrived",
            )


def died_before_flush(view: ContainerView, losses: Losses) -> None:
    """The last entries of an instance that ended, from the last that arrived."""
    counts = view.counts()
    for restart, rows in view.instances():
        ending = view.endings.get(restart)
        followed = restart != counts[-1]
        if (ending is None or ending.finished_at is None) and not followed:
            continue
        arrived = np.flatnonzero(view.delivered[rows])
        tail = rows[arrived[-1] + 1 :] if len(arrived) else rows
        if not len(tail) or not view.lost[tail].any():
            continue
        how = (
            "it was restarted"
            if ending is None or ending.exit_code is None
            else f"{ending.reason or 'ended'}, exit code {ending.exit_code}"
            + (f" ({_MEANING[ending.exit_code]})" if ending.exit_code in _MEANING else "")
        )
        lost = int(view.lost[tail].sum())
        losses.give(
            tail,
            "died_before_flush",
            0.85 if ending is not None and ending.finished_at is not None else 0.7,
            f"the last {f'{lost} entries' if lost > 1 else 'entry'} of the instance: {how}",
        )


def rotation_edge(view: ContainerView, losses: Losses) -> None:
    """Runs of losses that begin or end at the rotation of the console file."""
    for begin, end in runs(losses.open()):
        if view.edge[begin] == 1 or view.edge[end] == 2 or (view.edge[begin : end + 1] > 0).any():
            losses.give(
                np.arange(begin, end + 1),
                "rotation_edge",
                0.7,
                f"{end - begin + 1} entries at the rotation of the console file",
            )
