"""What changed: one axis, a lane for each Argo CD Application, a marker by sort, undone changes struck through."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.counting import plural
from incident_kit.present import change_lanes, style
from incident_kit.present.text import visible

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from incident_kit.evidence import Evidence

MOST_LANES = 40
_NO_APPLICATION = " (no Application)"
#: The tag of an image reference; a digest and a revision are too long to be read in a figure.
_TAG = re.compile(r"[^\s,;]*/?[^\s,;/:]+:([\w][\w.-]*)(?![^\s,;])")
_LONGEST_TAG = 16
_WITH_IMAGES = frozenset({"image", "rollback", "sync", "partial_sync", "failed_sync"})


def plot_changes(evidence: Evidence) -> Figure:
    """Draw the changes of the window (and those before it that the record still knows), by Application."""
    from incident_kit.answers.changes import changes

    return draw_changes(changes(evidence), evidence.window.start, evidence.window.end)


def draw_changes(changes: pd.DataFrame, start: int, end: int) -> Figure:
    """Draw CHANGES rows that fall into ``[start, end)`` (ns); how many fall outside is said in the heading."""
    timed = change_lanes.grouped(changes)
    instants = timed["time"].to_numpy("datetime64[ns]").view("int64")
    shown = timed[(instants >= start) & (instants < end)]
    lane_of_row = _lanes(shown)
    names = _chosen(lane_of_row, shown["undone_by"].notna().tolist())
    kept = np.array([lane in names for lane in lane_of_row], dtype=bool)
    figure = style.new_figure(12.5, 0.38 * max(len(names), 1) + 1.8)
    axes = figure.subplots()
    rows = [lane for lane in lane_of_row if lane in names]
    change_lanes.draw_changes(axes, shown[kept], names, rows, style.number(end - start))
    axes.set_yticks(range(len(names)), [style.name_label(name, 46) for name in names], parse_math=False)
    style.time_axis(axes, start, end)
    _write_subjects(axes, shown[kept], names)
    outside, crowded = len(changes) - len(shown), len(shown) - int(kept.sum())
    notes = ["What changed, by Application"]
    notes += [f"{plural(outside, 'change')} outside the window or without a time"] if outside else []
    notes += (
        [f"{plural(crowded, 'change')} of {len(set(lane_of_row)) - len(names)} more lanes not drawn"] if crowded else []
    )
    style.heading(axes, "; ".join(notes))
    style.legend(figure, change_lanes.handles(shown), loc="outside lower center", ncols=8)
    return figure


def _lanes(changes: pd.DataFrame) -> list[str]:
    """The lane of each row: its Application, or its kind where no Application holds it."""
    return [
        visible(application) if isinstance(application, str) else f"{visible(kind)}{_NO_APPLICATION}"
        for application, kind in zip(changes["application"], changes["kind"], strict=True)
    ]


def _chosen(lane_of_row: list[str], undone: list[bool]) -> list[str]:
    """Lanes from top to bottom; of too many those with something undone, then those with most changes."""
    counts = Counter(lane_of_row)
    with_undone = {lane for lane, is_undone in zip(lane_of_row, undone, strict=True) if is_undone}
    telling = sorted(counts, key=lambda lane: (lane not in with_undone, -counts[lane], _natural(lane)))[:MOST_LANES]
    return sorted(telling, key=lambda lane: (lane.endswith(_NO_APPLICATION), _natural(lane)))


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that puts service-2 before service-10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _subject(row: Any, lane: str) -> str:
    """What a marker is told by: the tag it came to, else the object where it is not the Application itself."""
    new = row["new"] if isinstance(row["new"], str) else ""
    tags = list(dict.fromkeys(tag for tag in _TAG.findall(new) if len(tag) <= _LONGEST_TAG))
    if row["group"] in _WITH_IMAGES and tags:
        return "→ " + ", ".join(tags)
    own = lane.rpartition("/")[2]
    return "" if row["name"] == own else style.name_label(str(row["name"]).removeprefix(f"{own}-"), 24)


def _write_subjects(axes: Axes, shown: pd.DataFrame, names: list[str]) -> None:
    """Tell what changed above its marker where the next one of the lane leaves room; at the edge to its left."""
    left, right = axes.get_xlim()
    character = (right - left) / 190
    times = style.numbers(shown["time"])
    lanes = _lanes(shown)
    taken = dict.fromkeys(names, left)
    for place, (time, lane, row) in enumerate(zip(times, lanes, shown.to_dict("records"), strict=True)):
        text = _subject(row, lane)
        length = len(text) * character
        begin = min(time - character, right - length)
        following = min(
            (t for t, at in zip(times[place + 1 :], lanes[place + 1 :], strict=True) if at == lane), default=right
        )
        if text and begin >= taken[lane] and (begin + length <= following or following == right):
            taken[lane] = begin + length
            style.write(axes, begin, names.index(lane) - 0.36, text, fontsize=6.5, color=style.FAINT, va="center")
