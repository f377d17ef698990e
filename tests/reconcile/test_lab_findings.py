"""Wrong answers that the lab's second incident found, each as small as it can be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.reconcile.incident import POD, Incident, lost

OTHER = "orders-api-7c9f8d6b5-bcdfg"


def of(rows: list[dict[str, Any]], pod: str) -> Counter[tuple[str, str | None]]:
    """Verdicts and causes of one pod's entries."""
    return Counter(
        (row["verdict"], row["cause"] if row["verdict"] == "console_only" else None)
        for row in rows
        if row["pod"] == pod and row["side"] == "console"
    )


def test_a_document_without_pod_goes_to_the_pod_whose_entry_is_nearest(tmp_path: Path) -> None:
    silent = [f"stock-{number}-7c9f8d6b5-abcd{number}" for number in range(9)]  # of several buckets
    incident = Incident()
    for number in range(12):
        incident.log(10 + number * 5, f"Order {number} settled", "WARN")
        incident.log(12 + number * 5, "Heartbeat: consumer alive", shipped=False)
        # The heartbeats were shipped by somebody who did not know the pod; the others ship none.
        incident.ship(12 + number * 5, "Heartbeat: consumer alive", "INFO", None)
        for place, pod in enumerate(silent):
            incident.log(10 + number * 5, f"Order {pod[:7]} {number} settled", "WARN", pod)
            incident.log(12.1 + number * 5 + place * 0.01, "Heartbeat: consumer alive", pod=pod, shipped=False)
    rows = incident.answered(tmp_path)
    assert of(rows, POD) == {("matched", None): 12, ("without_pod_name", None): 12}
    for pod in silent:
        assert of(rows, pod) == {("matched", None): 12, ("console_only", "below_level"): 12}


def test_templates_that_are_missing_all_the_time_are_no_witness_of_an_outage(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(300):
        for place, pod in enumerate((POD, OTHER)):
            what = "Order {} settled" if number % 12 == 0 else "Cache looked at for {}" if number % 2 else "Priced {}"
            incident.log(10 + number + place * 0.3, what.format(number), pod=pod, shipped=number % 12 == 0)
    assert {cause for cause, _ in lost(incident.answered(tmp_path))} == {"never_arrives"}


def test_single_losses_in_two_pods_that_meet_by_chance_are_no_outage(tmp_path: Path) -> None:
    incident, chance = Incident(), Random(7)
    for number in range(400):
        for pod in (POD, OTHER):
            shipped = number < 9 or chance.random() < 0.4
            incident.log(10 + number, f"Order {number} settled", pod=pod, shipped=shipped)
    assert {cause for cause, _ in lost(incident.answered(tmp_path))} == {"unexplained"}


def test_a_level_stays_below_though_one_of_its_texts_met_the_document_of_a_sidecar(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(200):
        incident.log(10 + number * 2, f"Order {number} settled", "WARN")
        incident.log(11 + number * 2, f"Cache {number} looked at", "INFO", shipped=False)
    incident.ship(11 + 50 * 2, "Cache 50 looked at", "INFO", service={"name": "sidecar"})
    found = Counter(cause for cause, _ in lost(incident.answered(tmp_path)))
    assert found == {"below_level": 199}


@pytest.mark.parametrize("holder", ["fields", "log_parsed"])
def test_a_property_without_field_is_refused_where_the_index_takes_no_new_ones(holder: str, tmp_path: Path) -> None:
    fields = {"properties": {"order": {"type": "long"}, "attr_1": {"type": "long"}, "attr_2": {"type": "long"}}}
    incident = Incident(mappings={"logs": {"mappings": {"properties": {holder: fields}}}})
    incident.usual()
    for number in range(1, 6):
        values = f'{{"order": {number}, "attr_{number}": {number}}}'
        incident.log(
            50 + number * 31,
            f"Attribute recorded {values}",
            shipped=number <= 2,
            **{holder: {"order": number, f"attr_{number}": number}},
        )
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] == "console_only"]
    assert len(rows) == 3
    assert {row["cause"] for row in rows} == {"never_arrives"}


def test_what_another_index_maps_otherwise_refuses_nothing(tmp_path: Path) -> None:
    mappings = {
        "others": {"mappings": {"properties": {"fields": {"properties": {"Amount": {"type": "long"}}}}}},
        "logs": {"mappings": {"properties": {"fields": {"properties": {"Amount": {"type": "keyword"}}}}}},
    }
    incident = Incident(mappings=mappings)
    incident.usual()
    for number in range(6):
        amount: object = "N/A" if number == 3 else number
        incident.log(
            100 + number * 37,
            f"Payment {number} over {amount}",
            shipped=number != 3,
            messageTemplate="Payment {Id} over {Amount}",
            fields={"Id": number, "Amount": amount},
        )
    assert [cause for cause, _ in lost(incident.answered(tmp_path))] == ["unexplained"]


