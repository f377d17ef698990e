"""Each cause of the design by its signature, and its near miss."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from incident_kit.answers.console_only import console_only
from incident_kit.evidence import read_evidence
from incident_kit.importing import import_folder
from incident_kit.window import format_ns
from tests.reconcile.incident import POD, START, Incident, lost, terminated

OTHER = "orders-api-7c9f8d6b5-bcdfg"


def causes(incident: Incident, folder: Path) -> set[str]:
    return {cause for cause, _ in lost(incident.answered(folder))}


def test_a_level_that_is_never_shipped_is_below_level(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(6):
        incident.log(33 + number * 40, f"cache entry {number} evicted", "DEBUG", shipped=False)
    found = lost(incident.answered(tmp_path))
    assert len(found) == 6
    assert {cause for cause, _ in found} == {"below_level"}


def test_a_lone_lost_fatal_is_not_below_level(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.log(301, "ledger is corrupt", "FATAL", shipped=False)
    assert causes(incident, tmp_path) == {"unexplained"}


def test_losses_at_many_times_the_usual_rate_are_a_burst_with_the_innocent_in_between(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(400):
        incident.log(300 + number * 0.005, f"retry {number} of batch", shipped=number < 100)
    incident.log(301.5013, "User bob logged in", shipped=False)
    found = lost(incident.answered(tmp_path))
    assert len(found) == 301
    assert {cause for cause, _ in found} == {"burst"}


def test_a_hole_of_every_template_is_a_shipping_outage(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual(skip=(200, 290))
    found = lost(incident.answered(tmp_path))
    assert len(found) == 36
    assert {cause for cause, _ in found} == {"shipping_outage"}


def test_a_quiet_container_shares_the_outage_of_a_busy_one(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual(skip=(200, 290))
    incident.usual(every=60, pod=OTHER, skip=(200, 290))
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] == "console_only" and row["pod"] == OTHER]
    assert rows
    assert {row["cause"] for row in rows} == {"shipping_outage"}


def test_the_first_entries_of_an_instance_came_before_the_logger(tmp_path: Path) -> None:
    incident = Incident(statuses={POD: [{**terminated(1700, 0, "Completed")}]})
    for number in range(3):
        incident.log(1 + number * 0.3, f"reading configuration part {number}", shipped=False)
    incident.usual(end=1690, every=10)
    assert causes(incident, tmp_path) == {"before_logger"}


def test_text_without_the_prefix_was_never_logged(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.say(300.7, "(node:1) ExperimentalWarning: VM Modules is experimental")
    incident.say(311.1, 'Traceback (most recent call last):\n  File "/app/run.py", line 3, in main\nValueError: no')
    found = lost(incident.answered(tmp_path))
    assert [cause for cause, _ in found] == ["not_logged", "not_logged"]
    assert found[1][1].endswith("ValueError: no")


def test_a_value_that_the_mapping_refuses_is_proved(tmp_path: Path) -> None:
    incident = Incident(
        mappings={"logs": {"mappings": {"properties": {"fields": {"properties": {"Amount": {"type": "long"}}}}}}}
    )
    incident.usual()
    for number in range(6):
        amount: object = "N/A" if number == 3 else number
        text = f"Payment {number} over {amount}"
        incident.log(
            100 + number * 37,
            text,
            shipped=number != 3,
            messageTemplate="Payment {Id} over {Amount}",
            fields={"Id": number, "Amount": amount},
        )
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] == "console_only"]
    assert [row["cause"] for row in rows] == ["never_arrives"]
    assert "Amount" in str(rows[0]["evidence"])
    assert "long" in str(rows[0]["evidence"])
    assert "N/A" in str(rows[0]["evidence"])


def test_a_template_wholly_missing_among_delivered_ones_never_arrives_with_less_confidence(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(6):
        incident.log(52 + number * 70, f"settlement {number} refused by clearing", shipped=False)
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] == "console_only"]
    assert {row["cause"] for row in rows} == {"never_arrives"}
    assert all(row["confidence"] < 0.9 for row in rows)


def test_a_text_longer_than_all_that_arrive_is_too_long(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.log(303, "dump " + "x" * 40_000, shipped=False)
    assert causes(incident, tmp_path) == {"too_long"}


def test_the_last_entries_of_a_killed_instance_died_before_they_were_flushed(tmp_path: Path) -> None:
    incident = Incident(statuses={POD: [terminated(605, 137, "OOMKilled")]})
    incident.usual()
    for number in range(3):
        incident.log(600 + number, f"allocating page {number}", shipped=False)
    rows = [row for row in incident.answered(tmp_path) if row["verdict"] == "console_only"]
    assert [row["cause"] for row in rows] == ["died_before_flush"] * 3
    assert "137" in str(rows[0]["evidence"])


def test_losses_at_a_rotation_of_the_console_file_are_its(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    position = sorted(range(len(incident.lines[(POD, "app")])), key=lambda n: incident.lines[(POD, "app")][n][0])
    cut = len(position) // 2
    incident.rotations[(POD, "app")] = [cut]
    times = sorted(time for time, _ in incident.lines[(POD, "app")])[cut : cut + 2]
    near = {round((time - START) / 1e9, 1) for time in times}
    incident.documents = [
        one for one in incident.documents if round(_seconds(one["_source"]["@timestamp"]), 1) not in near
    ]
    assert causes(incident, tmp_path) == {"rotation_edge"}


def _seconds(text: str) -> float:
    from incident_kit.window import parse_rfc3339

    return ((parse_rfc3339(text) or 0) - START) / 1e9


def test_a_pod_without_any_document_beside_shipping_siblings_is_absent(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.usual(pod=OTHER, skip=(0, 10_000))
    assert causes(incident, tmp_path) == {"pod_absent"}


def test_a_single_loss_in_between_stays_unexplained(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    incident.log(301.1, "Order 7777 settled for 3.5 EUR", shipped=False)
    assert lost(incident.answered(tmp_path))[0][0] == "unexplained"


def restarted_at(incident: Incident, at: float, folder: Path) -> pd.DataFrame:
    """Losses of an incident whose pod restarted at so many seconds, in the kubelet's own files."""
    lines = incident.lines.pop((POD, "app"))
    incident.write(folder / "import")
    target = folder / "import" / "console" / "shop" / POD / "app"
    target.mkdir(parents=True)
    before = [one for one in lines if one[0] < START + at * 10**9]
    for name, part in (("0.log", before), ("1.log", [one for one in lines if one not in before])):
        (target / name).write_text("".join(f"{format_ns(time)} stdout F {text}\n" for time, text in part))
    return console_only(read_evidence(import_folder(folder / "import", folder / "case.incident")))


