"""Figures say what the answers say: tested by their artists, not by pixels."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from itertools import pairwise

import matplotlib
import pytest
from matplotlib.figure import Figure

from incident_kit.present import style
from incident_kit.present.change_lanes import dodged
from incident_kit.present.changes import draw_changes
from incident_kit.present.lifetimes import draw_lifetimes
from incident_kit.present.logs_figure import NOTHING, draw_logs
from incident_kit.present.pod_lanes import choose_pods
from incident_kit.present.timeline import draw_timeline
from incident_kit.tables.kubernetes import CONTAINERS, PODS
from incident_kit.window import SECOND
from tests.present.incident import END, HOSTILE, START, an_incident


def _drawn(figure: Figure) -> Figure:
    figure.draw_without_rendering()
    return figure


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def _every_figure(incident) -> list[Figure]:
    return [
        draw_timeline(incident, HOSTILE),
        draw_lifetimes(incident, HOSTILE),
        draw_changes(incident.changes, START, END),
        draw_logs(incident, HOSTILE),
    ]


@pytest.mark.parametrize("count", [3, 60])
def test_pod_names_of_the_timeline_do_not_overlap(count):
    figure = _drawn(draw_timeline(an_incident(count), "incident"))
    pods = next(axes for axes in figure.axes if axes.get_title(loc="left").startswith("Pods"))
    boxes = [tick.get_window_extent() for tick in pods.get_yticklabels()]
    assert len(boxes) == count
    ordered = sorted(boxes, key=lambda box: box.y0)
    assert all(lower.y1 <= upper.y0 + 1 for lower, upper in pairwise(ordered))


def test_more_pods_than_fit_are_counted_and_those_with_restarts_are_kept():
    incident = an_incident(90)
    kept, left_out = choose_pods(incident, 60)
    restarted = incident.instances.loc[incident.instances["restart_count"] > 0, "pod"]
    assert left_out == 30
    assert {f"shop/{pod}" for pod in restarted} <= set(kept)
    assert any("30 more are not drawn" in text for text in _texts(draw_timeline(incident, "incident")))


def test_every_instance_has_a_bar_and_every_end_a_mark():
    incident = an_incident(3)
    axes = draw_lifetimes(incident, "lifetimes").axes[0]
    coloured = [bar for bar in axes.patches if matplotlib.colors.to_hex(bar.get_facecolor()) in style.VERSIONS]
    ends = [line for line in axes.lines if line.get_marker() == "X"]
    assert len(coloured) == len(incident.instances)
    assert len(ends) == int((incident.instances["reason"] == "OOMKilled").sum())


def test_an_address_of_several_pods_is_marked():
    texts = _texts(draw_lifetimes(an_incident(14), "lifetimes"))
    assert "10.88.0.20*" in texts
    assert "10.88.0.23" in texts


def test_an_undone_change_is_struck_through():
    changes = an_incident(3).changes
    strikes = [line for line in draw_changes(changes, START, END).axes[0].lines if line.get_marker() == "_"]
    assert sum(len(line.get_xdata()) for line in strikes) == int(changes["undone_by"].notna().sum()) == 1


def test_changes_outside_the_window_are_counted_not_dropped():
    changes = an_incident(3).changes
    assert any("8 changes outside" in text for text in _texts(draw_changes(changes, END, END + SECOND)))


def test_the_window_is_the_axis_and_the_axis_says_utc():
    for figure in _every_figure(an_incident(3)):
        assert all(axes.get_xlim() == pytest.approx((style.number(START), style.number(END))) for axes in figure.axes)
        assert any(axes.get_xlabel().startswith("UTC, 2026-11-20") for axes in figure.axes)


def test_hostile_names_are_drawn_as_characters():
    for figure in _every_figure(an_incident(2, name=HOSTILE)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a glyph that the font lacks warns
            _drawn(figure)
        assert not any("\x1b" in text or "\u202e" in text for text in _texts(figure))


def test_figures_of_nothing_are_drawn_too():
    for figure in _every_figure(an_incident(0)):
        _drawn(figure)


def test_drawing_changes_no_global_setting():
    before = dict(matplotlib.rcParams)
    for figure in _every_figure(an_incident(3)):
        _drawn(figure)
    assert dict(matplotlib.rcParams) == before


def test_drawing_needs_neither_pyplot_nor_a_display():
    program = (
        "import sys; from tests.present.incident import an_incident;"
        "from incident_kit.present.timeline import draw_timeline;"
        "draw_timeline(an_incident(1), 'x').savefig('/dev/null', format='png');"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, env={"PATH": ""}).returncode == 0


def test_markers_that_would_hide_each_other_are_moved_apart():
    import numpy as np

    heights = dodged(np.array([1.0, 1.001, 5.0]), np.zeros(3), 10.0)
    assert heights[0] == 0 and heights[1] != 0 and heights[2] == 0


@pytest.mark.parametrize(
    ("what", "kind", "group"),
    [("sync", "Application", "sync"), ("deploy_restart", "Deployment", "restart"), ("config", "ConfigMap", "config"),
     ("data", "Secret", "config"), ("policy", "NetworkPolicy", "network_policy"), (None, "Widget", "other")],
)  # fmt: skip
def test_each_sort_of_change_has_its_sign(what, kind, group):
    assert style.change_group(what, kind) == group


def _one_pod(*instances, **pod):
    identity = {"namespace": "shop", "pod": "a-1", "pod_uid": "uid-a"}
    rows = [{**identity, "container": "app", "container_type": "app", "source": "state", **row} for row in instances]
    pods = PODS.frame([{**identity, "created_at": START, "workload": "a", "pod_ips": ["10.88.0.1"], **pod}])
    return replace(an_incident(1), pods=pods, instances=CONTAINERS.frame(rows))


def test_a_tag_that_moved_is_two_versions_and_an_earlier_pod_has_a_bar_as_high():
    image = {"image": "registry/a:latest", "started_at": START}
    incident = _one_pod(
        {**image, "restart_count": 0, "image_digest": "sha256:aaaaaaaaaa"},
        {**image, "restart_count": 1, "image_digest": "sha256:bbbbbbbbbb"},
        {**image, "source": "inferred", "container": "a", "finished_at": START + 60 * 10**9},
    )
    figure = draw_lifetimes(incident, "lifetimes")
    assert {"a:latest@aaaaaaa", "a:latest@bbbbbbb"} <= set(_texts(figure))
    bars = [bar for bar in figure.axes[0].patches if bar.get_zorder() == 3]
    assert len({round(bar.get_height(), 6) for bar in bars}) == 1


def test_restarts_known_by_count_are_told_and_an_address_of_the_node_is_no_reuse():
    counted = [{"restart_count": number, "source": "restartCount", "image": "registry/a:1"} for number in range(3)]
    incident = _one_pod(*counted, {"restart_count": 3, "image": "registry/a:1", "started_at": START}, host_network=True)
    texts = _texts(draw_lifetimes(incident, "lifetimes"))
    assert "3 earlier restarts, times not known" in texts
    assert "10.88.0.1 (node)" in texts


def test_without_any_log_a_sentence_stands_instead_of_empty_axes():
    incident = an_incident(3)
    figure = _drawn(draw_logs(incident, "logs", "shop/nobody"))
    assert figure.axes == [] and NOTHING in _texts(figure)
    assert len(draw_logs(incident, "logs").axes) == 3
