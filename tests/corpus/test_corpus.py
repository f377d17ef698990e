"""A representative part of the corpus, judged exactly; the whole of it: ``python -m tests.corpus.score``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .asking import in_process
from .cases import CASES, build
from .layout import truth, write
from .model import JsonObject, rfc3339
from .score import compare, nanoseconds, run_case

REPRESENTATIVE = (
    "format_serilog",
    "format_clef",
    "format_spring_coloured",
    "format_structlog",
    "format_klog",
    "format_pino_pretty",
    "format_dotnet_simple",
    "recorded_log4j2_zoned",
    "recorded_zap_production",
    "recorded_zerolog_coloured",
    "recorded_winston_simple",
    "outage_queued",
    "burst",
    "refused_proven",
    "below_level",
    "crash_tails",
    "clean_exits",
    "heartbeats",
    "repeated",
    "mixed",
    "pipeline_joined",
    "blocks_exporter",
    "heldout_pipes",
    "heldout_erlang",
    "sampled",
    "refused_object",
    "without_pod_field",
    "shifted_two_hours",
    "truncated",
    "duplicated",
    "sidecars",
    "hits_below_total",
    "rotated_away",
)


def answer_from(rows: list[JsonObject]) -> list[JsonObject]:
    """What a kit would answer that knew the truth."""
    return [
        {
            **row,
            "time": rfc3339(nanoseconds(row["time"]) or 0),
            "stream": None,
            "level": None,
            "image": None,
            "verdict": row["verdicts"][0],
            "cause": row["causes"][-1] or None,
            "confidence": 1.0,
        }
        for row in rows
        if row["judged"]
    ]


@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_every_entry_gets_the_verdict_and_the_cause_that_it_deserves(name: str, tmp_path: Path) -> None:
    score = run_case(name, 1, tmp_path, in_process)
    assert not score.error, score.error
    assert not score.wrong, "\n" + "\n".join(map(str, score.wrong[:20]))


@pytest.mark.parametrize("name", ["sidecars", "elastic_only", "repeated", "margin_around_window", "namesakes"])
def test_the_scorer_finds_nothing_wrong_with_the_truth_itself(name: str) -> None:
    rows = list(truth(build(name)))
    score = compare(name, rows, answer_from(rows))
    assert not score.wrong
    assert score.precision == score.recall == 1.0
    assert score.rows == sum(row["judged"] for row in rows)


def test_the_scorer_names_each_row_that_is_wrong() -> None:
    rows = list(truth(build("heartbeats")))
    answered = answer_from(rows)
    lost = next(row for row in answered if row["verdict"] == "console_only")
    lost |= {"verdict": "matched", "cause": None}
    found = next(row for row in answered if row["verdict"] == "matched" and row["text"] != lost["text"])
    found |= {"verdict": "console_only", "cause": "unexplained"}
    missing = answered.pop(
        next(n for n, row in enumerate(answered) if row["verdict"] == "matched" and row not in (lost, found))
    )
    score = compare("heartbeats", rows, answered)
    assert {(wrong.kind, wrong.text) for wrong in score.wrong} == {
        ("verdict", lost["text"]),
        ("verdict", found["text"]),
        ("no row", missing["text"]),
    }
    assert score.false_positive == score.false_negative == 1


def test_equal_entries_may_exchange_their_verdicts_but_not_change_their_number() -> None:
    rows = list(truth(build("repeated")))
    answered = answer_from(rows)
    equal = [row for row in answered if "retrying in place" in row["text"]][:12]
    verdicts = [(row["verdict"], row["cause"]) for row in equal]
    for row, (verdict, cause) in zip(equal, reversed(verdicts), strict=True):
        row |= {"verdict": verdict, "cause": cause}
    assert not compare("repeated", rows, answered).wrong
    next(row for row in equal if row["verdict"] == "matched")["verdict"] = "console_only"
    assert compare("repeated", rows, answered).wrong


def test_a_case_is_the_same_folder_every_time(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        write(build("mixed", 7), folder)
    first, second = (
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    )
    assert first == second
    assert first != {}


@pytest.mark.parametrize("name", [name for number, name in enumerate(CASES) if number % 8 == 0])
def test_no_two_entries_of_a_container_share_their_time(name: str) -> None:
    rows = [json.loads(json.dumps(row)) for row in truth(build(name)) if row["side"] == "console"]
    keys = [(row["namespace"], row["pod"], row["container"], row["time"]) for row in rows]
    assert len(set(keys)) == len(keys)
