"""What changed, on the real Argo CD and Kubernetes: every rule about changes scored against what was really done.

The scenario (tests/lab/deploys) needs only these two servers and namespaces of its own. Each rule has subjects that it must
name and near-misses that it must not; every act must stand in the list of changes, and a dry run must not.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.lab import scoring
from tests.lab.deploys import score
from tests.lab.deploys.play import Played, play
from tests.lab.deploys.truth import Truth
from tests.lab.deploys.world import FOLDER
from tests.lab.scenario.lab import Lab

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def played() -> Played:
    """The scenario, played now (or the last one, with INCIDENT_KIT_LAB_KEEP=1) and captured before and after its acts."""
    folder = FOLDER / "evidence"
    if os.environ.get("INCIDENT_KIT_LAB_KEEP"):
        return Played(Truth.read(folder / "truth.json"), folder / "before.incident", folder / "after.incident")
    return play(Lab.running(), folder)


@pytest.fixture(scope="module")
def changes(played: Played) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = scoring.answer("changes", played.after)["rows"]
    return rows


def test_every_rule_names_what_was_done_and_nothing_else(played: Played) -> None:
    rows = scoring.answer("findings", played.after)["rows"]
    scores = score.score_findings(rows, played.truth)
    print("\n" + score.rule_table(scores))
    assert len(scores) >= 19
    assert not [one for rule in scores.values() for one in rule.missed]
    assert not [one for rule in scores.values() for one in rule.alarms if one not in rule.untellable]


def test_every_act_is_in_the_list_with_its_time_and_person(played: Played, changes: list[dict[str, Any]]) -> None:
    missing = score.unseen_acts(changes, played.truth)
    assert not missing, missing


def test_no_row_tells_of_a_sync_that_was_not(played: Played, changes: list[dict[str, Any]]) -> None:
    invented = score.invented(changes, played.truth)
    assert not invented, invented


def test_more_is_recovered_than_argocd_app_history_shows(played: Played, changes: list[dict[str, Any]]) -> None:
    print("\n" + score.history_table(changes, played.truth))
    shown = sum(len(history) for history in played.truth.history.values())
    acts = [a for a in played.truth.acts if (a.application or a.name) in played.truth.history and a.what]
    assert len(acts) > shown  # or the scenario hides nothing from history


@pytest.mark.parametrize("bundles", [1, 2], ids=["two times of one bundle", "two bundles"])
def test_diff_says_what_differs_between_two_times(played: Played, bundles: int) -> None:
    times = [part for name in ("before", "after") for part in ("--at", score.instant(played.truth, name))]
    paths: list[Path] = [played.before, played.after][-bundles:]
    rows = scoring.answer("diff", *(times if bundles == 1 else paths[:1]), paths[-1])["rows"]
    missing, extra = score.missing_differences(rows, played.truth)
    assert not missing, missing
    assert not extra, extra
