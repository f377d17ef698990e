"""Lanes for RabbitMQ nodes: how many connections were open on each, and which were lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from incident_kit.present import style
from incident_kit.present.material import Material

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_LINEAR = 30


def draw_connections(axes: Axes, material: Material, nodes: list[str]) -> None:
    """Fill axes with a lane for each RabbitMQ node: a step area of the connections open on it."""
    tallest = 1
    steps = {}
    for node in nodes:
        rows = material.connections[material.connections["rabbit_node"] == node]
        steps[node] = _open_connections(rows, material)
        tallest = max(tallest, int(steps[node][1].max(initial=0)))
    for lane, node in enumerate(nodes):
        times, open_count = steps[node]
        colour = style.RABBIT[lane % len(style.RABBIT)]
        floor = np.full(len(times), lane + 0.42)
        axes.fill_between(
            times,
            floor,
            floor - 0.78 * height(open_count, tallest),
            step="post",
            color=colour,
            alpha=0.75,
            linewidth=0,
        )
        axes.axhline(lane + 0.42, color=style.PALE, linewidth=0.8, zorder=1)
        _mark_losses(axes, material.connections[material.connections["rabbit_node"] == node], lane)
        most = int(open_count.max(initial=0))
        axes.text(
            1.004, lane, f"at most {most:,}" + (" (log)" if is_logarithmic(tallest) else ""), transform=axes.get_yaxis_transform(), fontsize=7, color=style.FAINT,
            va="center", parse_math=False,
        )  # fmt: skip
    style.lanes(axes, [style.name_label(node) for node in nodes])
    style.bare(axes)


def is_logarithmic(tallest: int) -> bool:
    """Whether heights are logarithmic: a flood of connections must not press a service's few flat."""
    return tallest > MOST_LINEAR


def height(count: np.ndarray, tallest: int) -> np.ndarray:
    """Height of a count as a share of the lane."""
    return np.log1p(count) / np.log1p(tallest) if is_logarithmic(tallest) else count / tallest


def _open_connections(rows: pd.DataFrame, material: Material) -> tuple[np.ndarray, np.ndarray]:
    """Times (axis numbers) and the count open from each on; an unknown start or end is the window's."""
    low, high = style.number(material.start), style.number(material.end)
    started = np.nan_to_num(style.numbers(rows["connected_at"]), nan=low)
    ended = np.nan_to_num(style.numbers(rows["closed_at"]), nan=high + 1)
    times = np.concatenate([[low], np.clip(started, low, None), ended, [high]])
    moves = np.concatenate([[0], np.ones(len(rows)), -np.ones(len(rows)), [0]])
    order = np.argsort(times, kind="stable")
    inside = times[order] <= high
    return times[order][inside], np.cumsum(moves[order])[inside]


def _mark_losses(axes: Axes, rows: pd.DataFrame, lane: int) -> None:
    """A cross where the broker gives a reason for a bad end."""
    lost = rows[rows["close_reason"].notna() & rows["closed_at"].notna()]
    axes.plot(
        style.numbers(lost["closed_at"]), np.full(len(lost), lane + 0.3), marker="x", color=style.ALARM,
        markersize=5, markeredgewidth=1.3, linestyle="none", zorder=4,
    )  # fmt: skip


def handles(material: Material) -> list[Line2D]:
    """Legend entries of the marks that occur."""
    if material.connections["close_reason"].notna().any():
        return [Line2D([], [], marker="x", color=style.ALARM, linestyle="none", markersize=5, label="connection lost")]
    return []
