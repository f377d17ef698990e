"""The main job on real servers, scored: an incident is played, captured with ordinary credentials, answered, compared.

The scenario's truth knows every entry's fate, every connection's owner and every change. Slow (minutes); needs root and Debian.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab import credentials, scoring
from tests.lab.scenario.incident import play
from tests.lab.scenario.lab import TRUTH, Lab
from tests.lab.truth import write_truth

pytestmark = pytest.mark.live

KIT = Path(sys.executable).with_name("incident-kit")


@dataclass(frozen=True)
class Recorded:
    """A captured incident with its truth."""

    bundle: Path
    truth: Path
    window: tuple[int, int]
    exit_code: int
    stderr: str

    def answer(self, command: str, *arguments: object) -> dict[str, Any]:
        return scoring.answer(command, *arguments, self.bundle)


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    """The incident, played and captured by the kit now, or the last one with INCIDENT_KIT_LAB_KEEP=1; the bundle stays."""
    folder = TRUTH / "captured"
    told = folder / "captured.json"
    window = json.loads((TRUTH / "window.json").read_text()) if _is_kept() else _played_and_captured(folder, told)
    captured = json.loads(told.read_text())
    return Recorded(folder / "scenario.incident", TRUTH, (window["from"], window["to"]), **captured)


def _is_kept() -> bool:
    return bool(os.environ.get("INCIDENT_KIT_LAB_KEEP"))


def _played_and_captured(folder: Path, told: Path) -> dict[str, int]:
    """The window of an incident that is played and captured now; how the capture ended is written into ``told``."""
    lab = Lab.running()
    play(lab)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    window: dict[str, int] = json.loads((TRUTH / "window.json").read_text())
    command = [KIT, "capture", "--profile", credentials.PROFILE, "--from", credentials.instant(window["from"]),
               "--to", credentials.instant(window["to"]), "-o", folder / "scenario.incident"]  # fmt: skip
    started = time.monotonic()
    env = credentials.environment(lab, folder)
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    print(f"\ncapture took {time.monotonic() - started:.1f} s\n{done.stderr[-2000:]}")
    told.write_text(json.dumps({"exit_code": done.returncode, "stderr": done.stderr}))
    print(write_truth(lab))
    return window


@pytest.fixture(scope="session")
def console(recorded: Recorded) -> tuple[scoring.Score, list[dict[str, Any]]]:
    """``console-only --verdicts`` of the whole incident, scored once."""
    rows = recorded.answer("console-only", "--verdicts")["rows"]
    score = scoring.score_console(rows, recorded.truth, recorded.bundle / "raw", recorded.window)
    print("\n" + score.table())
    return score, rows


def test_capture_by_ordinary_credentials_answers_without_a_traceback(recorded: Recorded) -> None:
    assert recorded.exit_code in (0, 3), recorded.stderr
    assert "Traceback" not in recorded.stderr


def test_every_captured_entry_gets_a_verdict(console: tuple[scoring.Score, list[dict[str, Any]]]) -> None:
    score, _ = console
    assert score.judged > 1000
    assert score.swallowed <= 0.002 * score.judged, score.table()


def test_entries_called_console_only_never_reached_elasticsearch(
    console: tuple[scoring.Score, list[dict[str, Any]]],
) -> None:
    score, _ = console
    assert score.precision >= 0.99, score.table()


def test_entries_that_never_arrived_are_found(console: tuple[scoring.Score, list[dict[str, Any]]]) -> None:
    score, _ = console
    # Entries of the last seconds before the capture are rightly unknown: their documents may still have been on their way.
    assert score.recall >= 0.92, score.table()


def test_losses_are_explained_by_their_true_cause(console: tuple[scoring.Score, list[dict[str, Any]]]) -> None:
    score, _ = console
    assert score.cause_accuracy >= 0.9, score.table()


def test_no_connection_is_given_to_a_wrong_pod(recorded: Recorded) -> None:
    def ask(pod: str) -> list[dict[str, Any]] | None:
        try:
            rows: list[dict[str, Any]] = recorded.answer("rabbit", pod)["rows"]
        except RuntimeError as error:
            print(f"{pod}: {error}")
            return None
        return rows

    score = scoring.score_rabbit(recorded.truth, ask, recorded.window)
    print(f"\n{score}")
    assert not score.wrong, score
    assert score.right, score


def test_syncs_rollbacks_and_manual_jobs_are_in_the_list_of_changes(recorded: Recorded) -> None:
    rows = recorded.answer("changes")["rows"]
    missing = scoring.missing_changes(rows, recorded.truth, ("Application", "ConfigMap", "Job"))
    assert not missing, missing


def test_findings_name_what_the_scenario_did(recorded: Recorded) -> None:
    rows = recorded.answer("findings")["rows"]
    found = {(row["rule"], row["kind"], row["name"]) for row in rows}
    expected = scoring.expected_findings(recorded.truth)
    print(f"\nfindings beside the expected: {sorted(found - expected)}")
    assert expected <= found, sorted(expected - found)
