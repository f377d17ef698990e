"""Verdicts other than console_only, and the properties that every answer must have."""

from __future__ import annotations

import copy
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from incident_kit.window import format_ns
from tests.reconcile.incident import POD, SECOND, START, Incident, lost


def verdicts(incident: Incident, folder: Path) -> Counter[str]:
    return Counter(str(row["verdict"]) for row in incident.answered(folder))


def ordinary() -> Incident:
    incident = Incident()
    incident.usual()
    return incident


def test_everything_that_arrived_is_matched(tmp_path: Path) -> None:
    assert set(verdicts(ordinary(), tmp_path)) == {"matched"}


def test_quotes_around_template_values_make_no_difference(tmp_path: Path) -> None:
    incident = ordinary()
    incident.log(301, "User bob logged in", shipped=False)
    incident.ship(301, 'User "bob" logged in')
    assert set(verdicts(incident, tmp_path)) == {"matched"}


def test_numbers_and_null_words_may_be_rendered_differently(tmp_path: Path) -> None:
    incident = ordinary()
    incident.log(301, "Paid 1,250.50 to (null): True", shipped=False)
    incident.ship(301, "Paid 1250.5 to null: true")
    assert set(verdicts(incident, tmp_path)) == {"matched"}


def test_one_of_many_equal_heartbeats_is_missed_exactly_once(tmp_path: Path) -> None:
    incident = ordinary()
    beats = [n for n, one in enumerate(incident.documents) if one["_source"]["message"].startswith("Heartbeat")]
    del incident.documents[beats[len(beats) // 2]]
    assert verdicts(incident, tmp_path)["console_only"] == 1


def test_a_namesake_of_another_namespace_proves_nothing_of_a_pod_without_documents(tmp_path: Path) -> None:
    incident = ordinary()
    for one in incident.documents:
        one["_source"]["kubernetes"] = {"namespace": "shop"}
    folder = incident.write(tmp_path / "import")
    shutil.copytree(folder / "console" / "shop", folder / "console" / "stage")
    found = Counter((row["namespace"], row["verdict"]) for row in incident.answered(tmp_path))
    assert found == {("shop", "matched"): len(incident.documents), ("stage", "unknown"): len(incident.documents)}


def test_a_hole_of_a_console_with_one_template_is_an_outage(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(100):
        incident.log(10 + 5 * number, f"10.1.1.{number} GET /orders/{number} 200", shipped=not 40 <= number < 60)
    found = lost(incident.answered(tmp_path))
    assert {cause for cause, _ in found} == {"shipping_outage"}
    assert len(found) == 20


def test_a_document_without_the_pod_field_is_found_by_time_and_text(tmp_path: Path) -> None:
    incident = ordinary()
    for one in incident.documents[20:26]:
        del one["_source"]["podName"]
    assert verdicts(incident, tmp_path)["without_pod_name"] == 6


@pytest.mark.parametrize("hours", [-6, 2, 5.5])
def test_a_constant_shift_is_another_time_and_no_loss(tmp_path: Path, hours: float) -> None:
    incident = ordinary()
    for one in incident.documents[40:]:
        from incident_kit.window import parse_rfc3339

        instant = parse_rfc3339(one["_source"]["@timestamp"]) or 0
        one["_source"]["@timestamp"] = format_ns(instant + round(hours * 3600) * SECOND)
    found = verdicts(incident, tmp_path)
    assert found["console_only"] == 0
    assert found["at_other_time"] == len(incident.documents) - 40


@pytest.mark.parametrize("length", [9, 14, 21])
def test_a_cut_message_is_truncated_at_any_length(tmp_path: Path, length: int) -> None:
    incident = ordinary()
    for number, one in enumerate(incident.documents):
        if one["_source"]["message"].startswith("Order") and number % 9 == 0:
            one["_source"]["message"] = one["_source"]["message"][: length + number % 3]
    found = verdicts(incident, tmp_path)
    assert found["truncated"] >= 10
    assert found["console_only"] == 0


def test_a_document_that_came_minutes_later_is_late(tmp_path: Path) -> None:
    incident = ordinary()
    for number, one in enumerate(incident.documents):
        behind = 400 if number in (30, 31) else 2
        instant = START + SECOND * 10
        from incident_kit.window import parse_rfc3339

        instant = parse_rfc3339(one["_source"]["@timestamp"]) or 0
        one["_source"]["event"] = {"ingested": format_ns(instant + behind * SECOND)}
    assert verdicts(incident, tmp_path)["late"] == 2


def test_a_document_in_a_failure_store_is_rejected_with_its_reason(tmp_path: Path) -> None:
    # The shape is the one that Elasticsearch's documentation of failure stores gives.
    incident = ordinary()
    for one in incident.documents[30:33]:
        source = one["_source"]
        one["_index"] = ".fs-logs-shop-2026.11.20-000001"
        one["_source"] = {
            "@timestamp": source["@timestamp"],
            "document": {"id": one["_id"], "index": "logs", "source": source},
            "error": {"type": "document_parsing_exception", "message": "failed to parse field [amount] of type [long]"},
        }
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] == "rejected"]
    assert len(rows) == 3
    assert "amount" in str(rows[0]["evidence"])


def test_a_document_delivered_twice_is_a_duplicate(tmp_path: Path) -> None:
    incident = ordinary()
    for number in (10, 20):
        twin = copy.deepcopy(incident.documents[number])
        twin["_id"] = f"twin-{number}"
        incident.documents.append(twin)
    assert verdicts(incident, tmp_path) == Counter(matched=len(incident.documents) - 2, duplicate=2)


def test_a_document_without_a_line_is_elastic_only(tmp_path: Path) -> None:
    incident = ordinary()
    incident.ship(301.3, "said to Elasticsearch alone")
    assert verdicts(incident, tmp_path)["elastic_only"] == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"_shards": {"total": 5, "failed": 1}, "timed_out": False, "hits": {"total": {"value": 1, "relation": "eq"}}},
        {"_shards": {"total": 5, "failed": 0}, "timed_out": True, "hits": {"total": {"value": 1, "relation": "eq"}}},
        {
            "_shards": {"total": 5, "failed": 0},
            "timed_out": False,
            "hits": {"total": {"value": 10_000_000, "relation": "eq"}},
        },
        {
            "_shards": {"total": 5, "failed": 0},
            "timed_out": False,
            "hits": {"total": {"value": 10_000, "relation": "gte"}},
        },
    ],
)
def test_an_incomplete_reading_proves_no_loss(tmp_path: Path, answer: dict[str, object]) -> None:
    incident = ordinary()
    incident.log(301.1, "lost or not", shipped=False)
    incident.answer = answer
    found = verdicts(incident, tmp_path)
    assert found["console_only"] == 0
    assert found["unknown"] == 1


