"""Lanes for changes: a marker by sort of change; one that was undone is struck through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from incident_kit.present import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SIZE = 8


def grouped(changes: pd.DataFrame) -> pd.DataFrame:
    """The changes with their sort (column ``group``); those without a time cannot be drawn and are left out."""
    groups = [style.change_group(what, kind) for what, kind in zip(changes["what"], changes["kind"], strict=True)]
    named = changes.assign(group=groups)
    return named[named["time"].notna()]


def draw_changes(
    axes: Axes, changes: pd.DataFrame, lane_names: Sequence[str], lane_of_row: Sequence[str], span: float
) -> None:
    """Fill axes with the changes.

    Args:
        axes: axes to fill.
        changes: `grouped` CHANGES rows.
        lane_names: lanes from top to bottom.
        lane_of_row: the lane of each row.
        span: width of the time axis (as the axis counts), by which nearness of markers is judged.
    """
    places = {name: lane for lane, name in enumerate(lane_names)}
    times = style.numbers(changes["time"])
    lanes = dodged(times, np.array([places[name] for name in lane_of_row], dtype=float), span)
    for group, (marker, colour) in style.CHANGES.items():
        chosen = (changes["group"] == group).to_numpy()
        axes.plot(
            times[chosen], lanes[chosen], marker=marker, color=colour, linestyle="none", markersize=_SIZE,
            markeredgecolor="white", markeredgewidth=0.7, zorder=4,
        )  # fmt: skip
    undone = changes["undone_by"].notna().to_numpy()
    axes.plot(
        times[undone], lanes[undone], marker="_", color=style.INK, linestyle="none", markersize=_SIZE * 2.8,
        markeredgewidth=1.3, zorder=5,
    )  # fmt: skip
    for lane in range(len(lane_names)):
        axes.axhline(lane, color=style.PALE, linewidth=0.8, zorder=1)
    style.lanes(axes, lane_names)
    style.bare(axes)


def dodged(times: np.ndarray, lanes: np.ndarray, span: float) -> np.ndarray:
    """The lanes' heights, with markers that would hide each other moved apart, up and down in turn."""
    moved = lanes.copy()
    previous: dict[float, tuple[float, int]] = {}
    for place in np.argsort(times, kind="stable"):
        lane = lanes[place]
        before, step = previous.get(lane, (-np.inf, 0))
        step = step + 1 if times[place] - before < 0.013 * span else 0
        previous[lane] = (times[place], step)
        moved[place] = lane + (0, 0.24, -0.24)[step % 3]
    return moved


def handles(changes: pd.DataFrame) -> list[Line2D]:
    """Legend entries of the sorts of change that occur."""
    occurring = set(changes["group"])
    marks = [
        Line2D([], [], marker=marker, color=colour, linestyle="none", markersize=6, label=name.replace("_", " "))
        for name, (marker, colour) in style.CHANGES.items()
        if name in occurring
    ]
    if changes["undone_by"].notna().any():
        marks.append(
            Line2D(
                [],
                [],
                marker="_",
                color=style.INK,
                linestyle="none",
                markersize=14,
                markeredgewidth=1.3,
                label="undone",
            )
        )
    return marks
