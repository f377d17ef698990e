"""burst: losses that begin while the entry rate is far above its usual and end within seconds of it falling back."""

from __future__ import annotations

import numpy as np

from incident_kit.arrays import Flags
from incident_kit.correlate.reconcile.causes.view import ContainerView, Losses, runs

_SECOND = 1_000_000_000
_TIMES_USUAL = 10
_AFTER_SECONDS = 5
_LEAST_IN_SECOND = 20


def burst_seconds(view: ContainerView) -> tuple[Flags, np.ndarray, float]:
    """Seconds (relative to the first) whose rate is at least ten times the usual, counts by second, usual rate."""
    second = (view.time - view.time.min()) // _SECOND
    counts = np.bincount(second)
    # The usual rate: the mean over the quieter nine tenths of all seconds of the container's life.
    ordered = np.sort(counts)
    quiet = ordered[: max(1, int(len(ordered) * 0.9))]
    usual = max(float(quiet.mean()), 0.2)
    smooth = np.maximum(counts, np.convolve(counts, np.ones(3), "same") / 3)
    return np.asarray((smooth >= _TIMES_USUAL * usual) & (smooth >= _LEAST_IN_SECOND)), counts, usual


def burst(view: ContainerView, losses: Losses) -> None:
    """Entries lost in a burst, innocent ones in between included."""
    if not len(view) or not losses.open().any():
        return
    hot, counts, usual = burst_seconds(view)
    if not hot.any():
        return
    second = (view.time - view.time.min()) // _SECOND
    # Bursts a few seconds apart are one: the queue did not drain in between.
    for begin, end in _merged(runs(hot)):
        inside = (second >= begin) & (second <= end + _AFTER_SECONDS)
        lost = inside & view.lost
        if lost.sum() < 5:
            continue
        peak = int(counts[begin : end + 1].max())
        losses.give(
            inside,
            "burst",
            0.85,
            f"{int(lost.sum())} of {int(inside.sum())} entries lost while the rate was {peak}/s, {peak / usual:.0f} times the usual",
        )


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for begin, end in spans:
        if out and begin - out[-1][1] <= 2 * _AFTER_SECONDS:
            out[-1] = (out[-1][0], end)
        else:
            out.append((begin, end))
    return out
