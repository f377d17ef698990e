"""A prefix that nobody documented is learnt from the documents' messages and levels."""

from __future__ import annotations

import pyarrow as pa

from incident_kit.normalise.logs.formats.detect import detect_layout
from incident_kit.normalise.logs.formats.json_roles import json_roles
from incident_kit.normalise.logs.formats.learn import KnownMessages
from incident_kit.normalise.logs.json_lines import json_entry, render

MESSAGES = [
    (f"Order {number} settled for {number * 3} EUR", ("info", "warn", "error")[number % 3]) for number in range(60)
]
KNOWN = KnownMessages.build(MESSAGES)
WORDS = {"info": "Q1", "warn": "Q2", "error": "Q3"}


def test_an_unknown_prefix_and_its_levels_are_learnt() -> None:
    lines = [
        f"~~17951688{number:05d} #worker-{number % 4}# ({WORDS[level]}) <shop.Orders> => {text}"
        for number, (text, level) in enumerate(MESSAGES)
    ]
    layout = detect_layout(pa.array(lines, pa.large_string()), KNOWN)
    unseen = pa.array(["~~1795168899999 #worker-9# (Q3) <shop.Ledger> => never shipped"], pa.large_string())
    parsed = layout.parse(unseen)
    assert parsed.message.to_pylist() == ["never shipped"]
    assert parsed.level.tolist() == ["error"]


def test_without_documents_a_documented_pattern_is_used() -> None:
    lines = pa.array([f"[10:00:{number:02d} WRN] Order {number} settled" for number in range(30)], pa.large_string())
    parsed = detect_layout(lines, KnownMessages()).parse(lines)
    assert parsed.message.to_pylist()[3] == "Order 3 settled"
    assert set(parsed.level.tolist()) == {"warn"}


def test_prose_is_not_taken_for_a_prefix() -> None:
    lines = [
        f"Worker thread says {text}" if number % 2 else f"Other words say {text}"
        for number, (text, _) in enumerate(MESSAGES)
    ]
    layout = detect_layout(pa.array(lines, pa.large_string()), KNOWN)
    assert not layout.heads(
        pa.array(["Caused by: java.io.IOException: gone", "at last some words here"], pa.large_string())
    ).any()


def test_fields_that_a_shop_named_itself_are_learnt() -> None:
    lines = [
        f'{{"t":{number},"lv":"{WORDS[level]}","data":{{"txt":"{text}"}}}}'
        for number, (text, level) in enumerate(MESSAGES)
    ]
    roles = json_roles(lines, KNOWN)
    found = json_entry('{"t":99,"lv":"Q2","data":{"txt":"never shipped"}}', roles)
    assert found is not None
    assert (found["message"], found["level"]) == ("never shipped", "warn")


def test_templates_are_rendered_as_serilog_does_without_quotes() -> None:
    assert (
        render("Paid {Amount:0.00} to {User} {{x}} {Missing}", {"Amount": 3, "User": "bob"})
        == "Paid 3.00 to bob {x} {Missing}"
    )
