"""Pipelines that change the shape of an event: lines joined, values hidden, values without a message."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

from tests.reconcile.incident import POD, Incident


def verdicts(incident: Incident, folder: Path) -> Counter[tuple[str, str]]:
    return Counter((row["side"], row["verdict"]) for row in incident.answered(folder))


def test_lines_that_a_shipper_joined_to_the_entry_before_are_there_each_once(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(6):
        at = 31.1 + number * 60
        incident.log(at, f"Batch {number} begins", shipped=False)
        stamped = incident.lines[(POD, "app")][-1][1]
        for place in range(2):
            incident.say(at + 0.5 + place / 10, f"reading part of batch {number}")
        # The third time the second of two equal lines came too late for the joined document.
        rest = ["reading part of batch " + str(number)] * (1 if number == 3 else 2)
        incident.ship(at, "\n".join([stamped, *rest]))
    rows = incident.answered(tmp_path)
    lost = [row["text"] for row in rows if row["verdict"] == "console_only"]
    assert lost == ["reading part of batch 3"]
    assert not [row for row in rows if row["side"] == "elastic"]


def test_hidden_values_stand_for_any_and_the_rest_must_be_equal(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(30):
        at, user = 10 + number * 20, f"user-{number * 37 % 101}"
        incident.log(at, f"Customer {user} at desk {number} logged in", shipped=False)
        incident.log(at + 5, f"Order {number} settled")
        if number != 12:
            incident.ship(at, f"Customer [REDACTED] at desk {number} logged in")
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] != "matched"]
    assert [(row["verdict"], re.search(r"desk \d+", row["text"])[0]) for row in rows] == [  # type: ignore[index]
        ("console_only", "desk 12")
    ]


def test_values_without_a_message_are_found_in_plain_lines(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(60):
        at, status, size = 10 + number * 7, (200, 404, 503)[number % 3], 1000 + number * 31
        incident.say(at, f"at=router verb=GET path=/orders/{number} status={status} bytes={size} took={number % 9}ms")
        if number != 20:
            incident.ship(at, "", verb="GET", path=f"/orders/{number}", status=status, bytes=str(size), zone="eu-1")
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] != "matched"]
    assert [(row["verdict"], "/orders/20 " in row["text"]) for row in rows] == [("console_only", True)]


def test_values_that_no_line_shows_leave_every_line_unknown(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(40):
        incident.say(10 + number * 7, f"router served order {number}")
        incident.ship(10 + number * 7, "", shard=number * 7919, took=number * 0.37, zone="eu-1")
    assert verdicts(incident, tmp_path)[("console", "unknown")] == 40


def test_metrics_of_a_pod_leave_none_of_its_losses_in_doubt(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual(skip=(200, 290))
    for number in range(60):
        usage = {"kubernetes.pod.cpu.usage.nanocores": number * 7919, "kubernetes.pod.memory.usage.bytes": number << 20}
        incident.documents.append(
            {
                "_index": "metrics",
                "_id": f"m{number}",
                "_source": {
                    "@timestamp": f"2026-11-20T10:{number // 6:02d}:{number % 6}5.000Z",
                    "podName": POD,
                    **usage,
                },
            }
        )
    assert verdicts(incident, tmp_path)[("console", "console_only")] == 36


def test_blocks_of_unindented_lines_are_entries_where_documents_have_their_message(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(40):
        event = [
            f'<event logger="shop.Orders" level="INFO" number="{number}">',
            f"<message><![CDATA[Order {number} settled]]></message>",
            "</event>",
        ]
        incident.say(10 + number * 7, "\n".join(event))
        if number != 9:
            incident.ship(10 + number * 7, f"Order {number} settled")
    rows = incident.answered(tmp_path)
    assert len(rows) == 40
    assert ["Order 9 settled" in row["text"] for row in rows if row["verdict"] == "console_only"] == [True]


def test_blocks_that_begin_with_a_rule_are_entries(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(40):
        incident.say(10 + number * 7, f"---\nlevel: info\nmessage: order {number} settled")
        if number != 9:
            incident.ship(10 + number * 7, f"order {number} settled")
    rows = incident.answered(tmp_path)
    assert len(rows) == 40
    assert ["order 9 settled" in row["text"] for row in rows if row["verdict"] == "console_only"] == [True]


def test_runs_of_lines_that_documents_have_one_by_one_are_no_blocks(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(30):
        lines = [f"Started order {number}", f"priced order {number}", f"settled order {number}"]
        incident.say(10 + number * 7, "\n".join(lines))
        for line in lines[: 2 if number == 4 else 3]:
            incident.ship(10 + number * 7, line)
    rows = incident.answered(tmp_path)
    assert len(rows) == 90
    assert [row["text"] for row in rows if row["verdict"] == "console_only"] == ["settled order 4"]


def test_kinds_of_values_are_learnt_apart_and_whole_numbers_have_no_fraction(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(60):
        at = 10 + number * 7
        if number % 4:
            incident.say(at, f"metric queue=q{number % 5} depth={number + 3} lag_ms={number * 13} rate={number}.25")
            if number != 22:
                values = {"depth": float(number + 3), "lag_ms": float(number * 13), "rate": number + 0.25}
                incident.ship(at, "", queue=f"q{number % 5}", **values)
        else:
            incident.say(at, f"gc pause_ms={number * 17} heap_mb={900 + number}")
            incident.ship(at, "", pause_ms=float(number * 17), heap_mb=float(900 + number))
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] != "matched"]
    assert [(row["verdict"], "depth=25 " in row["text"]) for row in rows] == [("console_only", True)]


def test_the_parts_of_a_long_line_are_one_entry_and_one_that_lacks_its_end_is_cut(tmp_path: Path) -> None:
    incident, chance = Incident(), Random(5)
    incident.usual()
    for number in range(3):
        at = 31.3 + number * 60
        incident.log(at, "dump " + "".join(chance.choices("abcdef0123456789", k=40_000)), shipped=False)
        line = incident.lines[(POD, "app")][-1][1]
        for begin in range(0, len(line) if number else 20_000, 16_384):
            incident.ship(at + begin / 10**7, line[begin : begin + 16_384])
    assert verdicts(incident, tmp_path) == {("console", "matched"): 236 + 2, ("console", "truncated"): 1}


def test_a_json_body_within_an_entry_is_no_entry_of_its_own(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(12):
        body = f'request {number}\nPOST /orders HTTP/1.1\nHost: shop\n\n{{"id": {number}, "state": "open"}}'
        incident.log(31.3 + number * 30, body)
    assert verdicts(incident, tmp_path) == {("console", "matched"): 236 + 12}


def test_a_level_at_the_beginning_of_the_message_is_its_level(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(60):
        level = "DEBUG" if number % 3 == 0 else "WARNING" if number % 3 == 1 else "INFO"
        incident.say(10 + number * 7, f"Nov 20 10:00:00 host-1 orders[7]: {level}: order {number} seen")
        if level != "DEBUG":
            incident.ship(10 + number * 7, f" {level}: order {number} seen", "")
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] == "console_only"]
    assert {(row["level"], row["cause"]) for row in rows} == {("debug", "below_level")}
    assert len(rows) == 20


def test_documents_that_say_more_in_one_shape_are_the_entries_they_hold(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(40):
        text = f"order {number * 37 % 101} settled for {number} EUR" if number % 4 else "tick"
        incident.log(10 + number * 7, text, shipped=False)
        if number != 21:
            incident.ship(10 + number * 7, f"[shop.Orders] {text} (trace=4f{number:04d})")
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] != "matched"]
    assert [(row["verdict"], "for 21 EUR" in row["text"]) for row in rows] == [("console_only", True)]


def test_a_text_that_happens_to_stand_in_another_document_is_not_that_one(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.log(300.1, "Order 7 settled", shipped=False)
    incident.ship(300.1, "Customer told that Order 7 settled late")
    assert verdicts(incident, tmp_path)[("console", "console_only")] == 1


TRACE = "java.io.IOException: gone\n\tat shop.Pay.place(Pay.java:88)\n\tat shop.Web.run(Web.java:7)\nCaused by: java.io.EOFException\n\tat shop.Pay.place(Pay.java:88)"


def test_a_line_that_a_trace_has_twice_is_shipped_twice_and_no_duplicate(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(5):
        at = 31.2 + number * 40
        incident.log(at, f"Payment {number} failed\n{TRACE}", "ERROR", shipped=False)
        for line in incident.lines[(POD, "app")][-6:]:
            incident.ship(at + 0.0002, line[1])
    incident.ship(151.2002, "\tat shop.Pay.place(Pay.java:88)")
    assert {key: count for key, count in verdicts(incident, tmp_path).items() if key[1] != "matched"} == {
        ("elastic", "duplicate"): 1
    }


def test_a_text_of_marks_alone_begins_no_other(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.log(300.1, "Order 7 settled", shipped=False)
    incident.ship(300.1, "         ^^^^^^^^^^^^^^^^^^^")
    assert verdicts(incident, tmp_path)[("console", "console_only")] == 1


def test_whole_lines_whose_traces_two_sinks_wrote_otherwise_are_one_event(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(30):
        at = 31.2 + number * 9
        incident.log(at, f"Payment {number} failed\n{TRACE}", "ERROR", shipped=False)
        head = incident.lines[(POD, "app")][-6][1]
        other = "  shop.Pay.place(Pay.java:88)\n" * (20 + number)
        incident.ship(at, f"{head}\njava.io.IOException: gone\n\n{other}")
    assert set(verdicts(incident, tmp_path)) == {("console", "matched")}


def test_lines_of_a_message_that_each_begin_with_the_prefix_are_there_each_once(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(12):
        at = 31.2 + number * 40
        lines = [f"Fare {number} expired", f"was {number * 7} EUR", "ask again"]
        for place, line in enumerate(lines):
            incident.log(at + place / 100_000, line, shipped=False)
        if number != 5:
            incident.ship(at, "\n".join(lines[: 2 if number == 7 else 3]))
    incident.log(531.7, "ask again", shipped=False)
    rows = [row["text"].partition(" - ")[2] for row in incident.answered(tmp_path) if row["verdict"] == "console_only"]
    assert rows == ["Fare 5 expired", "was 35 EUR", "ask again", "ask again", "ask again"]


def test_documents_that_say_nothing_are_no_copies_of_each_other(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for _ in range(3):
        incident.ship(301, "")
    assert verdicts(incident, tmp_path)[("elastic", "duplicate")] == 0
