"""Progress: bars where somebody looks, silence elsewhere, nothing on stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from incident_kit import console_only, import_folder, read_evidence
from incident_kit.present import progress
from incident_kit.present.progress import ProgressBars
from tests.importing.folder import write_folder


def test_every_step_of_an_import_and_of_matching_says_how_far_it_is_and_ends(tmp_path: Path) -> None:
    told: list[tuple[str, float, float]] = []

    def listen(step: str, done: float, total: float) -> None:
        told.append((step, done, total))

    bundle = import_folder(write_folder(tmp_path / "raw"), tmp_path / "a.incident", progress=listen)
    console_only(read_evidence(bundle, progress=listen))

    steps = list(dict.fromkeys(step for step, _, _ in told))
    assert steps == ["reading and redacting", "documents", "consoles", "matching"]
    for step in steps:
        done = [(done, total) for name, done, total in told if name == step]
        assert done == sorted(done)
        assert done[-1][0] == done[-1][1] > 0


def test_bars_are_drawn_on_stderr_and_cleared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with ProgressBars(shown=True) as bars:
        bars("consoles", 1, 4)
        bars("consoles", 4, 4)
    said = capsys.readouterr()
    assert "consoles" in said.err
    assert said.out == ""


def test_nobody_looking_means_no_bars(tmp_path: Path) -> None:
    bundle = import_folder(write_folder(tmp_path / "raw"), tmp_path / "a.incident")

    asked = subprocess.run(
        [sys.executable, "-m", "incident_kit", "console-only", str(bundle), "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(json.loads(asked.stdout)["rows"]) == 1
    assert asked.stderr == ""
