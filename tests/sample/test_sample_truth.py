"""The shipped sample against the truth that the lab wrote while it was recorded: the main answers, scored without servers."""

from __future__ import annotations

import gzip
import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from incident_kit.answers.changes import changes
from incident_kit.answers.console_only import console_only
from incident_kit.answers.findings import findings
from incident_kit.answers.rabbit import rabbit
from incident_kit.answers.trace import trace
from incident_kit.errors import IncidentKitError
from incident_kit.evidence import Evidence, read_evidence
from incident_kit.present import gather, plot_lifetimes, story
from tests.lab import scoring
from tests.present.incident import count_entries

SAMPLE = Path(__file__).parents[2] / "src" / "incident_kit" / "sample" / "sample.zip"


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as the command line's JSON has them: times as text, a missing value is None."""
    shown = frame.astype(object).where(frame.notna(), None)
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            shown[name] = [
                None if pd.isna(at) else f"{at:%Y-%m-%dT%H:%M:%S}.{at.value % 10**9:09d}Z" for at in frame[name]
            ]
    return shown.to_dict("records")


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The truth's folder under the names that scoring knows."""
    folder = tmp_path_factory.mktemp("truth")
    for path in Path(__file__).parent.glob("truth-*"):
        shutil.copyfile(path, folder / path.name.removeprefix("truth-"))
    return folder


@pytest.fixture(scope="module")
def sample() -> Evidence:
    return read_evidence(SAMPLE)


@pytest.fixture(scope="module")
def window(truth: Path) -> tuple[int, int]:
    stated = json.loads((truth / "window.json").read_text())
    return stated["from"], stated["to"]


@pytest.fixture(scope="module")
def console(sample: Evidence, truth: Path, window: tuple[int, int]) -> scoring.Score:
    rows = records(console_only(sample, verdicts=True))
    return scoring.score_console(rows, truth, sample.folder / "raw", window)


def test_what_is_called_console_only_never_reached_elasticsearch(console: scoring.Score) -> None:
    assert console.precision >= 0.99, console.table()


def test_what_never_reached_elasticsearch_is_found(console: scoring.Score) -> None:
    assert console.recall >= 0.95, console.table()


def test_losses_are_told_by_their_true_cause(console: scoring.Score) -> None:
    assert console.cause_accuracy >= 0.93, console.table()


def test_hardly_an_entry_is_split_or_swallowed(console: scoring.Score) -> None:
    assert console.split + console.swallowed <= 0.002 * console.judged, console.table()


def test_no_connection_of_the_sample_is_given_to_a_wrong_pod(
    sample: Evidence, truth: Path, window: tuple[int, int]
) -> None:
    def ask(pod: str) -> list[dict[str, Any]] | None:
        try:
            return records(rabbit(pod, sample))
        except IncidentKitError:
            return None

    score = scoring.score_rabbit(truth, ask, window)
    assert not score.wrong, score
    assert score.right >= 10, score


def test_syncs_rollbacks_configs_and_manual_jobs_of_the_sample_are_listed(sample: Evidence, truth: Path) -> None:
    missing = scoring.missing_changes(records(changes(sample)), truth, ("Application", "ConfigMap", "Job"))
    assert not missing


def test_the_findings_tell_what_was_done(sample: Evidence, truth: Path) -> None:
    found = {(row["rule"], row["kind"], row["name"]) for row in records(findings(sample))}
    expected = scoring.expected_findings(truth)
    assert expected <= found, sorted(expected - found)


def test_the_sample_is_small_and_names_no_home_folder(sample: Evidence) -> None:
    assert SAMPLE.stat().st_size <= 5_000_000
    for path in (sample.folder / "raw").rglob("*"):
        if path.is_file():
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            assert b"/root/" not in content, path
            assert b"/home/" not in content, path


def test_counts_from_the_arrays_are_those_of_the_verdict_rows(sample: Evidence) -> None:
    def in_order(counts: pd.DataFrame) -> pd.DataFrame:
        return counts.sort_values(counts.columns.tolist()).reset_index(drop=True)

    rows = console_only(sample, verdicts=True)
    counted = count_entries(rows, sample.window.start, sample.window.end)
    pd.testing.assert_frame_equal(in_order(gather.counts(sample)), in_order(counted))
    assert counted["count"].sum() == len(rows) > 1000


def test_a_template_that_both_sides_write_is_one_row_of_the_trace(sample: Evidence) -> None:
    """The console shows no template, the documents do: told apart, each would seem to be on one side only."""
    templates = trace("payments-api-676598658b-kbbnl", sample)["logs"]["by_template"]
    counts = {row["template"]: (row["console_entries"], row["documents"]) for row in templates}
    assert not [told for told in counts if told.startswith("Payment A-#")]
    assert all(counts["Payment {order} of {amount} EUR authorised for {customer}"])
    assert counts["Carrier answered DHL-#A for order A-#"] == (20, 0)


def test_documents_without_an_image_are_of_the_version_that_wrote_their_entries(sample: Evidence) -> None:
    [unknown, known] = sorted(
        trace("payments-api-676598658b-kbbnl", sample)["logs"]["by_version"], key=lambda row: row["console_entries"]
    )
    assert known["image"] == "registry.lab/payments-api:1.5.0" and unknown["image"] is None
    assert known["documents"] > 180 and known["documents"] + unknown["documents"] == 426


def test_a_pod_that_went_back_to_a_node_is_told_so(sample: Evidence) -> None:
    told = "shop/payments-api-676598658b-kbbnl was on rabbit3@localhost, then on rabbit1@localhost, then on rabbit3@localhost."
    assert told in story.rabbit(sample)


def test_the_story_says_of_which_pods_nothing_can_be_compared(sample: Evidence) -> None:
    told = " ".join(story.not_shown(sample))
    assert "No console was read of shop/payments-api-5fdb67578b-nv6c4" in told and "6 more pods" in told
    assert "shop/notifications-647549c447-64wch is known only in part" in told


def test_figures_draw_an_instance_whose_start_only_events_tell_up_to_the_next_one(sample: Evidence) -> None:
    """Its end is not known; drawn to the window's end it would hide the instances after it."""
    rows = gather.known_instances(sample)
    own = rows[rows["pod"] == "payments-api-676598658b-kbbnl"].sort_values("restart_count")
    assert f"{own['started_at'].iloc[0]:%H:%M:%S}" == "01:48:48"
    lane = plot_lifetimes(sample, "payments-api").axes[0]
    bars = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in lane.patches if bar.get_zorder() == 3)
    assert len(bars) == 6  # three pods that are gone, three instances
    assert all(end <= start + 1e-9 for (_, end), (start, _) in pairwise(bars[3:]))
