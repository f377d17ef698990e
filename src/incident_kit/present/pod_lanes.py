"""Lanes for pods: one row a pod, bars for container instances, marks where one ended, a strip of its log below.

Shared by the timeline (many pods, narrow lanes) and the lifetimes figure (few pods, with addresses and connections).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from incident_kit.present import style
from incident_kit.present.material import SLICES, Material, keys_of
from incident_kit.present.versions import Versions

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FAINT_WHERE_INFERRED = 0.45
#: Up to this many pods, lanes have room for large marks and names.
ROOMY = 16
#: Parts of a lane, from its top (-0.5) to its bottom (0.5).
_BARS = (-0.40, 0.12)
_RATE, _LOSS = (0.15, 0.27), (0.27, 0.40)


def choose_pods(material: Material, most: int) -> tuple[list[str], int]:
    """Keys of the pods to draw, in lane order, and how many were left out.

    Where there are more than fit, pods with restarts and with losses come first; lanes stay grouped by workload.
    """
    pods = material.pods.assign(key=keys_of(material.pods)).drop_duplicates("key", keep="last")
    losses = material.counts[material.counts["verdict"] == "console_only"]
    lost = losses.groupby(keys_of(losses))["count"].sum()
    restarted = material.instances.groupby(keys_of(material.instances))["restart_count"].max()
    telling = pods["key"].map(lost).fillna(0).astype(float) + 1000 * pods["key"].map(restarted).fillna(0).astype(float)
    kept = pods.assign(telling=telling).nlargest(most, "telling") if len(pods) > most else pods
    ordered = kept.assign(workload=kept["workload"].fillna(kept["pod"]))
    ordered = ordered.sort_values(["namespace", "workload", "created_at"], na_position="first", kind="stable")
    return ordered["key"].tolist(), len(pods) - len(ordered)


def draw_pods(axes: Axes, material: Material, keys: Sequence[str], versions: Versions) -> None:
    """Fill axes with a lane for each pod."""
    lane_of = {key: lane for lane, key in enumerate(keys)}
    _draw_lifetimes(axes, material, lane_of)
    _draw_instances(axes, material, lane_of, versions)
    _draw_log_strips(axes, material, lane_of)
    fontsize = 8 if len(keys) <= ROOMY else 6.5
    style.lanes(axes, [style.name_label(key.split("/", 1)[1]) for key in keys], fontsize=fontsize)
    style.bare(axes)


def _draw_lifetimes(axes: Axes, material: Material, lane_of: dict[str, int]) -> None:
    """A pale band from a pod's creation to its end."""
    for key, row in zip(keys_of(material.pods), material.pods.to_dict("records"), strict=True):
        if key in lane_of:
            start = _instant(row["created_at"], material.start)
            end = _instant(row["deleted_at"], _instant(row["finished_at"], material.end))
            axes.barh(
                lane_of[key], style.number(max(end, start)) - style.number(start), left=style.number(start),
                height=0.9, color=style.PALE, alpha=0.55, linewidth=0, zorder=1,
            )  # fmt: skip


def _draw_instances(axes: Axes, material: Material, lane_of: dict[str, int], versions: Versions) -> None:
    instances = material.instances
    shown = instances[instances["container_type"].ne("init").fillna(value=True)]
    shown = shown.assign(key=keys_of(shown))
    for key, rows in shown[shown["key"].isin(list(lane_of))].groupby("key", sort=False):
        told = rows[rows["source"].ne("inferred")]
        containers = list(dict.fromkeys((told if len(told) else rows)["container"].dropna()))
        share = (_BARS[1] - _BARS[0]) / max(len(containers), 1)
        in_order = rows.sort_values("restart_count", kind="stable")
        following = in_order.groupby("container", dropna=False)["started_at"].shift(-1)
        for row in in_order.assign(followed_at=following).to_dict("records"):
            # Of an earlier pod of that name, which is gone, only images are known: its bar stands for all containers.
            named = row["container"] in containers
            top = lane_of[str(key)] + _BARS[0] + (containers.index(row["container"]) * share if named else 0)
            height = share if named else _BARS[1] - _BARS[0]
            look = versions.look(str(key), row["image"], row["image_digest"])
            _draw_instance(axes, row, top, height, material, look, roomy=len(lane_of) <= ROOMY)
        _tell_counted(axes, rows, lane_of[str(key)], material)


