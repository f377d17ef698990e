"""Tables for the terminal: log text cannot steer it, nothing is dropped silently, every line fits."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group

from incident_kit.correlate.reconcile.verdicts import CAUSES
from incident_kit.present.causes import CAUSES as MEANINGS
from incident_kit.present.cells import readable
from incident_kit.present.grid import table_with_notes
from incident_kit.present.html import show, table_html
from incident_kit.present.tables import ROWS_SHOWN, render_table, to_text
from incident_kit.present.text import shorten, shorten_middle, visible
from incident_kit.present.views import summary_line
from incident_kit.present.widths import fit
from incident_kit.tables.answers import CHANGES, CONSOLE_ONLY, COVERAGE, FINDINGS, RABBIT, REACH, RESTARTS
from incident_kit.window import parse_rfc3339

AT = parse_rfc3339("2026-11-20T08:00:00.5Z")
ENTRY = {"time": AT, "side": "console", "namespace": "shop", "pod": "orders-api-1", "container": "app",
         "verdict": "console_only", "cause": "burst", "confidence": 0.9}  # fmt: skip


def _acts(text: str) -> list[str]:
    """Characters that would do something to a terminal instead of standing in it."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@given(st.text(st.characters(codec="utf-8")))
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


CHANGE = {"time": AT, "kind": "Deployment", "namespace": "shop", "name": "orders-api", "what": "image",
          "old": "registry.example/orders-api:1.4.2", "new": "registry.example/orders-api:1.5.0", "by": "alice",
          "automated": True}  # fmt: skip
OTHER = {**CHANGE, "namespace": "billing", "name": "ledger", "by": "bob", "automated": False, "new": "scaled to 3"}


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_what_has_no_room_as_a_column_stands_under_its_row(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    shown = render_table(CHANGES.frame([CHANGE, OTHER]), COVERAGE.frame())
    told = shown.replace("\n", "").replace(" ", "")
    assert all(value in told for value in ("1.4.2", "1.5.0", "scaledto3", "alice", "bob", "ledger", "Deployment"))
    assert max(map(len, shown.splitlines())) <= width


def test_columns_left_out_are_named(monkeypatch):
    monkeypatch.setenv("COLUMNS", "42")
    shown = render_table(CHANGES.frame([CHANGE, OTHER]), COVERAGE.frame())
    assert "billing" not in shown
    assert "column namespace, column automated" in shown.replace("\n", " ")


def test_wide_text_yields_before_numbers():
    frame = pd.DataFrame({"template": ["Payment {id} refused"], "example": ["x" * 300], "console_entries": [7],
                          "documents": [12345]})  # fmt: skip
    shown = to_text(Group(*table_with_notes(frame, 10, 80)), 80)
    assert "12345" in shown and "7" in shown


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 200), min_size=1),
    st.integers(40, 200),
    st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=3),
)
def test_columns_fit_the_line_and_the_first_stays(natural, available, spare):
    first = next(iter(natural))
    spare = [name for name in spare if name != first]
    widths = fit(natural, available, prose=frozenset("ab"), names=frozenset("cd"), spare=spare)
    assert sum(widths.values()) + 2 * (len(widths) - 1) <= available
    assert first in widths
    assert all(widths[name] <= natural[name] for name in widths)


def test_a_long_cell_ends_with_how_much_more_there_is():
    shown = render_table(CONSOLE_ONLY.frame([{**ENTRY, "text": "x" * 100_000}]), COVERAGE.frame())
    assert len(shown) < 3000
    assert "more characters" in shown.replace("\n", " ").replace("  ", "")
    assert len(table_html(CONSOLE_ONLY.frame([{**ENTRY, "text": "x" * 100_000}]))) < 5000


def test_a_finding_is_told_whole():
    finding = {"rule": "oom-killed", "severity": "critical", "time": AT, "kind": "Pod", "name": "orders-api-1",
               "title": "It was killed at 2026-11-20T08:00:00Z", "evidence": ["exit code 137"],
               "next_step": "incident-kit logs orders-api-1 B --from 2026-11-20T08:00:00Z", "refuted_by": "another reason",
               "confidence": 0.9}  # fmt: skip
    shown = render_table(FINDINGS.frame([finding]), COVERAGE.frame())
    assert "It was killed at 08:00:00\n" in shown
    assert "--from 2026-11-20T08:00:00Z" in shown
    assert "because: exit code 137" in shown and "refuted by: another reason" in shown


@pytest.mark.parametrize(
    ("sentence", "day", "shown"),
    [
        ("from 2026-11-20T08:00:00Z on", "", "from 2026-11-20 08:00:00 on"),
        ("at 2026-11-20T08:00:00.123456789Z", "2026-11-20", "at 08:00:00.123"),
        ("at 2026-11-21T08:00:00.000000000Z", "2026-11-20", "at 2026-11-21 08:00:00"),
        ("B --at 2026-11-20T08:00:00Z", "2026-11-20", "B --at 2026-11-20T08:00:00Z"),
    ],
)
def test_times_in_sentences_are_written_as_in_tables(sentence, day, shown):
    assert readable(sentence, day) == shown


def test_times_in_log_text_are_left_alone():
    text = "started 2026-11-20T08:00:00Z in 3 s"
    assert text in render_table(CONSOLE_ONLY.frame([{**ENTRY, "text": text}]), COVERAGE.frame())