def test_an_outage_goes_on_across_a_restart_where_the_next_instance_ships_nothing_either(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual(end=900, skip=(400, 700))
    found = restarted_at(incident, 550, tmp_path)
    assert len(found) == 120
    assert set(found["cause"]) == {"shipping_outage"}


def test_a_restart_amid_an_outage_that_others_share_makes_no_tail_and_no_beginning_of_it(tmp_path: Path) -> None:
    """Each instance misses part of the others' hole; between the last delivery and the next lies all of it."""
    incident = Incident()
    incident.usual(every=1, skip=(400, 440))
    for sibling in ("bcdfg", "hjklm"):
        incident.usual(every=1, pod=f"orders-api-7c9f8d6b5-{sibling}", skip=(400, 440))
    found = restarted_at(incident, 412, tmp_path)
    assert len(found) == 240
    assert set(found["cause"]) == {"shipping_outage"}


def test_a_delivery_amid_an_outage_does_not_end_it(tmp_path: Path) -> None:
    """One that got through, or a document that was another's; with a crash between it and the outage's end."""
    incident = Incident()
    incident.usual(end=900, skip=(400, 700))
    incident.ship(530, "Order 1104 settled for 8.5 EUR")
    found = restarted_at(incident, 550, tmp_path)
    assert len(found) == 119
    assert set(found["cause"]) == {"shipping_outage"}


def test_single_losses_on_both_sides_of_a_delivery_are_no_outage(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(6):
        incident.log(301 + number / 10, f"Cart {number * 77} emptied", shipped=number in (2, 4))
    assert causes(incident, tmp_path) == {"unexplained"}
