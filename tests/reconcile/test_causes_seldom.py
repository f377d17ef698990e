"""Signatures where the usual evidence is thin: one template alone, a logger without prefix, a limit that nobody stated."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from incident_kit.answers.console_only import console_only
from incident_kit.evidence import read_evidence
from incident_kit.importing import import_folder
from tests.reconcile.incident import POD, START, Incident, lost
from tests.reconcile.test_causes import causes

OTHER = "orders-api-7c9f8d6b5-bcdfg"


@pytest.mark.parametrize(("seldom", "cause"), [(9, "shipping_outage"), (2, "unexplained")])
def test_a_hole_of_one_template_is_an_outage_where_others_are_rare(tmp_path: Path, seldom: int, cause: str) -> None:
    incident = Incident()
    for number in range(120):
        hole = 61 <= number < 70
        what = "Pool is low" if number % seldom == 7 % seldom and not hole else f"GET order {number} in 3 ms"
        incident.log(10 + number * 5, what, shipped=not hole)
    assert causes(incident, tmp_path) == {cause}


def test_a_template_never_arrives_where_the_logger_writes_no_prefix(tmp_path: Path) -> None:
    incident, chance = Incident(), Random(3)
    for number in range(80):
        refused = number % 10 == 4
        message = f"Cookie overflow for user {number}" if refused else f"Completed order {number} in 3 ms"
        incident.say(10 + number * 5, f"[{chance.getrandbits(64):016x}] {message}")
        if not refused:
            document = incident.lines[(POD, "app")][-1][1]
            incident.ship(10 + number * 5, document)
    assert causes(incident, tmp_path) == {"never_arrives"}


@pytest.mark.parametrize(("apart", "cause"), [(False, "too_long"), (True, "unexplained")])
def test_many_kinds_of_entries_longer_than_all_that_arrive_are_too_long(
    tmp_path: Path, apart: bool, cause: str
) -> None:
    incident = Incident()
    incident.usual()
    for number in range(60):
        length = 300 + number * 20 + (3_000 if apart and number >= 54 else 0)
        text = f"{'abcdefghij'[number % 10] * 4} {'lorem ' * (length // 6)}end{number}"
        incident.log(12.2 + number * 9, text, shipped=number < 54)
    assert causes(incident, tmp_path) == {cause}


def test_losses_of_two_pods_that_both_end_at_their_rotation_are_the_rotations(tmp_path: Path) -> None:
    incident = Incident()
    for pod in (POD, OTHER):
        incident.usual(pod=pod, skip=(280, 300))
        times = sorted(time for time, _ in incident.lines[(pod, "app")])
        incident.rotations[(pod, "app")] = [sum(time < START + 300 * 10**9 for time in times)]
    found = lost(incident.answered(tmp_path))
    assert len(found) == 16
    assert {cause for cause, _ in found} == {"rotation_edge"}


def test_a_stream_of_which_nothing_arrives_is_not_logged_though_its_lines_have_a_prefix(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(8):
        stamp = f"10:0{number}:30.001"
        word = ("upstream timed out", "buffered to a file")[number % 2]
        incident.say(30 + number * 60.01, f"{stamp} [main] WARN  shop.Proxy - {word}, client {number}")
    folder = incident.write(tmp_path / "import")
    console = next((folder / "console").rglob("app.log"))
    lines = [(line[:30], line[31:]) for line in console.read_text().splitlines()]
    console.unlink()
    console.with_suffix("").mkdir()
    (console.with_suffix("") / "0.log").write_text(
        "".join(f"{time} {'stderr' if 'shop.Proxy' in text else 'stdout'} F {text}\n" for time, text in lines)
    )
    frame = console_only(read_evidence(import_folder(folder, tmp_path / "case.incident")))
    assert frame["cause"].tolist() == ["not_logged"] * 8


def test_a_level_of_the_shops_own_mark_of_which_nothing_arrives_is_below_level(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(120):
        mark, level = (("*", "INFO"), ("#", "WARN"), (".", "DEBUG"))[number % 3]
        incident.say(10 + number * 5, f"7:M 20 Nov {mark} order {number} of {number * 31} settled")
        if mark != ".":
            incident.ship(10 + number * 5, f"order {number} of {number * 31} settled", level)
    assert causes(incident, tmp_path) == {"below_level"}


def test_small_templates_that_were_lost_with_most_others_by_chance_do_arrive(tmp_path: Path) -> None:
    incident, random = Incident(), Random(4)
    for number in range(400):
        kind = random.choice(
            ["settled", "priced", "packed", f"given back by {chr(97 + number % 5) * 2}{chr(97 + number % 23)}"]
        )
        incident.log(10 + number * 2, f"Order {number * 31} {kind}", shipped=random.random() < 0.4)
    assert "never_arrives" not in causes(incident, tmp_path)
