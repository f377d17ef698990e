"""A prefix that nobody documented is learnt from the documents' messages and levels."""

from __future__ import annotations

import pyarrow as pa
import pytest

from incident_kit.normalise.logs.formats.detect import detect_layout
from incident_kit.normalise.logs.formats.json_roles import json_roles
from incident_kit.normalise.logs.formats.known import KnownMessages
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


TAILS = (
    " MDC: {{akkaSource=akka://shop/user/a{0}}}",
    "   orders.py:{0}",
    " [request-id: 00{0}ab] (App/Orders.swift:{0})",
    "|url: http://localhost/{0}|action: Index",
)


@pytest.mark.parametrize("tail", TAILS)
def test_what_a_layout_appends_behind_the_message_is_no_part_of_it(tail: str) -> None:
    lines = [
        f"2026-11-20 08:00:{number:02d},123 {level.upper():<5} {text}{tail.format(number)}"
        for number, (text, level) in enumerate(MESSAGES)
    ]
    layout = detect_layout(pa.array(lines, pa.large_string()), KNOWN)
    unseen = pa.array([f"2026-11-20 09:00:00,123 ERROR never shipped{tail.format(99)}"], pa.large_string())
    parsed = layout.parse(unseen)
    assert [text.rstrip() for text in parsed.message.to_pylist()] == ["never shipped"]
    assert parsed.level.tolist() == ["error"]


PAIRS = (
    "a={0}",
    "a={0} b=x{0}",
    'a={0} city="S P"',
    "a={0} b=x c=y",
    "a={0} b=O'N c={0} d=1",
    "",
    'a="x y" b=1 c=2 d=3',
)


@pytest.mark.parametrize("written", [": {0}", " -- {{ {0} }}"], ids=["pairs", "hash"])
def test_what_always_begins_alike_behind_the_message_may_go_on_in_many_shapes(written: str) -> None:
    tails = [written.format(pairs) if pairs else "" for pairs in PAIRS]
    lines = [
        f"2026-11-20 08:00:{number:02d},123 {level.upper()} {text}{tails[number % 7].replace('{0}', str(number))}"
        for number, (text, level) in enumerate(MESSAGES)
    ]
    parsed = detect_layout(pa.array(lines, pa.large_string()), KNOWN).parse(pa.array(lines, pa.large_string()))
    assert [text.rstrip() for text in parsed.message.to_pylist()] == [text for text, _ in MESSAGES]


def test_a_message_may_begin_and_end_in_a_bracket_of_the_layout() -> None:
    lines = [
        f"##<Nov 20, 2026 8:00:{number:02d}> <{level.title()}> <a b> <> <{number * 7}> <{text}>"
        for number, (text, level) in enumerate(MESSAGES)
    ]
    parsed = detect_layout(pa.array(lines, pa.large_string()), KNOWN).parse(pa.array(lines, pa.large_string()))
    assert parsed.message.to_pylist() == [text for text, _ in MESSAGES]
    assert parsed.level.tolist() == [level for _, level in MESSAGES]


def test_a_quote_mark_at_a_messages_end_is_no_part_of_what_follows() -> None:
    messages = [f"Order {number} of {('Ana', 'a shop', 7)[number % 3]}" for number in range(60)]
    lines = [
        f"2026-11-20 08:00:{number:02d},123|INFO|" + (f'Order {number} of "{name}"|' if number % 3 < 2 else f"{text}|")
        for number, text in enumerate(messages)
        for name in [("Ana", "a shop", "")[number % 3]]
    ]
    known = KnownMessages.build((text, "info") for text in messages)
    parsed = detect_layout(pa.array(lines, pa.large_string()), known).parse(pa.array(lines, pa.large_string()))
    assert [text.replace('"', "") for text in parsed.message.to_pylist()] == messages


def test_messages_that_were_cut_teach_no_tail() -> None:
    lines = [
        f"2026-11-20 08:00:{number:02d},123 INFO  {text} and then some {number * 7} more words follow here"
        for number, (text, _) in enumerate(MESSAGES)
    ]
    cut = KnownMessages.build((line[30 : 52 + number % 9].strip(), "info") for number, line in enumerate(lines))
    parsed = detect_layout(pa.array(lines, pa.large_string()), cut).parse(pa.array(lines, pa.large_string()))
    assert [message.endswith("follow here") for message in parsed.message.to_pylist()] == [True] * len(lines)


