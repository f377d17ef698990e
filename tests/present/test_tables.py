"""Tables for the terminal: log text cannot steer it, nothing is dropped silently, every line fits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_kit.present.html import show, table_html
from incident_kit.present.tables import ROWS_SHOWN, render_table
from incident_kit.present.text import shorten, shorten_middle, visible
from incident_kit.present.widths import fit
from incident_kit.tables.answers import CHANGES, CONSOLE_ONLY, COVERAGE, FINDINGS, RABBIT
from incident_kit.window import parse_rfc3339

AT = parse_rfc3339("2026-11-20T08:00:00.5Z")
ENTRY = {"time": AT, "side": "console", "namespace": "shop", "pod": "orders-api-1", "container": "app",
         "verdict": "console_only", "cause": "burst", "confidence": 0.9}  # fmt: skip


def _acts(text: str) -> list[str]:
    """Characters that would do something to a terminal instead of standing in it."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@given(st.text(st.characters(codec="utf-8")))
@settings(deadline=None)
def test_log_text_cannot_steer_the_terminal(text):
    assert _acts(render_table(CONSOLE_ONLY.frame([{**ENTRY, "text": text, "pod": text}]), COVERAGE.frame())) == []


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [("\x1b[31mred", "\\e[31mred"), ("a\r\nb", "a\\r⏎b"), ("\u202egnp.exe", "\\u202egnp.exe"), ("\x9b2J", "\\x9b2J")],
)
def test_what_would_act_is_written_out(hostile, shown):
    assert visible(hostile) == shown


def test_markup_of_the_table_library_in_a_log_is_text():
    assert "[bold]x[/bold]" in render_table(CONSOLE_ONLY.frame([{**ENTRY, "text": "[bold]x[/bold]"}]), COVERAGE.frame())


@given(st.text(), st.integers(1, 40))
def test_shortened_text_is_never_longer_than_asked(text, width):
    assert len(shorten(text, width)) <= width
    assert len(shorten_middle(text, width)) <= width


def test_a_shortened_name_keeps_both_ends():
    assert shorten_middle("orders-api-7c9f8d6b5-x2k4q", 15) == "orders-…5-x2k4q"


def test_rows_left_out_are_counted():
    frame = CONSOLE_ONLY.frame([{**ENTRY, "text": f"entry {n}"} for n in range(ROWS_SHOWN + 5)])
    assert "5 more rows" in render_table(frame, COVERAGE.frame())


def test_columns_left_out_are_named(monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    row = {"time": AT, "kind": "Deployment", "namespace": "shop", "name": "orders", "what": "image", "old": "a" * 30,
           "new": "b" * 30, "by": "alice", "automated": True}  # fmt: skip
    shown = render_table(
        CHANGES.frame(
            [row, {**row, "name": "billing", "by": "bob", "old": "c" * 30, "new": "d" * 30, "automated": False}]
        ),
        COVERAGE.frame(),
    )
    assert "not shown: column" in shown
    assert max(map(len, shown.splitlines())) <= 70


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 200), min_size=1), st.integers(40, 200))
def test_columns_fit_the_line_when_none_must_stay(natural, available):
    widths = fit(natural, available, prose=frozenset("ab"), names=frozenset("cd"), kept=frozenset())
    assert sum(widths.values()) + 2 * (len(widths) - 1) <= available or len(widths) <= 1
    assert all(widths[name] <= natural[name] for name in widths)


def test_what_every_row_says_stands_once_above_the_table():
    frame = RABBIT.frame(
        [{"namespace": "shop", "pod": f"p{n}", "rabbit_node": "rabbit@a", "match": "pod_ip"} for n in range(2)]
    )
    assert render_table(frame, COVERAGE.frame()).count("pod_ip") == 1


def test_an_empty_answer_says_so():
    assert "No rows" in render_table(FINDINGS.frame(), COVERAGE.frame())


def test_coverage_stands_below_verdicts():
    coverage = COVERAGE.frame(
        [
            {
                "source": "console",
                "namespace": "shop",
                "pod": "orders-api-1",
                "from": AT,
                "complete": False,
                "reason": "rotated",
            }
        ]
    )
    assert "rotated" in render_table(CONSOLE_ONLY.frame([ENTRY]), coverage)
    assert "nothing is known of what was read" in render_table(CONSOLE_ONLY.frame([ENTRY]), COVERAGE.frame())


@given(st.text())
def test_html_holds_no_markup_but_its_own(text):
    rows = [{**ENTRY, "text": f"<b>{text}</b>", "pod": f"<i>{number}"} for number in range(2)]
    table = table_html(CONSOLE_ONLY.frame(rows)).partition("<table>")[2]
    assert "<b>" not in table and "<i>" not in table


def test_facts_and_rows_are_shown_as_tables():
    html = show({"pod": "<p>", "facts": [{"fact": "node", "value": "a"}], "first_seen": AT})._repr_html_()
    assert "&lt;p&gt;" in html and "2026-11-20T08:00:00.5" in html and "<th>value</th>" in html