def test_without_elasticsearch_everything_is_unknown(tmp_path: Path) -> None:
    incident = ordinary()
    incident.documents = []
    assert set(verdicts(incident, tmp_path)) == {"unknown"}


def test_what_was_not_asked_for_is_unknown(tmp_path: Path) -> None:
    incident = ordinary()
    incident.query = {
        "indices": ["logs"],
        "pods": ["another-pod"],
        "from": format_ns(START),
        "to": format_ns(START + 1800 * SECOND),
    }
    incident.log(301.1, "lost or not", shipped=False)
    assert verdicts(incident, tmp_path)["console_only"] == 0


def test_what_may_still_have_been_on_its_way_is_unknown(tmp_path: Path) -> None:
    incident = ordinary()
    incident.window = {"captured_at": format_ns(START + 602 * SECOND)}
    incident.log(601, "just said", shipped=False)
    assert verdicts(incident, tmp_path)["unknown"] == 1


def test_every_entry_gets_exactly_one_verdict_and_order_means_nothing(tmp_path: Path) -> None:
    incident = ordinary()
    incident.log(301.1, "lost", shipped=False)
    incident.ship(302.2, "never on the console")
    del incident.documents[7]["_source"]["podName"]
    first = incident.answered(tmp_path / "one")
    entries = [row for row in first if row["side"] == "console"]
    assert len(entries) == len(incident.lines[(POD, "app")])
    random.Random(7).shuffle(incident.documents)
    second = incident.answered(tmp_path / "two")
    assert [(row["time"], row["verdict"], row["cause"], row["text"]) for row in first] == [
        (row["time"], row["verdict"], row["cause"], row["text"]) for row in second
    ]


@pytest.mark.parametrize("number", [31, 60, 97, 150])
def test_removing_a_matched_document_adds_exactly_one_loss(tmp_path: Path, number: int) -> None:
    incident = ordinary()
    before = len(lost(incident.answered(tmp_path / "before")))
    del incident.documents[number]
    assert len(lost(incident.answered(tmp_path / "after"))) == before + 1


def test_adding_a_gap_never_turns_unknown_into_a_loss(tmp_path: Path) -> None:
    incident = ordinary()
    incident.window = {"captured_at": format_ns(START + 602 * SECOND)}
    incident.log(601, "just said", shipped=False)
    incident.log(301.1, "lost", shipped=False)
    before = {
        (row["time"], row["text"]) for row in incident.answered(tmp_path / "before") if row["verdict"] == "unknown"
    }
    incident.answer = {"_shards": {"total": 5, "failed": 2}, "timed_out": False}
    after = {
        (row["time"], row["text"]) for row in incident.answered(tmp_path / "after") if row["verdict"] == "console_only"
    }
    assert before
    assert not before & after


def test_a_hit_that_was_fetched_twice_is_one_document(tmp_path: Path) -> None:
    incident = ordinary()
    incident.documents += copy.deepcopy(incident.documents[40:60])
    assert set(verdicts(incident, tmp_path)) == {"matched"}


def test_a_refused_document_without_pod_field_is_rejected_too(tmp_path: Path) -> None:
    incident = ordinary()
    source = incident.documents[30]["_source"]
    del source["podName"]
    incident.documents[30] |= {
        "_index": ".fs-logs-1",
        "_source": {
            "document": {"source": source},
            "error": {
                "type": "illegal_argument_exception",
                "message": "Limit of total fields [1000] has been exceeded",
            },
        },
    }
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] == "rejected"]
    assert len(rows) == 1
    assert "Limit of total fields" in str(rows[0]["evidence"])