@pytest.mark.parametrize(
    "line",
    [
        "[2026-11-20 08:00:{0:02d},481: WARNING/ForkPoolWorker-0] shop.orders[0a]: {1}",
        "<Nov 20, 2026 8:00:{0:02d} AM UTC> <Warning> <Orders> <BEA-000{0:03d}> <{1}>",
        "2026-11-20 08:00:{0:02d}.996:WARN:shop.orders:http-nio-8080-exec-7: {1}",
        "[2026-11-20 08:00:{0:02d}] production.WARNING: {1}",
        "08:00:{0:02d}.123 request_id=00a1 [warning] {1}",
        "[08:00:{0:02d}] [worker-1/WARN]: {1}",
        "2026-11-20 08:00:{0:02d}.681+0000 [id=46]\tWARNING\th.m.Push#run: {1}",
        "2026-11-20T08:00:{0:02d}Z W! [push] {1}",
        "W261120 08:00:{0:02d}.849320 40 server/mail.go:40  [n1] 40  {1}",
        "2026-11-20T08:00:{0:02d}.772166Z\t43\tshop.Stock\tWRN\t{1}\tOK",
        "┌ Warning: {1}",
        '<log4j:event logger="Orders" timestamp="{0}" level="WARN" thread="main">{1}',
    ],
)
def test_a_level_is_told_also_where_the_prefix_is_learnt_or_no_document_says_it(line: str) -> None:
    lines = pa.array([line.format(number, text) for number, (text, _) in enumerate(MESSAGES)], pa.large_string())
    known = KnownMessages.build((text, "warn") for text, _ in MESSAGES)
    for messages in (known, KnownMessages()):
        assert set(detect_layout(lines, messages).parse(lines).level.tolist()) == {"warn"}


def test_entries_that_all_begin_with_blanks_are_entries() -> None:
    lines = pa.array(
        [
            line
            for number, (text, level) in enumerate(MESSAGES)
            for line in (
                f"  2026-11-20T08:00:{number:02d}.1Z  {level.upper()} shop: {text}",
                "    at src/main.rs:3",
                "",
            )
        ],
        pa.large_string(),
    )
    layout = detect_layout(lines, KNOWN)
    assert layout.heads(lines).tolist() == [True, False, False] * len(MESSAGES)
    assert layout.parse(lines.slice(0, 1)).level.tolist() == ["info"]


def test_numbers_that_are_aligned_to_the_right_begin_entries() -> None:
    lines = pa.array([f"{number / 7:12.6f} {level[0].upper()} {text}" for number, (text, level) in enumerate(MESSAGES)])
    layout = detect_layout(lines.cast(pa.large_string()), KNOWN)
    assert layout.heads(lines).all()
    assert layout.parse(lines).message.to_pylist() == [text for text, _ in MESSAGES]


def test_levels_that_are_aligned_to_the_right_begin_entries() -> None:
    lines = pa.array([f"{level.upper():>5} | {text}" for text, level in MESSAGES], pa.large_string())
    layout = detect_layout(lines, KNOWN)
    assert layout.heads(lines).all()
    assert layout.parse(lines).level.tolist() == [level for _, level in MESSAGES]


def test_dashes_between_words_tell_a_prefix_from_prose() -> None:
    lines = pa.array(
        [
            f"{('Stock', 'Orders', 'Mail')[number % 3]} - 08:00:{number:02d}.845 - {level.upper()} - {text}"
            for number, (text, level) in enumerate(MESSAGES)
        ],
        pa.large_string(),
    )
    parsed = detect_layout(lines, KNOWN).parse(lines)
    assert parsed.message.to_pylist() == [text for text, _ in MESSAGES]
    assert parsed.level.tolist() == [level for _, level in MESSAGES]


def test_an_exception_may_begin_behind_what_a_layout_appends() -> None:
    lines = [
        f"10:00:00.123 [main] INFO  shop.Orders - {text}|url: /{number}|action: Get"
        for number, (text, _) in enumerate(MESSAGES)
    ]
    layout = detect_layout(pa.array(lines, pa.large_string()), KNOWN)
    unseen = pa.array([lines[0] + " System.TimeoutException: no answer"], pa.large_string())
    assert layout.parse(unseen).message.to_pylist() == [MESSAGES[0][0]]
