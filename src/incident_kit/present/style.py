"""One meaning, one colour and one sign: the vocabulary of every figure.

Colours are Okabe and Ito's, distinct for the colour-blind and in print by lightness; no meaning rests on colour
alone, a marker, a hatch or a word stands beside it. Figures are made without pyplot: nothing global is set, no
window is opened, and a notebook shows the returned figure.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from matplotlib.dates import AutoDateLocator, DateFormatter, date2num, num2date
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import Formatter, FuncFormatter

from incident_kit.present.text import shorten, shorten_middle, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, FAINT, PALE, ALARM = "#22262b", "#8a9099", "#e6e8eb", "#c2410c"
#: Colours of versions in the order in which a workload ran them, then again with a hatch.
VERSIONS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#b8ad2e")
HATCHES = ("", "////", "....", "xxxx")
#: RabbitMQ nodes: darker than the versions, beside which they stand.
RABBIT = ("#3b4754", "#7b3294", "#a6611a", "#01665e", "#8c2d04", "#54278f")

#: Marker and colour of each sort of change; the order is the order of lanes and legends.
CHANGES: dict[str, tuple[str, str]] = {
    "sync": ("D", "#0072b2"),
    "sync_without_changes": ("D", "#c9d3dc"),
    "partial_sync": ("d", "#0072b2"),
    "failed_sync": ("X", "#c2410c"),
    "rollback": ("<", "#cc79a7"),
    "created": ("*", "#8a9099"),
    "image": ("s", "#e69f00"),
    "config": ("o", "#009e73"),
    "network_policy": ("P", "#c2410c"),
    "restart": ("v", "#22262b"),
    "job": ("^", "#56b4e9"),
    "other": ("h", "#8a9099"),
}
_GROUPS = {
    "deploy_restart": "restart", "eviction": "restart", "scale": "other", "networkpolicy": "network_policy",
    "configmap": "config", "secret": "config", "cronjob": "job", "rollout": "image", "redeploy": "sync",
}  # fmt: skip

#: Marker and colour of how an instance ended.
ENDINGS: dict[str, tuple[str, str]] = {
    "killed": ("X", "#c2410c"),
    "failed": ("x", "#c2410c"),
    "ended": ("|", "#22262b"),
}

#: Colour and hatch of each verdict, worst on top.
VERDICTS: dict[str, tuple[str, str]] = {
    "matched": ("#c9d3dc", ""),
    "late": ("#56b4e9", ""),
    "at_other_time": ("#56b4e9", "////"),
    "without_pod_name": ("#009e73", ""),
    "truncated": ("#009e73", "////"),
    "rejected": ("#cc79a7", ""),
    "unknown": ("#f4f5f7", "...."),
    "console_only": ("#c2410c", ""),
}


class Chart(Figure):
    """A figure that a notebook shows when it is the last expression of a cell, whatever the backend."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.dpi)
        return buffer.getvalue()


def new_figure(width: float, height: float) -> Chart:
    """An empty figure in inches; constrained layout keeps labels apart."""
    layout = ConstrainedLayoutEngine(h_pad=0.04, w_pad=0.06, hspace=0.02, wspace=0.02)
    return Chart(figsize=(width, height), dpi=120, layout=layout, facecolor="white")


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def label(value: object, width: int = 60) -> str:
    """Text that a figure can draw: visible, one line, no character that the font lacks."""
    text = shorten(value, width)
    known = _drawable()
    return "".join(character if ord(character) in known else "□" for character in text)


def name_label(value: object, width: int = 34) -> str:
    """A name that keeps both ends when it is cut."""
    return label(shorten_middle(visible(value), width), width)


def write(axes: Axes, x: float, y: float, text: object, **style: Any) -> Any:
    """Text at a place; ``$`` in it is a character, not mathematics."""
    return axes.text(x, y, label(text, style.pop("width", 60)), parse_math=False, **style)


