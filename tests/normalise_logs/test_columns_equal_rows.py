"""What is read as columns equals what the rules say of each row by itself, on hostile input too."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.normalise.logs import lines as kubelet
from incident_kit.normalise.logs import said, two_lines
from incident_kit.normalise.logs.console_times import console_times
from incident_kit.normalise.logs.formats import layout, pairs
from incident_kit.normalise.logs.grammar import EXCEPTION_EXPRESSION, INSIDE_EXPRESSION, RUNTIME_EXPRESSION
from incident_kit.normalise.logs.lines import read_lines
from incident_kit.normalise.logs.text_bytes import BRACE, NO_DIGIT, fitted
from incident_kit.normalise.logs.times import console_time

KUBELET = 1_763_625_600_123_456_789

_two = st.integers(0, 99).map("{:02d}".format)
_clock = st.builds("{}:{}:{}{}".format, _two, _two, _two, st.from_regex(r"([.,:]\d{1,9})?", fullmatch=True))
_date = st.one_of(
    st.sampled_from(["2025-11-20", "2025/11/19", "[2025.11.21", "2025-02-30", "20-Nov-2025", "Nov 20"]),
    st.builds("2025-{}-{}".format, _two, _two),
)
_zone = st.sampled_from(["", "Z", " Z", " UTC", "GMT", "+01:00", "-0330", " +0200", " CET", "+1"])
_stamp = st.one_of(
    st.none(),
    _clock,
    st.builds("{}{}{}{}".format, _date, st.sampled_from(["T", " ", "  "]), _clock, _zone),
    st.builds("{}{}{} {}".format, st.sampled_from(["", "", "I"]), _two, _two, _clock),
    st.builds("{}T{}.5Z".format, _date, st.sampled_from(["08:00:00", "23:59:59", "24:00:00"])),
    st.text(max_size=12),
)


@given(st.lists(st.tuples(_stamp, st.integers(-(10**15), 10**15))), st.sampled_from([None, 3600, -12_600]))
def test_times_of_many_entries_are_the_times_of_each(stamps: list[tuple[str | None, int]], offset: int | None) -> None:
    texts = [text for text, _ in stamps]
    kubelet_times = np.array([KUBELET + shift for _, shift in stamps], dtype=np.int64)

    found = console_times(pa.array(texts, pa.string()), kubelet_times, offset).to_pylist()

    assert found == [
        None if text is None else console_time(text, int(now), offset)
        for text, now in zip(texts, kubelet_times, strict=True)
    ]


_line = st.builds(
    "{}{}{}".format,
    st.sampled_from(
        [
            "2026-11-20T08:00:00.123456789Z",
            "2026-11-20T08:00:00.5Z",
            "2026-11-20T08:00:00,5+0100",
            "2026-13-20T08:00:00.123456789Z",
            "",
        ]
    ),
    st.sampled_from(["", " ", " stdout F ", " stderr P ", " stdout F:x "]),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=20),
)
#: Files of one kind: stamps of one width, and texts with little behind them that is odd.
_plain_lines = st.sampled_from(["2026-11-20T08:00:00.123456789Z", "2026-11-20T08:00:00.123456789+02:00"]).flatmap(
    lambda stamp: st.lists(
        st.builds(
            "{}{}{}".format,
            st.just(stamp) | st.just(stamp.replace("11-20", "02-30")),
            st.sampled_from([" stdout F ", " stderr F "]) | st.sampled_from([" ", "", " stdout F", " stdout P "]),
            st.sampled_from(["", "said", " \u20ac", "\x1b[1mx"]),
        ),
        max_size=4,
    )
)


@given(st.lists(_line, max_size=8) | _plain_lines, st.sampled_from(["\n", "\r\n"]))
def test_lines_are_split_by_the_expressions_whichever_way_is_taken(written: list[str], end: str) -> None:
    data = "".join(line + end for line in written).encode()
    split = kubelet._split(data)

    found = read_lines(data)

    tagged = pc.extract_regex(split, kubelet._CRI)
    if len(split) and tagged.null_count < len(split) / 2:
        expected = kubelet._cri(split, tagged)
    else:
        parts = pc.extract_regex(split, kubelet._KUBECTL)
        good = parts.is_valid()
        time, valid = (
            kubelet.stamps(parts.filter(good).field("time")) if len(split) else (np.zeros(0), np.zeros(0, bool))
        )
        text = parts.filter(good).field("text") if len(split) else pa.array([], pa.large_string())
        unstamped = [str(line) for line in split.filter(pc.invert(good)).to_pylist()] if len(split) else []
        expected = kubelet._finish(time, np.zeros(len(time), np.int8), text, valid, unstamped)
    assert found.time.tolist() == expected.time.tolist()
    assert found.stream.tolist() == expected.stream.tolist()
    assert found.text.to_pylist() == expected.text.to_pylist()
    assert found.unstamped == expected.unstamped


_message = st.lists(
    st.sampled_from(
        [
            "Pod ready",
            "node=n1",
            ' msg="a b"',
            "[]",
            " []",
            "{",
            '{"a": 1}',
            "=",
            " ",
            "[db1]",
            "\n",
            '"',
            "{id}",
            "x",
            "\t",
        ]
    ),
    max_size=7,
).map("".join)


def _without_tail(message: str) -> str:
    """What the expressions say of one message: the shortest head whose rest is a tail, or the value of a logfmt's name."""
    found = pc.extract_regex(pa.array([message]), pairs._LOGFMT)[0].as_py()
    if found is not None:
        return found["quoted"] or found["bare"]
    head = pc.extract_regex(pa.array([message]), f"^(?P<head>(?s:.*?)){pairs._TAIL}").field("head")[0].as_py()
    return head if head.strip() else message


