"""Groups are the same whichever way an expression is asked."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_kit.normalise.logs.formats.by_prefix import groups_by_prefix
from incident_kit.normalise.logs.formats.extract import extract
from incident_kit.normalise.logs.formats.patterns import CLOCK, PATTERNS, REST

_pieces = st.sampled_from(
    ["2026-11-20 08:00:00,123", "2026-11-20T08:00:00Z", "2026/11/20 08:00:00.5 +01:00", "08:00:00", "08:00:00.123", "20-Nov-2026 08:00:00", "Nov 20 08:00:00",
     "Nov 20, 2026 8:00:00 AM", "11/20/2026 08:00:00", "11/20/2026, 8:00:00 AM", "20.11.2026 08:00:00", " ", "[", "]", "|", " - ", ": ", "INFO", "warn", "[main]", "a.b.C", "x=1", "text", "\t", "(", ")", "é"]
)  # fmt: skip


@pytest.mark.parametrize("name", [pattern.name for pattern in PATTERNS])
@settings(max_examples=15)
@given(st.lists(st.one_of(st.none(), st.lists(_pieces, max_size=9).map("".join)), max_size=12))
def test_the_usual_times_first_find_the_same_groups(name: str, lines: list[str | None]) -> None:
    expression = next(pattern.expression for pattern in PATTERNS if pattern.name == name)
    texts = pa.array(lines, pa.large_string())

    assert extract(texts, expression).to_pylist() == pc.extract_regex(texts, expression).to_pylist()


#: Lines of one service: the time differs, and few words of the prefix do.
_service = st.tuples(
    st.sampled_from(["", "[", "[["]),
    st.sampled_from(["2026-11-20 08:00:0{0},12{0}", "2026-11-2{0}T08:00:00Z", "08:00:0{0}", "2026-11-20 08:0{0}:00 +01:00", "Nov 2{0}, 2026, 8:00:0{0}\u202fAM"]),
    st.sampled_from([" [main] INFO  a.B - ", " INFO  [w-{1}] a.b{1}: ", "] INFO: ", " INFO] ", " | WARN | a.B | ", " INFO 7 --- [  w-{1}] o.s.B{1} : ", "\tinfo\ta.go:{1}\t", " - a.{1} - INFO - ", " ERROR a.B - "]),
)  # fmt: skip
_rests = st.sampled_from(["", "x", " - y", "a - b - c", "[z] d: e", "12{1}", "é: ü", "INFO two\nlines", "t=1 | u"])


@pytest.mark.parametrize("name", [pattern.name for pattern in PATTERNS])
@settings(max_examples=12)
@given(
    _service,
    st.lists(st.tuples(st.integers(0, 9), _rests), min_size=1, max_size=12),
    st.lists(st.lists(_pieces, max_size=9).map("".join), max_size=3),
)
def test_lines_with_the_same_prefix_have_the_same_groups(
    name: str, service: tuple[str, str, str], written: list[tuple[int, str]], others: list[str]
) -> None:
    expression = next(pattern.expression for pattern in PATTERNS if pattern.name == name)
    lines = ["".join((*service, rest)).format(digit, digit % 3) for digit, rest in written]
    texts = pa.array([*lines, *others, *lines], pa.large_string())
    expected = pc.extract_regex(texts, expression)

    for some in (texts, texts.slice(1)):
        found = groups_by_prefix(some, expression, fewest_alike=1)
        assert found is None or found.to_pylist() == expected.to_pylist()[-len(some) :]
        assert found is None or found.type == expected.type


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("nlog", "{} | INFO | a.B | m {}"),
        ("logback", "{} [main] INFO a.B - m {}"),
        ("logback_level_first", "{} INFO [main] a.B - m {}"),
        ("serilog", "[{} INF] m {}"),
        ("time_level", "[{}] WARN: m {}"),
    ],
)
def test_many_lines_of_a_service_are_taken_by_their_prefixes(name: str, line: str) -> None:
    texts = pa.array([line.format(f"2026-11-20 08:00:{n:02d},123", n) for n in range(60)], pa.large_string())
    expression = next(pattern.expression for pattern in PATTERNS if pattern.name == name)

    found = groups_by_prefix(texts, expression)

    assert found is not None and found.to_pylist() == pc.extract_regex(texts, expression).to_pylist()


def test_a_prefix_that_is_nothing_but_the_time_is_asked_of_each_line() -> None:
    texts = pa.array(["08:00:01said", "08:00:02", "08:00:03more"], pa.large_string())
    assert groups_by_prefix(texts, f"^(?P<time>{CLOCK}){REST}", fewest_alike=1) is None