def test_what_every_row_says_stands_once_above_the_table():
    frame = RABBIT.frame(
        [{"namespace": "shop", "pod": f"p{n}", "rabbit_node": "rabbit@a", "match": "pod_ip"} for n in range(2)]
    )
    assert render_table(frame, COVERAGE.frame()).partition("\n")[2].count("pod_ip") == 1


def test_an_empty_answer_says_so():
    assert "No findings in what was captured" in render_table(FINDINGS.frame(), COVERAGE.frame())
    assert "No findings in what was captured" in table_html(FINDINGS.frame())


def test_rows_of_which_nothing_is_known_are_shown_as_such():
    frame = RABBIT.frame([{"namespace": "shop"}, {"namespace": "shop"}])
    assert render_table(frame, COVERAGE.frame()).count("(none)") == 2
    assert table_html(frame).count("(none)") == 2


def test_what_could_not_be_judged_is_told_with_its_reasons():
    reasons = ["the console of this time is not known"] * 3 + ["not asked for"]
    rows = [{**ENTRY, "verdict": "unknown", "cause": None, "evidence": reason} for reason in reasons]
    rows += [{**ENTRY, "verdict": "rejected", "cause": None, "evidence": "status of type long"}]
    shown = render_table(CONSOLE_ONLY.frame(rows), COVERAGE.frame())
    assert "Why unknown: 3: the console of this time is not known; 1: not asked for." in shown
    assert "Why rejected: 1: status of type long." in shown


def test_causes_are_explained_where_they_are_counted():
    shown = render_table(CONSOLE_ONLY.frame([ENTRY]), COVERAGE.frame())
    assert "burst: logged much faster than usual" in shown


def test_every_cause_has_a_meaning():
    assert set(MEANINGS) == {cause for cause in CAUSES if cause is not None}


def test_the_line_above_a_table_counts_every_row():
    rows = [{"restart_count": n, "exit_code": n, "reason": "Error" if n else None} for n in range(3)]
    assert summary_line(RESTARTS.frame(rows)) == "3 ended container instances: 2 Error, 1 without reason"
    severities = [{"rule": "r", "title": "t", "severity": s} for s in ("info", "info", "critical", "warning")]
    assert summary_line(FINDINGS.frame(severities)) == "4 findings: 1 critical, 1 warning, 2 info"


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


def test_every_column_of_a_page_has_room_for_its_words():
    """A browser that may break words everywhere gives the columns beside unbroken ones the width of a letter."""
    html = table_html(CHANGES.frame([CHANGE, {**OTHER, "old": "2", "undone_by": "x" * 200}]))
    assert re.findall(r"<td(?! class=| colspan=)", html) == []
    assert '<td class="m">registry.example/orders-api:1.4.2</td>' in html
    assert '<td class="k">alice</td>' in html


def test_sentences_without_room_stand_under_their_row_of_a_page():
    rows = [
        {"namespace": "shop", "pod": f"payments-service-7978ddd947-v7dn{n}", "rabbit_node": f"rabbit{n}@broker.example",
         "connected_at": AT, "closed_at": AT + n, "peer_host": f"10.88.0.{n}", "user_provided_name": f"payments-worker-{n}",
         "close_reason": f"client {n} unexpectedly closed its TCP connection", "match": "pod_ip" if n else "ambiguous",
         "candidates": [f"shop/payments-service-7978ddd947-{m}{n}" for m in range(3)],
         "reason": f"10.88.0.{n} was the pod's address when it was opened, as the pod's object says, {n}"}
        for n in range(2)
    ]  # fmt: skip
    html = table_html(RABBIT.frame(rows))
    assert ">reason</th>" not in html and ">close_reason</th>" in html
    assert "<i>reason </i>10.88.0.1 was the pod&#x27;s address" in html


def test_a_page_tells_zone_and_day_once_and_leaves_no_row_without_a_subject():
    html = table_html(RABBIT.frame([{"rabbit_node": "rabbit@a", "connected_at": AT + n * 10**9} for n in range(2)]))
    assert html.count("2026-11-20") == 1 and "times UTC on 2026-11-20" in html
    assert '<td class="k">08:00:00.500</td>' in html
    same = table_html(RABBIT.frame([{"rabbit_node": "rabbit@a", "connected_at": AT}] * 2))
    assert "connected_at <b>2026-11-20 08:00:00.500</b> · times UTC" in same
    unknown = table_html(CONSOLE_ONLY.frame([{**ENTRY, "time": None}, ENTRY]))
    assert "(none)" in unknown


def test_facts_and_rows_are_shown_as_tables():
    html = show({"pod": "<p>", "facts": [{"fact": "node", "value": "a"}], "first_seen": AT})._repr_html_()
    assert "&lt;p&gt;" in html and "2026-11-20 08:00:00.500 UTC" in html and ">value</th>" in html


def test_findings_are_read_the_worst_first():
    rows = [
        {"rule": "r", "severity": s, "title": s, "name": s, "time": AT + n}
        for n, s in enumerate(("info", "warning", "critical"))
    ]
    shown = render_table(FINDINGS.frame(rows), COVERAGE.frame())
    assert shown.index("\ncritical") < shown.index("\nwarning") < shown.index("\ninfo")


def test_what_is_not_known_is_told_and_not_left_blank():
    rows = [
        {"pod": "a", "to": "broker", "allowed": None, "reason": "no address"},
        {"pod": "a", "to": "db", "allowed": True},
    ]
    assert "not known" in render_table(REACH.frame(rows), COVERAGE.frame())
    assert "not known" in table_html(REACH.frame(rows))