@given(st.lists(_message, max_size=6))
def test_where_a_message_ends_does_not_depend_on_its_neighbours(messages: list[str]) -> None:
    texts = pa.array(messages, pa.large_string())

    found = pairs.cut_heads(texts)

    quoted = pc.extract_regex(texts, pairs._QUOTED).to_pylist()
    expected = [one["head"] if one else _without_tail(message) for one, message in zip(quoted, messages, strict=True)]
    assert [head.strip() for head in found.to_pylist()] == [head.strip() for head in expected]
    alone = [pairs.cut_heads(texts.slice(row, 1)) for row in range(len(texts))]
    assert found.to_pylist() == pa.chunked_array(alone, pa.large_string()).to_pylist()


_BEGINNING = st.sampled_from(
    [
        "",
        "0",
        "7",
        "٣",
        " ",
        "\t",
        "\x0b",
        "{",
        "é",
        "Error: x",
        "panic: ",
        "INFO: x",
        "--- End of",
        "...",
        "$a.BException",
    ]
)


@given(
    st.lists(st.builds("{}{}".format, _BEGINNING, st.text(max_size=4) | st.just('{"a": 1}')), max_size=8),
    st.integers(0, 3),
)
def test_expressions_fit_nothing_that_they_are_not_asked(written: list[str], cut: int) -> None:
    texts = pa.array(written, pa.large_string()).slice(min(cut, len(written)))
    asked = [(f"{EXCEPTION_EXPRESSION}|{RUNTIME_EXPRESSION}|{INSIDE_EXPRESSION}", NO_DIGIT), (RUNTIME_EXPRESSION, NO_DIGIT),
             (two_lines._JUL[1], NO_DIGIT), (layout._JSON, BRACE), (said._JSON_START, BRACE)]  # fmt: skip
    for expression, first in asked:
        found = fitted(texts, expression, first)
        assert found.tolist() == pc.match_substring_regex(texts, expression).to_pylist()


@given(_message | st.text(st.sampled_from(' =ab,;|[{("\n\t')))
def test_pairs_are_found_as_in_the_whole_line(text: str) -> None:
    first = text.partition("\n")[0]
    if '{"' not in first:
        found = {name: pairs.scalar(value) for name, value in pairs._PAIR.findall(first)}
        assert {name: value for name, value in pairs.pairs_of(first).items() if name != "msg"} == {
            name: value for name, value in found.items() if name != "msg"
        }
