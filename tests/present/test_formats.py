"""Answers as JSON and CSV keep every value: nanoseconds, nulls, lists, hostile text."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.present import formats
from incident_kit.present.formats import render, render_trace
from incident_kit.present.plain import plain
from incident_kit.tables.answers import CHANGES, CONSOLE_ONLY, COVERAGE, FINDINGS, GAPS, RABBIT
from incident_kit.window import MAX_NS, MIN_NS, format_ns

AT = 1_763_625_600_123_456_789


def _json(frame, coverage=None, gaps=None):
    empty = (COVERAGE.frame() if coverage is None else coverage, GAPS.frame() if gaps is None else gaps)
    return json.loads("".join(render(frame, *empty, "json")))


def _csv(frame):
    return list(csv.DictReader(io.StringIO("".join(render(frame, COVERAGE.frame(), GAPS.frame(), "csv")))))


def test_json_keeps_nanoseconds_of_a_time():
    answer = _json(FINDINGS.frame([{"rule": "oom-killed", "time": AT}]))
    assert answer["rows"][0]["time"] == "2025-11-20T08:00:00.123456789Z"


def test_json_has_rows_coverage_and_gaps_with_every_declared_column_even_when_there_is_nothing():
    answer = _json(
        CHANGES.frame(),
        COVERAGE.frame([{"source": "console", "complete": False}]),
        GAPS.frame([{"source": "rabbitmq"}]),
    )
    assert answer["rows"] == []
    assert list(answer["coverage"][0]) == COVERAGE.columns
    assert answer["coverage"][0]["complete"] is False
    assert list(answer["gaps"][0]) == GAPS.columns


def test_a_missing_value_is_null_in_json_and_an_empty_field_in_csv():
    frame = RABBIT.frame([{"namespace": "shop", "match": "none"}])
    row = _json(frame)["rows"][0]
    assert (row["peer_port"], row["connected_at"], row["rabbit_node"], row["candidates"]) == (
        None,
        None,
        None,
        None,
    )
    assert _csv(frame)[0]["peer_port"] == ""


def test_a_list_is_an_array_in_json_and_joined_by_semicolons_in_csv():
    frame = RABBIT.frame([{"match": "ambiguous", "candidates": ["shop/a", "shop/b"]}])
    assert _json(frame)["rows"][0]["candidates"] == ["shop/a", "shop/b"]
    assert _csv(frame)[0]["candidates"] == "shop/a; shop/b"


def test_whole_numbers_beside_missing_ones_stay_whole_and_flags_stay_flags():
    frame = CHANGES.frame([{"time": AT, "automated": True, "observed": None}, {"time": AT + 1, "automated": None}])
    rows = _json(frame)["rows"]
    assert [row["automated"] for row in rows] == [True, None]
    ports = RABBIT.frame([{"connected_at": AT, "peer_port": 5672}, {"connected_at": AT + 1}])
    assert [row["peer_port"] for row in _csv(ports)] == ["5672", ""]


@given(st.lists(st.tuples(st.text(), st.integers(MIN_NS, MAX_NS)), max_size=8))
def test_text_and_time_survive_json_and_csv_whatever_they_hold(entries):
    frame = CONSOLE_ONLY.frame([{"text": text, "time": time} for text, time in entries])
    expected = sorted((format_ns(time), text) for text, time in entries)
    assert sorted((row["time"], row["text"]) for row in _json(frame)["rows"]) == expected
    fields = _csv(frame.assign(text=[repr(text) for text in frame["text"]]))
    assert sorted((row["time"], row["text"]) for row in fields) == sorted((time, repr(text)) for time, text in expected)


def test_a_trace_with_frames_instants_and_lists_becomes_plain_json():
    story = {
        "identity": {"pod": "a", "first_seen": AT, "pod_ips": ["10.1.1.1"]},
        "changes": CHANGES.frame([{"time": AT}]),
    }
    answer = json.loads(render_trace(story, "json"))
    assert answer["identity"]["first_seen"] == "2025-11-20T08:00:00.123456789Z"
    assert answer["changes"][0]["time"] == "2025-11-20T08:00:00.123456789Z"
    rows = list(csv.DictReader(io.StringIO(render_trace(story, "csv"))))
    assert {"section": "identity", "row": "0", "column": "pod_ips", "value": "10.1.1.1"} in rows


def test_a_count_is_not_taken_for_an_instant():
    assert plain({"entries": 12, "restart_count": 3, "confidence": float("nan")}) == {
        "entries": 12,
        "restart_count": 3,
        "confidence": None,
    }


def test_a_carriage_return_within_a_text_is_no_end_of_a_row():
    frame = CONSOLE_ONLY.frame([{"text": "half\rover", "time": AT}])
    assert [row["text"] for row in _csv(frame)] == ["half\rover"]


def test_a_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe_and_no_other_does():
    texts = ["=cmd|'/c calc'!A0", "@SUM(1)", "+1+cmd|'x'!A1", "\tx", "--- Logging error ---", "- item", "-12", "a=b"]
    told = [_csv(CONSOLE_ONLY.frame([{"text": text}]))[0]["text"] for text in texts]
    assert told == [*(f"'{text}" for text in texts[:4]), *texts[4:]]
    story = {"identity": {"pod": "=1+1"}}
    assert list(csv.reader(io.StringIO(render_trace(story, "csv"))))[1] == ["identity", "0", "pod", "'=1+1"]


HOSTILE = "\x1b[2J \x9b31m \x7f \x00 \u202egnp.exe \u2028 größe 漢 \t tab"


def test_json_and_csv_may_end_at_a_terminal():
    """Neither steers it; JSON is the same to whoever decodes it, and CSV has no NUL, at which its readers end."""
    frame = CONSOLE_ONLY.frame([{"text": HOSTILE, "time": AT}])
    story = {"identity": {"pod": HOSTILE}}
    written = {kind: "".join(render(frame, COVERAGE.frame(), GAPS.frame(), kind)) for kind in ("json", "csv")}
    for text in (*written.values(), render_trace(story, "json"), render_trace(story, "csv")):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text.replace("\x7f", "") if text[0] == "{" else text)
        assert "größe 漢" in text
    assert json.loads(written["json"])["rows"][0]["text"] == HOSTILE
    assert json.loads(render_trace(story, "json"))["identity"]["pod"] == HOSTILE
    assert "\u202e" not in written["json"]
    assert "\\e[2J \\x9b31m \\x7f \\0 " in _csv(frame)[0]["text"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_an_answer_in_several_pieces_is_the_answer_in_one(monkeypatch, count):
    frame = RABBIT.frame([{"match": "none", "pod": f"api-{number}"} for number in range(count)])
    whole = _json(frame), _csv(frame)
    monkeypatch.setattr(formats, "_ROWS_OF_A_PIECE", 2)
    assert (_json(frame), _csv(frame)) == whole
    assert [row["pod"] for row in whole[0]["rows"]] == [row["pod"] for row in whole[1]] == frame["pod"].tolist()
