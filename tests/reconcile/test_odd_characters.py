"""Messages that a pipeline could not write or read as they are, and messages of nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from incident_kit.correlate.reconcile.replaced_characters import is_replaced, read_anew
from tests.reconcile.incident import Incident

CITIES = ("Łódź", "São Paulo", "東京", "Brno", "München", "✈️ Praha")


def answered(incident: Incident, folder: Path) -> Counter[str]:
    return Counter(row["verdict"] for row in incident.answered(folder))


@pytest.mark.parametrize(
    "mangle",
    [
        lambda text: text.encode().decode("latin-1"),
        lambda text: text.encode("latin-1", "replace").decode("latin-1"),
        lambda text: text.encode("ascii", "replace").decode(),
        lambda text: text.encode("utf-16-le").decode("utf-16-le").encode("cp1250", "replace").decode("cp1250"),
    ],
    ids=["misread", "latin-1", "ascii", "cp1250"],
)
def test_a_text_whose_characters_were_lost_or_misread_is_there(tmp_path: Path, mangle: object) -> None:
    incident = Incident()
    for number in range(60):
        text = f"Order {number} sent to {CITIES[number % len(CITIES)]} by {number % 7}"
        incident.log(10 + number * 5, text, shipped=False)
        if number != 31:
            incident.ship(10 + number * 5, mangle(text))  # type: ignore[operator]
    assert answered(incident, tmp_path) == {"matched": 59, "console_only": 1}


@pytest.mark.parametrize(
    ("whole", "marked", "same"),
    [
        ("sent to Łódź?", "sent to ?ód??", True),
        ("sent to 東京", "sent to ????", True),
        ("sent to Lodz", "sent to ?odz", False),
        ("sent to Łódź", "sent to ?ódz", False),
        ("sent to Łódź", "sent to ?éd?", False),
        ("Łódź", "????", False),
        ("sent to Łódz or Łódź", "sent to ?ódz or ?ód?", True),
        ("sent to " + "東京" * 40 + "!", "sent to ?a?!", False),  # in no time: every mark may stand for any part of it
    ],
)
def test_a_mark_stands_for_characters_beyond_ascii_alone(whole: str, marked: str, *, same: bool) -> None:
    assert is_replaced(whole, marked) == same


def test_text_that_was_read_rightly_stays() -> None:
    for text in ("Ängström Â 5 µm", "plain", "São Paulo → Łódź"):
        assert read_anew(text) == text
    assert read_anew("SÃ£o Paulo â†’ BÃ¦") == "São Paulo → Bæ"


def test_entries_that_say_nothing_have_the_documents_that_say_nothing(tmp_path: Path) -> None:
    incident = Incident()
    incident.usual()
    for number in range(20):
        incident.log(21.3 + number * 25, "", shipped=number != 11)
    found = answered(incident, tmp_path)
    assert (found["console_only"], found["elastic_only"]) == (1, 0)


def test_documents_with_a_logger_before_and_a_trace_behind_are_found_behind_unknown_prefixes(tmp_path: Path) -> None:
    incident = Incident()
    for number in range(60):
        text = f"settled order {number * 37}"
        incident.say(10 + number * 5, f"orders.go:{number % 5}: {text}")
        if number != 31:
            incident.ship(10 + number * 5, f"[shop.Orders] {text} (trace {number * 7919:x})")
    assert answered(incident, tmp_path) == {"matched": 59, "console_only": 1}