def test_a_line_that_a_busy_node_wrote_late_keeps_its_document(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.say(302.4, "10:05:02.400 [main] INFO  shop.Orders - Payment P-77 booked")
    incident.ship(301.0, "Payment P-77 booked")
    rows = [row for row in incident.answered(tmp_path) if "P-77" in str(row["text"])]
    assert [row["verdict"] for row in rows] == ["matched"]


def test_documents_from_after_the_console_was_read_are_nobodys_late_ones(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual(end=600)
    incident.log(303.7, "Heartbeat: consumer alive", shipped=False)
    for number in range(5):
        incident.ship(603 + number * 5, "Heartbeat: consumer alive")
    assert len(lost(incident.answered(tmp_path))) == 1


def test_the_only_line_of_its_kind_that_begins_like_others_is_not_late_either(tmp_path: Path) -> None:
    """A heartbeat into whose entry a trace was written; documents of the next instance's heartbeats are not its own."""
    incident = Incident()
    incident.usual(end=600)
    incident.log(303.7, "Heartbeat: consumer alive", shipped=False)
    incident.say(303.7003, 'Traceback (most recent call last):\n  File "/app/main.py", line 3, in main\nValueError: 17')
    for number in range(5):
        incident.ship(603 + number * 5, "Heartbeat: consumer alive")
    (found,) = lost(incident.answered(tmp_path))
    assert "ValueError" in found[1]


def test_a_lost_entry_has_not_the_document_of_a_line_that_was_rotated_away(tmp_path: Path) -> None:
    """Sinks that stamp what the console shows: an older document is of an earlier heartbeat."""
    incident = Incident()
    for number in range(40):
        incident.ship(4 + number * 0.05, "Heartbeat: consumer alive")  # their lines are gone
    for number in range(12):
        incident.log(6.2 + number * 0.04, "Heartbeat: consumer alive", shipped=False)
    incident.usual(begin=10)
    assert len(lost(incident.answered(tmp_path))) == 12


def test_where_documents_are_stamped_by_a_shipper_own_times_contradict_nothing(tmp_path: Path) -> None:
    """A collector stamps what it reads: a moment later mostly, and much later when it stalls."""
    incident, chance = Incident(), Random(3)
    for number in range(100):
        at = 10 + number * 5
        incident.log(at, "Heartbeat: consumer alive", shipped=False)
        incident.ship(at + 0.001 if number % 8 else at + chance.uniform(0.02, 0.2), "Heartbeat: consumer alive")
    assert lost(incident.answered(tmp_path)) == []


def test_a_late_document_with_other_values_is_another_entrys(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(20):
        incident.say(15 + number * 7, f'{{"level":"info","key":"K-{number}","message":"cache looked at"}}', OTHER)
        if number != 4:
            incident.ship(15 + number * 7, "cache looked at", pod=OTHER, key=f"K-{number}")
    incident.ship(100, "cache looked at", pod=OTHER, key="K-99")
    found = of(incident.answered(tmp_path), OTHER)
    assert found["matched", None] == 19
    assert found["late", None] == 0


def test_what_is_too_long_is_not_called_a_missing_template(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(5):
        incident.log(53 + number * 70, f"Scanned {number}: " + "page of text " * 900, shipped=False)
    assert {cause for cause, _ in lost(incident.answered(tmp_path))} == {"too_long"}


def test_the_first_entries_are_before_the_logger_though_others_lost_something_then(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual(end=400, pod=OTHER, every=2, skip=(195, 207))
    incident.say(200, "=== app 1.0.0 ===")
    incident.log(200.1, "Reading settings", shipped=False)
    incident.usual(begin=208, end=400)
    found = [cause for cause, text in lost(incident.answered(tmp_path)) if "===" in text or "settings" in text]
    assert found == ["before_logger", "before_logger"]


def test_rotations_of_two_consoles_at_once_are_no_outage(tmp_path: Path) -> None:
    incident = Incident()
    for pod in (POD, OTHER):
        for number in range(400):
            incident.log(10 + number * 0.2, f"Order {number} settled", pod=pod, shipped=not 190 <= number < 200)
        incident.rotations[(pod, "app")] = [200]
    assert {cause for cause, _ in lost(incident.answered(tmp_path))} == {"rotation_edge"}