def time_axis(axes: Axes, start: int, end: int, *, labelled: bool = True) -> None:
    """Make x a UTC axis from start to end (ns); only the lowest axes of a figure carry its labels."""
    axes.set_xlim(number(start), number(end))
    locator = AutoDateLocator(tz="UTC", minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_clock(start, end))
    axes.tick_params(axis="x", labelbottom=labelled, length=3 if labelled else 0, labelsize=8, colors=INK)
    axes.grid(axis="x", color=PALE, linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    if labelled:
        axes.set_xlabel(
            f"UTC, {day(start)}" + ("" if day(start) == day(end - 1) else f" to {day(end - 1)}"), fontsize=8
        )


def _clock(start: int, end: int) -> Formatter:
    """Labels of the axis: as fine as ticks are apart, with days where the window spans some."""
    seconds = (end - start) / 1e9
    if seconds <= 8:
        return FuncFormatter(lambda x, _: f"{num2date(x):%H:%M:%S.%f}"[:-3])  # type: ignore[no-untyped-call]
    words = "%H:%M:%S" if seconds <= 8 * 60 else "%H:%M" if seconds <= 86_400 else "%m-%d %H:%M"
    return DateFormatter(words, tz="UTC")  # type: ignore[no-untyped-call]


def rate_unit(peak: float) -> tuple[float, str]:
    """Seconds of the time unit in which a rate is at least 1 at its peak, and how it is called."""
    if peak * 60 < 1:
        return 3600.0, "an hour"
    return (60.0, "a minute") if peak < 1 else (1.0, "a second")


def number(instant: int) -> float:
    """An instant (ns) as the axis counts it: days, which keeps microseconds."""
    return instant / 86_400_000_000_000


def numbers(instants: Any) -> Any:
    """A column of instants as the axis counts it; NaN where one is missing."""
    utc = instants.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ns]")
    return date2num(utc)  # type: ignore[no-untyped-call]


def day(instant: int) -> str:
    """UTC day of an instant (ns)."""
    from incident_kit.window import format_ns

    return (format_ns(instant) or "")[:10]


def lanes(axes: Axes, names: Iterable[str], *, fontsize: float = 8) -> None:
    """Make y a list of named lanes, the first on top."""
    listed = list(names)
    axes.set_ylim(max(len(listed), 1) - 0.5, -0.5)
    axes.set_yticks(range(len(listed)), listed, parse_math=False, fontsize=fontsize)
    axes.tick_params(axis="y", length=0, colors=INK)


def bare(axes: Axes) -> None:
    """Take away the frame: lanes need none."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(PALE)


def heading(axes: Axes, text: str) -> None:
    """Name of a panel, on the left above it."""
    axes.set_title(label(text, 160), loc="left", fontsize=9, fontweight="bold", color=INK, parse_math=False, pad=4)


def legend(owner: Any, handles: Iterable[Any], **style: Any) -> Any:
    """A frameless legend whose texts are characters, not mathematics."""
    made = owner.legend(handles=list(handles), frameon=False, fontsize=8, **style)
    for text in made.get_texts():
        text.set_parse_math(False)
    return made


def change_group(what: object, kind: object = None) -> str:
    """The sort of a change, a key of `CHANGES`."""
    word = _word(what).lower().replace("-", "_").replace(" ", "_")
    if word in CHANGES:
        return word
    if word in _GROUPS:
        return _GROUPS[word]
    for name in (*CHANGES, *_GROUPS):
        if word.startswith(f"{name}_") or word.endswith(f"_{name}"):
            return _GROUPS.get(name, name)
    by_kind = _word(kind).lower()
    return _GROUPS.get(by_kind, by_kind if by_kind in CHANGES else "other")


def ending(reason: object, exit_code: object) -> str:
    """How an instance ended, a key of `ENDINGS`: killed by the system, failed by itself, or just ended."""
    word, code = _word(reason), _word(exit_code)
    if word in {"OOMKilled", "Evicted", "NodeLost", "ContainerStatusUnknown"} or code == "137":
        return "killed"
    return "ended" if word in {"Completed", "gone"} or code == "0" else "failed"


def _word(value: object) -> str:
    """Text of a value, empty when it is missing in any of pandas' ways."""
    import pandas as pd

    return "" if value is None or value is pd.NA or value != value else str(value)