def _tell_counted(axes: Axes, rows: pd.DataFrame, lane: int, material: Material) -> None:
    """Restarts that the status only counts: nobody knows when they were, so they are a number before the first bar."""
    counted = int((rows["started_at"].isna() & rows["finished_at"].isna() & rows["source"].eq("restartCount")).sum())
    begin = rows["started_at"].min()
    if not counted:
        return
    place = style.number(_instant(begin, material.end))
    axes.annotate(
        f"{counted} earlier restart{'s' if counted > 1 else ''}, times not known", (place, lane + sum(_BARS) / 2),
        xytext=(-6, 0), textcoords="offset points", ha="right", va="center", fontsize=6.5, color=style.INK, zorder=5,
    )  # fmt: skip


def _draw_instance(
    axes: Axes,
    row: dict[Any, Any],
    top: float,
    height: float,
    material: Material,
    look: dict[str, Any],
    *,
    roomy: bool,
) -> None:
    start, end = _instant(row["started_at"], None), _instant(row["finished_at"], None)
    if start is not None:
        last = end if end is not None else _instant(row["followed_at"], material.end)
        left, right = style.number(start), style.number(last)
        axes.barh(
            top, max(right - left, 0), left=left, height=height * 0.92, align="edge", edgecolor="white",
            linewidth=0.4, zorder=3, alpha=_FAINT_WHERE_INFERRED if row["source"] == "inferred" else 1, **look,
        )  # fmt: skip
    if end is not None:
        marker, colour = style.ENDINGS[style.ending(row["reason"], row["exit_code"])]
        axes.plot(
            style.number(end), top + height / 2, marker=marker, color=colour, markersize=7 if roomy else 4.5,
            markeredgecolor="white" if marker == "X" else colour, markeredgewidth=0.6 if marker == "X" else 1.4,
            linestyle="none", zorder=5,
        )  # fmt: skip


def _draw_log_strips(axes: Axes, material: Material, lane_of: dict[str, int]) -> None:
    """Grey: entries on the console, darker where more. Red below it: those that never reached Elasticsearch."""
    counts = material.counts[material.counts["side"] == "console"]
    counts = counts.assign(lane=keys_of(counts).map(lane_of)).dropna(subset=["lane"])
    if not len(counts):
        return
    shape = (len(lane_of), SLICES)
    rate = _grid(counts, shape)
    loss = _grid(counts[counts["verdict"] == "console_only"], shape)
    cells = np.zeros((3 * len(lane_of) - 1, SLICES, 4))
    cells[0::3] = _shade(rate, style.INK, 0.10)
    cells[1::3] = _shade(loss, style.ALARM, 0.45)
    edges = np.linspace(style.number(material.start), style.number(material.end), SLICES + 1)
    rows = np.concatenate([[lane + _RATE[0], lane + _RATE[1], lane + _LOSS[1]] for lane in range(len(lane_of))])
    axes.pcolormesh(edges, rows, cells, zorder=2, rasterized=True)


def _grid(counts: pd.DataFrame, shape: tuple[int, int]) -> np.ndarray:
    grid = np.zeros(shape)
    places = (counts["lane"].to_numpy("int64"), counts["slice"].to_numpy("int64"))
    np.add.at(grid, places, counts["count"].to_numpy("int64"))
    return grid


def _shade(grid: np.ndarray, colour: str, faintest: float) -> np.ndarray:
    """Colours of a grid of counts: transparent at none, from faintest to full on a logarithmic scale."""
    cells = np.zeros((*grid.shape, 4))
    cells[..., :3] = to_rgb(colour)
    strength = np.log1p(grid) / np.log1p(max(grid.max(), 1))
    cells[..., 3] = np.where(grid > 0, faintest + (1 - faintest) * strength, 0)
    return cells


def handles(material: Material) -> list[Any]:
    """Legend entries of the marks that occur."""
    words = {"killed": "killed (OOM, eviction)", "failed": "ended with an error", "ended": "ended"}
    ended = material.instances[material.instances["finished_at"].notna()]
    occurring = {style.ending(*pair) for pair in zip(ended["reason"], ended["exit_code"], strict=True)}
    marks: list[Any] = [
        Line2D([], [], marker=marker, color=colour, linestyle="none", markersize=6, label=words[name])
        for name, (marker, colour) in style.ENDINGS.items()
        if name in occurring
    ]
    if (material.instances["source"] == "inferred").any():
        marks.append(Patch(facecolor=style.VERSIONS[0], alpha=_FAINT_WHERE_INFERRED, label="inferred: the pod is gone"))
    if len(material.counts):
        marks.append(Patch(facecolor=style.FAINT, label="console entries"))
    if (material.counts["verdict"] == "console_only").any():
        marks.append(Patch(facecolor=style.ALARM, label="only on the console"))
    return marks


def _instant(value: Any, otherwise: Any) -> Any:
    import pandas as pd

    return otherwise if pd.isna(value) else value.value
