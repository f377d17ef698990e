"""The story says what it does not know, keeps trouble when there is much, and writes times in one way."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from incident_kit.evidence import read_evidence
from incident_kit.importing import import_folder
from incident_kit.present.clock import Clock
from incident_kit.present.material import COUNTS
from incident_kit.present.story import losses, tell
from incident_kit.present.timeline import plot_timeline
from incident_kit.tables.answers import CONSOLE_ONLY
from incident_kit.window import Window
from tests.present.folder import POD, write_folder


@pytest.fixture
def told(tmp_path):
    """Imports a folder that a function has changed; its chapters by title, and the evidence."""

    def call(change=lambda folder: None, window=("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z")):
        folder = write_folder(tmp_path / "collected")
        change(folder)
        bundle = import_folder(folder, tmp_path / "x.incident", window=Window.parse(*window))
        evidence = read_evidence(bundle)
        return {chapter.title: list(chapter.sentences) for chapter in tell(evidence)}, evidence

    return call


def _only(*kept):
    def change(folder):
        for part in folder.iterdir():
            if part.is_dir() and part.name not in kept:
                shutil.rmtree(part)

    return change


def test_without_documents_nothing_is_lost_and_nothing_found(told):
    chapters, _ = told(_only("console"))
    assert chapters["What never reached Elasticsearch, and why"] == [
        "None of 10 console entries could be judged: outside what both sides cover."
    ]
    assert any("could not judge" in sentence for sentence in chapters["What the rules conclude"])
    assert any("may be hidden" in sentence for sentence in chapters["What changed"])


def test_one_entry_that_was_lost_was_lost_at_one_time():
    window = Window.parse("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z")
    lost = [{"cause": "not_logged", "pod": "api-1", "time": window.start + later} for later in (0, 1, 10**9)]
    counts = COUNTS.frame([{"side": "console", "verdict": "console_only", "count": 3}])
    told = [losses(counts, CONSOLE_ONLY.frame(rows), Clock(window))[-1] for rows in (lost[:2], lost)]
    assert [sentence.rpartition(", ")[2] for sentence in told] == ["at 08:00:00.", "08:00:00 to 08:00:01."]


def test_nothing_in_the_window_is_said(told):
    chapters, evidence = told(window=("2026-11-22T00:00:00Z", "2026-11-22T01:00:00Z"))
    assert chapters["What happened, in order"][0] == "Nothing is recorded in the window."
    plot_timeline(evidence)


def test_gaps_of_one_reason_are_told_together(told):
    chapters, _ = told()
    missing = [s for s in chapters["What this does not show"] if s.startswith("kubernetes: not collected")]
    assert len(missing) == 1 and "more things" in missing[0]


def test_many_ends_of_one_kind_leave_room_for_the_rest(told):
    def many(folder):
        path = folder / "kubernetes/pods.json"
        pod = json.loads(path.read_text())["items"][0]
        items = [
            {**pod, "metadata": {**pod["metadata"], "name": f"svc-5fc5964bfc-{n:05d}", "uid": f"u{n}"}}
            for n in range(40)
        ]
        path.write_text(json.dumps({"kind": "List", "items": [pod, *items]}))

    chapters, _ = told(many)
    ends = [line for line in chapters["What happened, in order"] if "OOMKilled" in line]
    assert len(ends) == 1 and "41 containers" in ends[0]
    assert any("only on the console" in line for line in chapters["What happened, in order"])


def test_times_have_one_form_and_a_window_of_days_shows_them(told):
    chapters, _ = told()
    text = "\n".join(sentence for sentences in chapters.values() for sentence in sentences)
    assert not re.search(r"\dT\d\d:\d\d", text)
    assert "08:39:50" in text and "2026-11-20 08:39:50" not in text


def test_a_window_of_days_tells_the_day_of_each_time(told):
    chapters, _ = told(window=("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"))
    assert "(30 days)" in chapters["What was looked at"][0]
    assert any(line.startswith("2026-11-20 08:39:50") for line in chapters["What happened, in order"])


def test_a_clock_tells_the_day_of_a_time_outside_its_day():
    clock = Clock(Window.parse("2026-11-20T08:00:00Z", "2026-11-21T00:00:00Z"))
    day = 86_400_000_000_000
    assert clock(clock_start := Window.parse("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z").start) == "08:00:00"
    assert clock(clock_start + day) == "2026-11-21 08:00:00"


def test_a_pod_without_workload_has_its_versions_colour(told):
    from incident_kit.present.gather import material
    from incident_kit.present.style import FAINT
    from incident_kit.present.versions import Versions

    _, evidence = told()
    look = Versions(material(evidence)).look(f"shop/{POD}", "registry.example/orders-api:1.4.2")
    assert look["facecolor"] != FAINT
