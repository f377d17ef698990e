"""Pod lifetimes: an instance a bar, its version a colour, its end a mark, its address and RabbitMQ node beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.patches import Patch

from incident_kit.present import pod_lanes, style
from incident_kit.present.material import Material, keys_of
from incident_kit.present.versions import Versions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from incident_kit.evidence import Evidence

MOST_PODS = 40
_LINK = (0.42, 0.50)


def plot_lifetimes(evidence: Evidence, workload: str | None = None, most_pods: int = MOST_PODS) -> Figure:
    """Draw each pod's container instances, with addresses held by several pods and the RabbitMQ node underneath.

    Args:
        evidence: an opened bundle.
        workload: only the pods of this workload; all by default.
        most_pods: pods drawn at most; those with restarts and losses come first.
    """
    from incident_kit.present.gather import material

    return draw_lifetimes(material(evidence, workload), f"Pod lifetimes · cluster {evidence.cluster}", most_pods)


def draw_lifetimes(material: Material, title: str, most_pods: int = MOST_PODS) -> Figure:
    """Draw the lifetimes of gathered answers."""
    keys, left_out = pod_lanes.choose_pods(material, most_pods)
    versions = Versions(material)
    lane = 0.46 if len(keys) <= pod_lanes.ROOMY else 0.26
    figure = style.new_figure(12.5, lane * max(len(keys), 1) + 2.0)
    axes = figure.subplots()
    pod_lanes.draw_pods(axes, material, keys, versions)
    _draw_links(axes, material, keys)
    shared = _write_addresses(axes, material, keys)
    style.time_axis(axes, material.start, material.end)
    notes = [f"{left_out} more pods are not drawn"] if left_out else []
    if shared:
        notes.append("an address marked * was held by more than one pod")
    style.heading(axes, "; ".join(notes))
    figure.suptitle(style.label(title, 120), fontsize=11, fontweight="bold", color=style.INK, parse_math=False)
    marks = [*versions.handles(), *pod_lanes.handles(material), *_link_handles(material)]
    style.legend(figure, marks, loc="outside lower center", ncols=5)
    return figure


def _draw_links(axes: Axes, material: Material, keys: Sequence[str]) -> None:
    """A thin line under a pod for each connection, coloured by RabbitMQ node."""
    lane_of = {key: lane for lane, key in enumerate(keys)}
    colours = _link_colours(material)
    links = material.connections[material.connections["rabbit_node"].notna()]
    starts = style.numbers(links["connected_at"])
    ends = style.numbers(links["closed_at"])
    for key, node, start, end in zip(keys_of(links), links["rabbit_node"], starts, ends, strict=True):
        if key in lane_of:
            left = start if start == start else style.number(material.start)  # NaN: not known, so from the edge
            right = end if end == end else style.number(material.end)
            axes.barh(
                lane_of[key] + _LINK[0], right - left, left=left, height=_LINK[1] - _LINK[0], align="edge",
                color=colours[node], linewidth=0, zorder=4,
            )  # fmt: skip


def _link_colours(material: Material) -> dict[str, str]:
    nodes = dict.fromkeys([*material.rabbit_nodes, *material.connections["rabbit_node"].dropna()])
    return {node: style.RABBIT[place % len(style.RABBIT)] for place, node in enumerate(nodes)}


def _link_handles(material: Material) -> list[Patch]:
    used = set(material.connections["rabbit_node"].dropna())
    return [
        Patch(facecolor=colour, label=style.label(f"connected to {node}", 50))
        for node, colour in _link_colours(material).items()
        if node in used
    ]


def _write_addresses(axes: Axes, material: Material, keys: Sequence[str]) -> bool:
    """Each pod's addresses on the right; whether any was held by more than one pod, its node's aside."""
    pods = material.pods.assign(key=keys_of(material.pods)).drop_duplicates("key", keep="last").set_index("key")
    of_node = pods["host_network"].fillna(value=False).astype(bool)
    held = {key: list(ips) for key, ips in pods.loc[~of_node, "pod_ips"].items() if ips is not None}
    shared = {key: list(ips) for key, ips in pods.loc[of_node, "pod_ips"].items() if ips is not None}
    holders = Counter(ip for ips in held.values() for ip in set(ips))
    for lane, key in enumerate(keys):
        ips = held.get(key, [])
        told = [f"{ip}*" if holders[ip] > 1 else str(ip) for ip in ips]
        text = ", ".join([*told, *(f"{ip} (node)" for ip in shared.get(key, []))])
        axes.text(
            1.004, lane, style.label(text, 44), transform=axes.get_yaxis_transform(), fontsize=7, va="center",
            color=style.INK, fontweight="bold" if any(holders[ip] > 1 for ip in ips) else "normal", parse_math=False,
        )  # fmt: skip
    return any(count > 1 for count in holders.values())
