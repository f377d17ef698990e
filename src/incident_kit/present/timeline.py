"""The timeline: pods, log rates, connections and changes on one UTC axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.present import change_lanes, connection_lanes, pod_lanes, style
from incident_kit.present.material import SLICES, Material
from incident_kit.present.versions import Versions

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from incident_kit.evidence import Evidence

MOST_PODS = 60
_WIDTH = 12.5


def plot_timeline(evidence: Evidence, most_pods: int = MOST_PODS) -> Figure:
    """Draw one window: what changed, what each pod did, what was logged and lost, who was connected where.

    Args:
        evidence: an opened bundle.
        most_pods: pods drawn at most; those with restarts and losses come first, the rest is counted in a note.
    """
    from incident_kit.present.gather import bundle_name, material

    title = f"{bundle_name(evidence)} · cluster {evidence.cluster}"
    return draw_timeline(material(evidence), title, most_pods)


def draw_timeline(material: Material, title: str, most_pods: int = MOST_PODS) -> Figure:
    """Draw the timeline of gathered answers; panels without anything to show are left out."""
    keys, left_out = pod_lanes.choose_pods(material, most_pods)
    changes = _inside(change_lanes.grouped(material.changes), material)
    versions = Versions(material)
    lane = 0.36 if len(keys) <= pod_lanes.ROOMY else 0.19
    panels: list[tuple[str, float]] = []
    if len(changes):
        panels.append(("changes", 0.24 * changes["group"].nunique() + 0.15))
    panels.append(("pods", lane * max(len(keys), 1) + 0.15))
    if (material.counts["side"] == "console").any():
        panels.append(("logs", 1.15))
    if material.rabbit_nodes:
        panels.append(("connections", 0.36 * len(material.rabbit_nodes) + 0.1))
    heights = [height for _, height in panels]
    figure = style.new_figure(_WIDTH, sum(heights) + 0.32 * len(panels) + 1.35)
    axes = dict(zip([n for n, _ in panels], _axes(figure, heights), strict=True))
    _fill(axes, material, keys, versions, changes)
    for name, panel in axes.items():
        style.time_axis(panel, material.start, material.end, labelled=name == panels[-1][0])
    more = f"; {left_out} more are not drawn" if left_out else "" if keys else ": none is known in this window"
    style.heading(axes["pods"], f"Pods{more}")
    figure.suptitle(style.label(title, 120), fontsize=11, fontweight="bold", color=style.INK, parse_math=False)
    marks = [*versions.handles(), *pod_lanes.handles(material), *connection_lanes.handles(material)]
    style.legend(figure, [*marks, *change_lanes.handles(changes)], loc="outside lower center", ncols=6)
    return figure


def _inside(changes: pd.DataFrame, material: Material) -> pd.DataFrame:
    """The changes of the window; a lane of others would only be empty."""
    times = changes["time"].to_numpy("datetime64[ns]").view("int64")
    return changes[(times >= material.start) & (times < material.end)]


def _axes(figure: Figure, heights: list[float]) -> list[Axes]:
    made = figure.subplots(len(heights), 1, sharex=False, squeeze=False, height_ratios=heights)
    return list(made[:, 0])


def _fill(axes: dict[str, Axes], material: Material, keys: list[str], versions: Versions, changes: Any) -> None:
    pod_lanes.draw_pods(axes["pods"], material, keys, versions)
    if "changes" in axes:
        style.heading(axes["changes"], "Changes")
        names = [name.replace("_", " ") for name in style.CHANGES if (changes["group"] == name).any()]
        lane_of_row = changes["group"].str.replace("_", " ").tolist()
        span = style.number(material.end - material.start)
        change_lanes.draw_changes(axes["changes"], changes, names, lane_of_row, span)
    if "logs" in axes:
        _draw_rates(axes["logs"], material)
    if "connections" in axes:
        style.heading(axes["connections"], "Open RabbitMQ connections by node")
        connection_lanes.draw_connections(axes["connections"], material, list(material.rabbit_nodes))


def _draw_rates(axes: Axes, material: Material) -> None:
    """How many console entries there were at a time, and how many of them never reached Elasticsearch."""
    console = material.counts[material.counts["side"] == "console"]
    seconds, unit = style.rate_unit(console.groupby("slice")["count"].sum().max() / material.slice_seconds)
    style.heading(axes, f"Console entries {unit}; in red those that never reached Elasticsearch")
    edges = np.linspace(style.number(material.start), style.number(material.end), SLICES + 1)
    for rows, colour, order in (
        (console, "#c9d3dc", 2),
        (console[console["verdict"] == "console_only"], style.ALARM, 3),
    ):
        rate = np.bincount(rows["slice"], weights=rows["count"], minlength=SLICES) / material.slice_seconds * seconds
        axes.stairs(rate, edges, fill=True, color=colour, zorder=order)
    axes.set_ylim(bottom=0)
    axes.tick_params(axis="y", labelsize=7, colors=style.INK, length=2)
    axes.locator_params(axis="y", nbins=4)
    style.bare(axes)
