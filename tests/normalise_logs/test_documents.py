"""Hits of any shape to documents."""

from __future__ import annotations

import json
from pathlib import Path

from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.candidates import CANDIDATES
from incident_kit.normalise.logs.documents import document_row
from incident_kit.normalise.logs.fields import FieldRoles, detect_roles, lookup
from incident_kit.normalise.logs.hits import Hit, Reading, close_reading, hit_files, read_hits
from incident_kit.normalise.logs.times import time_value
from incident_kit.normalise.raw import RawFolder
from incident_kit.profile import default_profile
from incident_kit.window import Window, parse_rfc3339

ROLES = FieldRoles()


def row(source: dict[str, object], index: str = "logs") -> dict[str, object]:
    return document_row(Hit(index, "1", source), ROLES)


def read(folder: Path) -> tuple[list[Hit], Context, Reading]:
    context = Context(cluster="test", window=Window(start=0, end=10**18), captured_at=None, profile=default_profile())
    raw, reading = RawFolder(folder), Reading()
    hits = list(read_hits(raw, hit_files(raw), context, reading))
    close_reading(context, reading)
    return hits, context, reading


def test_nested_dotted_and_mixed_names_are_one() -> None:
    for source in (
        {"kubernetes": {"pod": {"name": "p"}}},
        {"kubernetes.pod.name": "p"},
        {"kubernetes": {"pod.name": "p"}},
    ):
        assert lookup(source, "kubernetes.pod.name") == "p"


def test_every_candidate_of_the_pod_role_is_read() -> None:
    for path in CANDIDATES["pod"]:
        assert row({path: "orders-1", "message": "x"})["pod"] == "orders-1"


def test_times_as_kibana_and_azure_show_them_are_read() -> None:
    expected = parse_rfc3339("2026-11-20T08:01:36.977Z")
    assert time_value("Nov 20, 2026 @ 08:01:36.977") == expected
    said = {"TimeGenerated": "2026-11-20T08:01:36.977Z", "LogMessage": "settled", "PodName": "orders-1"}
    found = row(said)
    assert (found["message"], found["pod"], time_value(found["time"])) == ("settled", "orders-1", expected)


def test_tags_name_a_pod_where_one_of_them_is_known() -> None:
    listed = {"message": "x", "tags": ["env:prod", "pod_name:orders-1"]}
    joined = {"message": "x", "ddtags": "env:prod,pod_name:orders-1"}
    said = {"message": "deleted pod:orders-1, env:prod"}
    roles, _ = detect_roles([listed, joined, said], {"orders-1"})
    found = [document_row(Hit("i", "1", one), roles)["pod"] for one in (listed, joined, said)]
    assert found == ["orders-1", "orders-1", None]
    assert document_row(Hit("i", "2", {"message": "x", "tags": ["env:prod"]}), roles)["pod"] is None


def test_a_field_whose_values_are_known_pods_is_proved_and_only_known_pods_are_believed() -> None:
    roles, _ = detect_roles([{"host": {"name": "orders-1"}}, {"host": {"name": "node-7"}}], {"orders-1"})
    assert document_row(Hit("i", "1", {"host": {"name": "orders-1"}}), roles)["pod"] == "orders-1"
    assert document_row(Hit("i", "2", {"host": {"name": "node-7"}}), roles)["pod"] is None


def test_a_message_that_is_json_is_opened() -> None:
    found = row({"message": json.dumps({"msg": "inner", "level": "warn"})})
    assert (found["message"], found["level"]) == ("inner", "warn")


def test_a_failure_stores_document_is_the_one_that_was_refused() -> None:
    # As Elasticsearch's documentation of failure stores shows it.
    source = {
        "document": {"source": {"message": "refused", "podName": "p"}},
        "error": {"type": "document_parsing_exception", "message": "failed to parse field [a]"},
    }
    found = row(source, ".fs-logs-2026.11.20-000001")
    assert (found["message"], found["pod"], found["rejected"]) == ("refused", "p", "failed to parse field [a]")


def test_a_template_without_message_is_rendered() -> None:
    assert row({"messageTemplate": "Order {Id} done", "fields": {"Id": 7}})["message"] == "Order 7 done"


def test_times_are_read_at_full_precision_in_every_usual_form() -> None:
    wanted = parse_rfc3339("2026-11-20T08:00:00.1234567Z")
    assert time_value("2026-11-20T08:00:00.1234567Z") == wanted
    assert time_value("2026-11-20T09:00:00.1234567+01:00") == wanted
    assert time_value(1795161600123) == parse_rfc3339("2026-11-20T08:00:00.123Z")
    assert time_value(1795161600.123) == parse_rfc3339("2026-11-20T08:00:00.123Z")
    assert time_value("no time") is None


def test_a_broken_line_is_a_gap_with_its_number_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "elasticsearch").mkdir()
    good = json.dumps({"_index": "i", "_id": "1", "_source": {"message": "x"}})
    (tmp_path / "elasticsearch" / "hits.ndjson").write_text(f"{good}\n{{broken\n{good}\n")
    hits, context, _ = read(tmp_path)
    assert len(hits) == 2
    assert any("line 2" in gap["what"] for gap in context.gaps)


def test_fewer_hits_than_counted_is_incomplete(tmp_path: Path) -> None:
    (tmp_path / "elasticsearch").mkdir()
    answer = {
        "_shards": {"failed": 0},
        "hits": {"total": {"value": 3, "relation": "eq"}, "hits": [{"_index": "i", "_id": "1", "_source": {}}]},
    }
    (tmp_path / "elasticsearch" / "answer.json").write_text(json.dumps(answer))
    assert read(tmp_path)[2].incomplete


def test_an_object_that_holds_no_text_is_no_message() -> None:
    found = row({"event": {"ingested": "2026-11-20T08:00:00Z"}, "log": {"logger": "x"}, "short_message": "said"})
    assert found["message"] == "said"


def test_a_superscript_is_no_number_and_no_level() -> None:
    assert row({"message": "m", "level": "²", "severity": "ERROR"})["level"] == "error"


def test_a_number_that_is_no_level_leaves_the_word_to_the_next_field() -> None:
    monolog = {"message": "Order 1 settled", "level": 230, "level_name": "NOTICE", "@timestamp": "2026-11-20T08:00:00Z"}
    assert FieldRoles().level(monolog) == "info"
    assert FieldRoles().level({"level": 400, "level_name": "?"}) == "error"


def test_user_agents_and_request_lines_are_long_texts_and_no_message() -> None:
    agents = ("Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5.0 OpenSSL/3.0.13", "Mozilla/5.0 (iPhone) AppleWebKit/605.1")
    requests: list[dict[str, object]] = [
        {"client": f"10.0.0.{number}", "agent": agents[number % 3], "request": f"GET /items/{number} HTTP/1.1"}
        for number in range(30)
    ]
    roles, _ = detect_roles(requests, ())
    assert {roles.value(one, "message") for one in requests} == {None}
    told = [{**one, "auskunft": f"Bestellung {number} ist fertig"} for number, one in enumerate(requests)]
    roles, _ = detect_roles(told, ())
    assert roles.value(told[3], "message") == "Bestellung 3 ist fertig"


def test_the_full_message_of_gelf_is_its_message() -> None:
    assert row({"short_message": "Order 7 is", "full_message": "Order 7 is settled"})["message"] == "Order 7 is settled"
