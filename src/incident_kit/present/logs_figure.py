"""Console against Elasticsearch over time: how much each side holds, and what became of each console entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from incident_kit.present import style
from incident_kit.present.material import SLICES, Material, keys_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from incident_kit.evidence import Evidence

#: Verdicts on console entries that have a document in Elasticsearch.
_DELIVERED = ("matched", "late", "at_other_time", "without_pod_name", "truncated")
NOTHING = "No console entry and no document in what was captured; coverage and gaps say what was looked at."
_CAUSE_COLOURS = ("#c2410c", "#e69f00", "#0072b2", "#cc79a7", "#009e73", "#56b4e9", "#b8ad2e", "#22262b")


def plot_logs(evidence: Evidence, pod: str | None = None) -> Figure:
    """Draw rates of both sides, verdicts and causes over the window.

    Args:
        evidence: an opened bundle.
        pod: only this pod, ``namespace/pod`` or a name; all by default.
    """
    from incident_kit.present.gather import material

    drawn = material(evidence)
    title = f"Console against Elasticsearch · {pod or 'all pods'}"
    return draw_logs(drawn, title, pod)


def draw_logs(material: Material, title: str, pod: str | None = None) -> Figure:
    """Draw the counts of gathered answers."""
    counts = material.counts
    if pod is not None:
        counts = counts[keys_of(counts).eq(pod) | counts["pod"].eq(pod)]
    if counts.empty:
        return _empty(title)
    figure = style.new_figure(12.5, 6.2)
    rates, verdicts, causes = figure.subplots(3, 1, height_ratios=(1, 1.2, 1))
    _draw_sides(rates, counts, material)
    _draw_verdicts(verdicts, counts, material)
    _draw_causes(causes, counts, material)
    for axes in (rates, verdicts, causes):
        style.time_axis(axes, material.start, material.end, labelled=axes is causes)
        axes.set_ylim(bottom=0)
        axes.tick_params(axis="y", labelsize=7, colors=style.INK, length=2)
        style.bare(axes)
    figure.suptitle(style.label(title, 120), fontsize=11, fontweight="bold", color=style.INK, parse_math=False)
    return figure


def _empty(title: str) -> Figure:
    """One sentence instead of empty axes; whether anybody could look is for coverage and gaps to say."""
    figure = style.new_figure(12.5, 1.0)
    figure.suptitle(style.label(title, 120), fontsize=11, fontweight="bold", color=style.INK, parse_math=False)
    figure.text(0.5, 0.3, NOTHING, ha="center", va="center", fontsize=9, color=style.INK)
    return figure


def _edges(material: Material) -> np.ndarray:
    return np.linspace(style.number(material.start), style.number(material.end), SLICES + 1)


def _rate(rows: pd.DataFrame, material: Material, seconds: float = 1.0) -> np.ndarray:
    """Rows of each slice in so many seconds."""
    return np.bincount(rows["slice"], weights=rows["count"], minlength=SLICES) / material.slice_seconds * seconds


def _draw_sides(axes: Axes, counts: pd.DataFrame, material: Material) -> None:
    console = counts[counts["side"] == "console"]
    reached = counts[(counts["side"] == "elastic") | counts["verdict"].isin(_DELIVERED)]
    peak = max(_rate(console, material).max(initial=0), _rate(reached, material).max(initial=0))
    seconds, unit = style.rate_unit(peak)
    style.heading(axes, f"Entries {unit} on each side (a document counts at the time of its entry)")
    entries, documents = _rate(console, material, seconds), _rate(reached, material, seconds)
    axes.stairs(entries, _edges(material), fill=True, color="#c9d3dc", zorder=2)
    axes.stairs(documents, _edges(material), baseline=None, color=style.VERSIONS[0], linewidth=1.2, zorder=3)
    _tame(axes, entries.max(initial=0), documents.max(initial=0))
    marks: list[Any] = [
        Patch(facecolor="#c9d3dc", label="console"),
        Line2D([], [], color=style.VERSIONS[0], label="Elasticsearch"),
    ]
    _legend(axes, marks)


def _tame(axes: Axes, console: float, elastic: float) -> None:
    """Where one side's peak would press the other flat, make the scale above the lower peak logarithmic."""
    low, high = sorted((console, elastic))
    if low > 0 and high > 4 * low:
        axes.set_yscale("symlog", linthresh=low)
        axes.set_yticks([0, low, high], ["0", f"{low:,.0f}", f"{high:,.0f} (log)"])
        axes.minorticks_off()


def _draw_verdicts(axes: Axes, counts: pd.DataFrame, material: Material) -> None:
    """Shares of each slice's console entries, stacked; empty slices stay empty."""
    style.heading(axes, "What became of the console entries (share)")
    console = counts[counts["side"] == "console"]
    total = _rate(console, material)
    floor = np.zeros(SLICES)
    marks: list[Any] = []
    for verdict, (colour, hatch) in style.VERDICTS.items():
        rows = console[console["verdict"] == verdict]
        if not len(rows):
            continue
        share = np.divide(_rate(rows, material), total, out=np.zeros(SLICES), where=total > 0)
        look: dict[str, Any] = {
            "facecolor": colour,
            "hatch": hatch,
            "edgecolor": "#aab2bd" if hatch else colour,
            "linewidth": 0,
        }
        axes.stairs(floor + share, _edges(material), baseline=floor, fill=True, zorder=2, **look)
        marks.append(Patch(label=f"{verdict} {int(rows['count'].sum()):,}", **look))
        floor = floor + share
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    _legend(axes, marks)


def _draw_causes(axes: Axes, counts: pd.DataFrame, material: Material) -> None:
    lost = counts[counts["verdict"] == "console_only"]
    captured = (counts["side"] == "console").any()
    nothing = "No console-only entries" if captured else "No console of it was captured: nothing can be judged"
    seconds, unit = style.rate_unit(_rate(lost, material).max(initial=0))
    style.heading(axes, f"Console-only entries {unit}, by cause" if len(lost) else nothing)
    causes = lost.fillna({"cause": "no cause"}).groupby("cause")["count"].sum().sort_values(ascending=False)
    floor = np.zeros(SLICES)
    marks: list[Any] = []
    for place, (cause, count) in enumerate(causes.items()):
        colour = _CAUSE_COLOURS[place % len(_CAUSE_COLOURS)]
        rate = _rate(lost[lost["cause"].fillna("no cause") == cause], material, seconds)
        axes.stairs(floor + rate, _edges(material), baseline=floor, fill=True, color=colour, zorder=2)
        marks.append(Patch(facecolor=colour, label=style.label(f"{cause} {count:,}", 40)))
        floor = floor + rate
    _legend(axes, marks)


def _legend(axes: Axes, marks: list[Any]) -> None:
    """On the right outside, so that it covers nothing."""
    style.legend(axes, marks, loc="center left", bbox_to_anchor=(1.005, 0.5))
