"""The lab's truth and its scoring, on journals small enough to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.lab import scoring
from tests.lab.truth import SECOND, Line, Process, align, judge, nanoseconds, write_table

STARTED = {
    "event": "started",
    "at": 0,
    "namespace": "shop",
    "pod": "api-1",
    "uid": "u",
    "container": "app",
    "image": "api:1",
}


def process(*events: dict[str, Any], ended: bool = False) -> Process:
    made = Process(started=STARTED, events=[STARTED, {"event": "sink_attached", "at": 1}, *events], ended=ended)
    made.index()
    return made


def entry(sequence: int, text: str, at: int = 10) -> dict[str, Any]:
    return {"event": "entry", "at": at, "sequence": sequence, "text": text, "console": True, "stream": "stdout", "level": "INFO", "logger": "l"}  # fmt: skip


def test_lines_of_one_entry_are_one_entry_and_a_foreign_line_is_none() -> None:
    logged = process(entry(1, "first\n  at Here"), entry(2, "second"))
    lines = [
        Line(1, "stdout", "banner"),
        Line(2, "stdout", "first"),
        Line(3, "stdout", "  at Here"),
        Line(4, "stdout", "second"),
    ]
    rows = align(logged, lines)
    assert [(row["sequence"], row["first"]) for row in rows] == [(None, True), (1, True), (1, False), (2, True)]


def test_a_traceback_on_the_other_stream_does_not_disturb_the_alignment() -> None:
    logged = process(entry(1, "first"), entry(2, "second"))
    lines = [
        Line(1, "stdout", "first"),
        Line(2, "stderr", "Traceback"),
        Line(3, "stderr", "  File"),
        Line(4, "stdout", "second"),
    ]
    rows = sorted(align(logged, lines), key=lambda row: row["at"])
    assert [row["sequence"] for row in rows] == [1, None, None, 2]
    assert [row["first"] for row in rows] == [True, True, False, True]


def test_a_document_that_exists_is_there_whatever_the_sink_believed() -> None:
    gave_up = process(entry(1, "x"), {"event": "sent", "at": 11, "attempt": 1, "ids": {"1": "a"}},
                      {"event": "gave_up", "at": 12, "sequences": [1]})  # fmt: skip
    assert judge(gave_up, 1, {"a"}, [])["verdict"] == "matched"
    assert judge(gave_up, 1, set(), [])["cause"] == "shipping_outage"


def test_a_queue_that_is_full_because_elasticsearch_is_away_is_the_outages() -> None:
    dropped = process(
        entry(1, "x", at=50 * SECOND), {"event": "dropped", "at": 50 * SECOND, "sequence": 1, "why": "queue_full"}
    )
    assert judge(dropped, 1, set(), [(40 * SECOND, 60 * SECOND)])["cause"] == "shipping_outage"
    assert judge(dropped, 1, set(), [])["cause"] == "burst"


def test_an_entry_in_flight_of_a_living_process_is_not_judged() -> None:
    assert judge(process(entry(1, "x")), 1, set(), [])["verdict"] == "in_flight"
    assert judge(process(entry(1, "x"), ended=True), 1, set(), [])["cause"] == "died_before_flush"


def test_scoring_counts_right_wrong_and_swallowed_entries(tmp_path: Path) -> None:
    stamps = [f"2026-11-23T22:00:0{number}.000000001Z" for number in range(3)]
    line = {"pod": "api-1", "container": "app", "first": True, "sequence": 1, "causes": []}
    truth = [{**line, "at": nanoseconds(stamps[0]), "verdict": "matched", "cause": None, "text": "a"},
             {**line, "at": nanoseconds(stamps[1]), "verdict": "console_only", "cause": "burst", "causes": ["burst"], "text": "b"},
             {**line, "at": nanoseconds(stamps[2]), "verdict": "console_only", "cause": "burst", "causes": ["burst"], "text": "c"}]  # fmt: skip
    write_table(tmp_path / "lines.jsonl.gz", truth)
    console = tmp_path / "raw" / "console" / "shop" / "api-1"
    console.mkdir(parents=True)
    (console / "app.log").write_text("".join(f"{stamp} {text}\n" for stamp, text in zip(stamps, "abc", strict=True)))
    said = [{"side": "console", "pod": "api-1", "container": "app", "time": stamps[0], "verdict": "console_only", "cause": "burst"},
            {"side": "console", "pod": "api-1", "container": "app", "time": stamps[1], "verdict": "console_only", "cause": "burst"}]  # fmt: skip
    window = (nanoseconds(stamps[0]), nanoseconds(stamps[2]) + 1)
    score = scoring.score_console(said, tmp_path, tmp_path / "raw", window)
    assert (score.precision, score.recall, score.swallowed) == (0.5, 1.0, 1)
    assert json.dumps(score.wrong) != "[]"


def test_an_address_and_port_that_came_twice_are_each_holders_at_their_time(tmp_path: Path) -> None:
    """The network hands a finished pod's address on, and a client may get the same port there."""
    end = {"peer_host": "10.88.0.9", "peer_port": 40000, "rabbit_node": "rabbit1@localhost", "namespace": "shop"}
    held = [{**end, "pod": "first-1", "opened_at": 5 * SECOND}, {**end, "pod": "second-1", "opened_at": 50 * SECOND}]
    write_table(tmp_path / "connections.jsonl.gz", held)
    said = {"match": "pod_ip", "connection": "10.88.0.9:40000", "namespace": "shop"}
    answers = {
        "shop/first-1": [{**end, **said, "pod": "first-1", "connected_at": "1970-01-01T00:00:04.9Z"}],
        "shop/second-1": [{**end, **said, "pod": "first-1", "connected_at": "1970-01-01T00:00:49.9Z"}],
    }
    score = scoring.score_rabbit(tmp_path, answers.get, (0, 60 * SECOND))
    assert score.right == 1
    assert score.wrong == ["10.88.0.9:40000 on rabbit1@localhost given to first-1, is second-1"]
