"""Symptoms in the logs: errors and losses that rise, the templates that came and went, and the changes before them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from incident_kit.answers.findings import findings
from incident_kit.correlate.symptoms.log_templates import Template, new_templates, vanished_templates
from incident_kit.correlate.symptoms.symptoms import console_only_rises, error_rises
from incident_kit.evidence import Evidence, read_evidence
from incident_kit.importing import import_folder
from tests.changes.objects import deployment, pod, replica_set, template
from tests.reconcile.incident import POD, Incident

WORKLOAD = "orders-api"
RISE = 600


def opened(incident: Incident, folder: Path, *objects: dict[str, Any]) -> Evidence:
    raw = incident.write(folder / "import")
    for item in objects:
        target = raw / "kubernetes" / f"{item['kind'].lower()}s.json"
        target.parent.mkdir(exist_ok=True)
        known = json.loads(target.read_text())["items"] if target.exists() else []
        target.write_text(json.dumps({"kind": "List", "items": [*known, item]}))
    return read_evidence(import_folder(raw, folder / "case.incident", force=True))


def incident(*, errors: bool = True, busy: bool = False) -> Incident:
    """Half an hour of a service; from ten minutes on it fails to reach its gateway, or only has more to do."""
    made = Incident()
    made.usual(end=RISE, every=5)
    made.usual(begin=RISE, end=1790, every=1 if busy else 5)
    for at in range(30, 1790, 60):
        made.log(at, f"Order {at} refused: no stock", "ERROR")
    if busy:
        for at in range(RISE, 1790, 12):
            made.log(at + 0.5, f"Order {at} refused: no stock", "ERROR")
    for at in range(RISE, 1790, 4):
        if errors:
            made.log(at + 0.3, f"Gateway answered 503 for order {at}", "ERROR")
    return made


def rule(evidence: Evidence, name: str) -> pd.DataFrame:
    found = findings(evidence)
    return found[found["rule"] == name]


def test_errors_that_rise_are_a_finding_with_the_template_that_is_new(tmp_path: Path) -> None:
    found = rule(opened(incident(), tmp_path), "error-rate-rise")
    assert list(found["name"]) == [WORKLOAD]
    assert abs((found["time"].iloc[0] - pd.Timestamp("2026-11-20T10:10:00Z")).total_seconds()) <= 30
    assert "new template" in str(found["evidence"].iloc[0]) and "Gateway answered 503" in str(found["evidence"].iloc[0])


def test_a_flat_rate_of_errors_and_errors_that_grow_with_everything_are_none(tmp_path: Path) -> None:
    assert error_rises(opened(incident(errors=False), tmp_path / "flat")) == []
    assert error_rises(opened(incident(errors=False, busy=True), tmp_path / "busy")) == []


def test_what_was_rotated_away_before_is_no_lower_rate(tmp_path: Path) -> None:
    made = Incident()
    made.usual(begin=RISE, end=1790)
    for at in range(RISE, 1790, 4):
        made.log(at, f"Gateway answered 503 for order {at}", "ERROR")
    assert error_rises(opened(made, tmp_path)) == []


def test_a_burst_of_losses_is_a_symptom_and_told_with_what_precedes_it(tmp_path: Path) -> None:
    made = Incident()
    made.usual(end=1790, skip=(700, 900))
    old, new = template("r/orders:1"), template("r/orders:2")
    owner = replica_set(WORKLOAD, 2, "10:11", new)
    for item in (owner,):
        item["metadata"]["creationTimestamp"] = "2026-11-20T10:11:00Z"
    first = replica_set(WORKLOAD, 1, "08:00", old)
    first["metadata"]["creationTimestamp"] = "2026-11-20T08:00:00Z"
    mine = pod(POD, "10:11", new, owner=owner)
    mine["metadata"]["creationTimestamp"] = "2026-11-20T10:11:00Z"
    evidence = opened(made, tmp_path, deployment(WORKLOAD, new), owner, first, mine)
    burst = console_only_rises(evidence)
    assert [s.workload[2] for s in burst] == [WORKLOAD]
    told = " ".join(rule(evidence, "logs-lost")["evidence"].iloc[0])
    assert "entries a minute reached only the console" in told
    assert "before (same workload): image of Deployment orders-api" in told
    assert "cause" not in told.replace("causes", "")


def test_another_word_makes_no_new_template_and_a_template_that_stays_away_is_missed() -> None:
    def made(example: str, count: int, first: float, last: float) -> Template:
        return Template(example, "info", count, int(first * 1e9), int(last * 1e9))

    known = [made("User bob logged in from the web", 50, 0, 900), made("Flushed * rows", 100, 0, 500)]
    fresh = made("User alice logged in from the web", 3, 502, 510)
    new = made("Connection to broker refused", 9, 501, 900)
    everything = [*known, fresh, new]
    assert new_templates(everything, int(500e9), within_seconds=30) == [new]
    assert vanished_templates(everything, int(500e9), within_seconds=30, end=int(900e9)) == [known[1]]
    assert new_templates([new], int(500e9), within_seconds=30) == []
