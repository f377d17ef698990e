"""Every way to lose a log entry, on real servers, scored: the second incident is played, captured, answered, compared.

Needs Kubernetes and Elasticsearch of the lab. Prints the confusion matrix of verdicts and of causes, and every wrong answer.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab import credentials, scoring
from tests.lab.losses.indices import PATTERN
from tests.lab.losses.play import TRUTH, play, remove
from tests.lab.losses.services import NAMESPACE
from tests.lab.scenario.lab import LONGEST_SECONDS, Lab
from tests.lab.truth import nanoseconds, read_table, write_truth

pytestmark = pytest.mark.live

KIT = Path(sys.executable).with_name("incident-kit")
ROTATED = Path(__file__).resolve().parents[2] / "deploy" / "rbac-rotated.yaml"
TAILED = ("gate-", "meter-")
VERDICTS = {"matched", "late", "without_pod_name", "at_other_time", "truncated", "rejected", "console_only"}
CAUSES = {"below_level", "burst", "before_logger", "not_logged", "never_arrives", "too_long", "died_before_flush",
          "rotation_edge", "pod_absent"}  # fmt: skip
PROFILE = """[profiles.lab]
cluster = "lab"

[profiles.lab.kubernetes]
namespaces = ["{namespace}"]

[profiles.lab.elasticsearch]
url = "{url}"
indices = ["{pattern}"]
"""


@dataclass(frozen=True)
class Captured:
    """The bundle, its window, what the score is, and since when the node held the tailed pods' lines after the capture."""

    bundle: Path
    window: tuple[int, int]
    score: scoring.Score
    held: dict[str, int]


def kubeconfig(lab: Lab, folder: Path) -> Path:
    """The ordinary account's, which for this incident may also read the node's log files."""
    path = credentials.kubeconfig(lab, folder)
    lab.kubectl("apply", "-f", ROTATED)
    account = {"kind": "ServiceAccount", "name": "incident-kit", "namespace": "default"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "incident-kit-rotated"}
    metadata = {"name": "incident-kit-rotated"}
    lab.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": metadata,
               "roleRef": role, "subjects": [account]})  # fmt: skip
    lab.await_right("default:incident-kit", "get", "nodes", "--subresource=proxy")
    return path


def held_since(pod_logs: Path) -> dict[str, int]:
    """Time of the oldest line that the node still has of each tailed pod: the kubelet keeps five files, however long we take."""
    oldest: dict[str, int] = {}
    for path in pod_logs.glob(f"{NAMESPACE}_*/app/0.log*"):
        pod = path.parent.parent.name.split("_")[1]
        if not pod.startswith(TAILED):
            continue
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                stamp = file.readline().split(b" ", 1)[0].decode()
        except FileNotFoundError:
            continue  # rotated away meanwhile: the next one is the oldest then
        if stamp:
            oldest[pod] = min(nanoseconds(stamp), oldest.get(pod, sys.maxsize))
    return oldest


@pytest.fixture(scope="module")
def captured() -> Iterator[Captured]:
    """The incident, played now (or the last one, with INCIDENT_KIT_LAB_KEEP=1), captured and scored; the bundle stays."""
    lab = Lab.running("elasticsearch")
    if not os.environ.get("INCIDENT_KIT_LAB_KEEP"):
        play(lab)
    folder = TRUTH / "captured"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    text = PROFILE.format(namespace=NAMESPACE, url=lab.elasticsearch["url"], pattern=PATTERN)
    (folder / "incident-kit.toml").write_text(text)
    window = json.loads((TRUTH / "window.json").read_text())
    bundle = folder / "losses.incident"
    command = [KIT, "capture", "--profile", "lab", "--rotated", "--from", credentials.instant(window["from"]),
               "--to", credentials.instant(window["to"]), "-o", bundle]  # fmt: skip
    started = time.monotonic()
    env = {**os.environ, "KUBECONFIG": str(kubeconfig(lab, folder))}
    done = subprocess.run(
        command, env=env, cwd=folder, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
    )
    held = held_since(Path(lab.facts["kubernetes"]["pod_logs"]))
    lab.kubectl("delete", "clusterrolebinding", "incident-kit-rotated")
    print(f"\ncapture took {time.monotonic() - started:.1f} s, exit {done.returncode}\n{done.stderr[-2500:]}")
    assert done.returncode in (0, 3)
    print(write_truth(lab, TRUTH, PATTERN))
    span = (window["from"], window["to"])
    rows = scoring.answer("console-only", "--verdicts", bundle)["rows"]
    score = scoring.score_console(rows, TRUTH, bundle / "raw", span)
    print(f"\n{score.table()}\nof those called unknown: {dict(score.unknowns())}")
    without = Counter(row["verdict"] for row in rows if row["side"] == "elastic")
    print(f"documents without an entry: {dict(without)}")
    yield Captured(bundle, span, score, held)
    if not os.environ.get("INCIDENT_KIT_LAB_KEEP"):
        remove(lab)


def test_every_verdict_and_cause_was_provoked(captured: Captured) -> None:
    assert {truth for truth, _ in captured.score.confusion} >= VERDICTS
    lines = [row for row in read_table(TRUTH / "lines.jsonl.gz") if row["verdict"] == "console_only"]
    assert {row["cause"] for row in lines} >= CAUSES, Counter(row["cause"] for row in lines)


def test_every_captured_entry_gets_one_verdict(captured: Captured) -> None:
    assert captured.score.judged > 5000
    assert captured.score.swallowed <= 0.002 * captured.score.judged, captured.score.table()


def test_entries_called_console_only_never_reached_elasticsearch(captured: Captured) -> None:
    assert captured.score.precision >= 0.99, captured.score.table()


def test_entries_that_never_arrived_are_found(captured: Captured) -> None:
    assert captured.score.recall >= 0.95, captured.score.table()


def test_losses_are_explained_by_their_true_cause(captured: Captured) -> None:
    assert captured.score.cause_accuracy >= 0.9, captured.score.table()


def test_consoles_rotated_away_are_captured_from_the_node(captured: Captured) -> None:
    """Of the tailed pods every line is there that the node had, far more than ``kubectl logs`` serves."""
    seen = scoring.captured_times(captured.bundle / "raw")
    lines = [row for row in read_table(TRUTH / "lines.jsonl.gz") if row["pod"].startswith(TAILED)]
    inside = [
        row for row in lines if max(captured.window[0], captured.held[row["pod"]]) <= row["at"] < captured.window[1]
    ]
    missing = [row for row in inside if (row["pod"], row["container"], row["at"]) not in seen]
    assert inside
    assert not missing, (len(missing), len(inside), missing[:2])


def answers_of(captured: Captured, verdict: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = scoring.answer("console-only", "--verdicts", captured.bundle)["rows"]
    return [row for row in rows if row["verdict"] == verdict and row["side"] == "console"]


def test_a_refusal_is_told_with_the_servers_own_reason(captured: Captured) -> None:
    rejected = answers_of(captured, "rejected")
    assert rejected
    assert all(row["pod"].startswith("claims-") for row in rejected)
    assert any("carrier_code" in str(row.get("evidence") or row.get("reason")) for row in rejected)
