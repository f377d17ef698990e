"""What changed: one axis, a lane for each Argo CD Application, a marker by sort, undone changes struck through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from incident_kit.present import change_lanes, style
from incident_kit.present.text import plural, visible

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from incident_kit.evidence import Evidence

MOST_LANES = 40
_NO_APPLICATION = "no Application"


def plot_changes(evidence: Evidence) -> Figure:
    """Draw the changes of the window (and those before it that the record still knows), by Application."""
    from incident_kit.answers import changes

    return draw_changes(changes(evidence), evidence.window.start, evidence.window.end)


def draw_changes(changes: pd.DataFrame, start: int, end: int) -> Figure:
    """Draw CHANGES rows that fall into ``[start, end)`` (ns); how many fall outside is said in the heading."""
    timed = change_lanes.grouped(changes)
    instants = timed["time"].to_numpy("datetime64[ns]").view("int64")
    shown = timed[(instants >= start) & (instants < end)]
    lane_of_row = [_lane(application) for application in shown["application"]]
    counted = dict.fromkeys(sorted(lane_of_row, key=lambda name: (name == _NO_APPLICATION, name)))
    names = list(counted)[:MOST_LANES]
    kept = np.array([lane in names for lane in lane_of_row], dtype=bool)
    figure = style.new_figure(12.5, 0.38 * max(len(names), 1) + 1.8)
    axes = figure.subplots()
    rows = [lane for lane in lane_of_row if lane in names]
    change_lanes.draw_changes(axes, shown[kept], names, rows, style.number(end - start))
    axes.set_yticks(range(len(names)), [style.name_label(name, 46) for name in names], parse_math=False)
    style.time_axis(axes, start, end)
    _write_subjects(axes, shown[kept], names)
    outside = len(changes) - int(kept.sum())
    note = f"; {plural(outside, 'change')} outside the window or without a time" if outside else ""
    style.heading(axes, f"What changed, by Application{note}")
    style.legend(figure, change_lanes.handles(shown), loc="outside lower center", ncols=8)
    return figure


def _lane(application: object) -> str:
    return _NO_APPLICATION if application is None or application != application else visible(application)


def _write_subjects(axes: Axes, shown: pd.DataFrame, names: list[str]) -> None:
    """Name what changed beside its marker where the next marker of the lane leaves room."""
    room = 0.16 * (axes.get_xlim()[1] - axes.get_xlim()[0])
    times = style.numbers(shown["time"])
    lanes = [_lane(application) for application in shown["application"]]
    right_edge = max(times, default=0.0)
    for place, name in enumerate(shown["name"]):
        later = [
            time for time, lane in zip(times[place + 1 :], lanes[place + 1 :], strict=True) if lane == lanes[place]
        ]
        until = min(later, default=right_edge + 2 * room) - times[place]
        width = int(26 * min(until / room, 1)) if room else 0
        if width >= 6:
            style.write(
                axes, times[place], names.index(lanes[place]) - 0.3, name, width=width, fontsize=6.5,
                color=style.FAINT, ha="left", va="center",
            )  # fmt: skip
