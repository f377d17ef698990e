"""Events without a message are compared by their values; documents cut within values are truncated."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from incident_kit.window import format_ns
from tests.reconcile.incident import POD, SECOND, START, Incident, lost


def access(count: int = 200, *, named: bool = True, ecs: bool = False) -> Incident:
    """A gateway that logs requests as fields: an access log without any message."""
    incident, luck = Incident(), random.Random(7)
    for number in range(count):
        at = 1 + number * 1.7 + luck.random()
        said = {
            "method": luck.choice(["GET", "POST"]),
            "path": luck.choice(["/", "/health", f"/orders/{luck.randint(1, 99)}"]),
            "status": luck.choice([200, 200, 404]),
            "size": luck.randint(10, 90_000),
        }
        line = {"ts": format_ns(START + round(at * SECOND)), **said} if named else said
        incident.say(at + 0.0002, json.dumps({k: str(v) for k, v in line.items()} if ecs else line))
        incident.ship(at, "", **(_ecs(said) if ecs else said))
        del incident.documents[-1]["_source"]["message"], incident.documents[-1]["_source"]["level"]
    return incident


def _ecs(said: dict[str, object]) -> dict[str, object]:
    return {
        "http": {"request": {"method": said["method"]}, "response": {"status_code": said["status"], "bytes": said["size"]}},
        "url": {"path": said["path"]},
    }  # fmt: skip


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("ecs", [True, False])
def test_lost_requests_of_an_access_log_are_found_by_values(tmp_path: Path, named: bool, ecs: bool) -> None:
    incident = access(named=named, ecs=ecs)
    for number in (150, 90, 40):
        del incident.documents[number]
    rows = incident.answered(tmp_path)
    assert Counter(row["verdict"] for row in rows) == {"matched": 197, "console_only": 3}
    gone = [incident.lines[(POD, "app")][number][1] for number in (40, 90, 150)]
    assert [text for _, text in lost(rows)] == gone


def test_a_request_whose_one_value_is_rendered_otherwise_is_there(tmp_path: Path) -> None:
    incident = access()
    incident.documents[70]["_source"]["size"] = -1
    assert Counter(row["verdict"] for row in incident.answered(tmp_path)) == {"matched": 200}


def test_documents_of_one_moment_with_other_values_are_no_duplicates(tmp_path: Path) -> None:
    incident = access()
    for number, one in enumerate(incident.documents):
        one["_source"]["@timestamp"] = format_ns(START + (1 + number * 17 // 10) * SECOND)
    assert "duplicate" not in Counter(row["verdict"] for row in incident.answered(tmp_path))


def test_an_access_log_whose_fields_no_document_has_is_unknown_beside_one_that_is_read(tmp_path: Path) -> None:
    incident = access()
    for one in incident.documents:
        one["_source"] = {"@timestamp": one["_source"]["@timestamp"], "podName": POD, "sampled": True}
    incident.usual()
    found = Counter((row["side"], row["verdict"]) for row in incident.answered(tmp_path))
    assert found[("console", "unknown")] == 200
    assert ("console", "console_only") not in found


def test_a_document_cut_within_trailing_values_is_truncated(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.log(301, "Settled order 7 attempt=3 result=[brand new card]", shipped=False)
    incident.ship(301, "Settled order 7 attempt=3 result=[bra")
    found = Counter(row["verdict"] for row in incident.answered(tmp_path))
    assert found["truncated"] == 1
    assert set(found) == {"matched", "truncated"}


def test_levels_of_a_field_of_the_shops_own_name_are_read(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(120):
        sev = ("INF", "DBG", "WRN")[number % 3]
        at, text = 1.0 + number, f"step {number} done"
        incident.say(at + 0.0002, json.dumps({"when": number, "sev": sev, "text": text}))
        if sev != "DBG":
            incident.ship(at, text, sev=sev)
            del incident.documents[-1]["_source"]["level"]
    rows = incident.answered(tmp_path)
    assert Counter(row["level"] for row in rows) == {"info": 40, "debug": 40, "warn": 40}
    assert {cause for cause, _ in lost(rows)} == {"below_level"}


def test_requests_without_the_pod_field_or_refused_are_found_by_values(tmp_path: Path) -> None:
    incident = access()
    for number in (20, 60, 110):
        del incident.documents[number]["_source"]["podName"]
    refused = incident.documents[150]
    refused["_index"] = ".fs-logs-2026.11.20-000002"
    refused["_source"] = {
        "@timestamp": refused["_source"]["@timestamp"],
        "document": {"index": "logs", "source": refused["_source"]},
        "error": {"type": "document_parsing_exception", "message": "failed to parse field [size] of type [date]"},
    }
    found = Counter(row["verdict"] for row in incident.answered(tmp_path))
    assert found == {"matched": 196, "without_pod_name": 3, "rejected": 1}


def test_a_document_of_several_lines_cut_before_words_is_truncated(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.log(301, "Fare 7 expired\n  was 90 for one way\n  is 120 for both", shipped=False)
    incident.ship(301, "Fare 7 expired\n  was 90 for")
    found = Counter(row["verdict"] for row in incident.answered(tmp_path))
    assert (found["truncated"], set(found)) == (1, {"matched", "truncated"})
