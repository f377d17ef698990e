"""Console files to stamped lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.normalise.logs import lines
from incident_kit.normalise.logs.lines import read_lines
from incident_kit.window import parse_rfc3339


def texts(data: bytes) -> list[str]:
    return read_lines(data).text.to_pylist()


def test_partial_lines_of_one_stream_are_joined_across_the_other_stream() -> None:
    data = (
        b"2026-11-20T08:00:00.000000001Z stdout P long \n2026-11-20T08:00:00.000000002Z stderr F other\n"
        b"2026-11-20T08:00:00.000000003Z stdout P line \n2026-11-20T08:00:00.000000004Z stdout F end\n"
    )
    lines = read_lines(data)
    assert lines.text.to_pylist() == ["long line end", "other"]
    assert lines.stream.tolist() == [1, 2]


def test_a_character_that_the_runtime_cut_in_two_is_whole_again() -> None:
    first, second = "caf\u00e9".encode()[:-1], "caf\u00e9".encode()[-1:]
    data = b"\n".join(
        [
            b"2026-11-20T08:00:00.000000001Z stdout P " + first,
            b"2026-11-20T08:00:00.000000002Z stderr F between",
            b"2026-11-20T08:00:00.000000003Z stdout F " + second + b" noir",
            b"",
        ]
    )
    assert texts(data) == ["caf\u00e9 noir", "between"]


@pytest.mark.parametrize(
    "stamp",
    ["2026-11-20T08:00:00.123456789Z", "2026-11-20T10:00:00.123456789+02:00", "2026-11-20T02:30:00.123456789-05:30"],
)
def test_stamps_keep_nanoseconds_in_any_zone(stamp: str) -> None:
    lines = read_lines(f"{stamp} hello\n".encode())
    assert lines.time.tolist() == [parse_rfc3339(stamp)]
    assert lines.time.tolist() == [parse_rfc3339("2026-11-20T08:00:00.123456789Z")]


def test_carriage_returns_and_colours_are_taken_off() -> None:
    assert texts(b"2026-11-20T08:00:00.000000001Z \x1b[32mINF\x1b[0m hello\r\n") == ["INF hello"]


def test_bytes_that_are_no_utf_8_stay_visible() -> None:
    assert texts("2026-11-20T08:00:00.000000001Z café\n".encode("latin-1")) == ["caf\ufffd"]


def test_lines_without_stamp_are_told_apart() -> None:
    lines = read_lines(b"unable to retrieve container logs for containerd://abc")
    assert len(lines) == 0
    assert lines.unstamped == ["unable to retrieve container logs for containerd://abc"]


def test_an_empty_file_has_no_lines() -> None:
    assert len(read_lines(b"")) == 0
    assert read_lines(b"").time.dtype == np.int64


STAMPS = st.sampled_from(
    ["2026-11-20T08:00:00.123456789Z", "2026-11-20T09:00:00.123456789+01:00", "2026-11-20T08:00:00.12Z", "no stamp", ""]
)
TEXTS = st.sampled_from(
    [
        "",
        " ",
        " said",
        " stdout F said",
        " stderr F ",
        " stdout P cut",
        " stdout said",
        " über",
        "\tand",
        "  \x1b[1mbold",
    ]
)


@pytest.mark.parametrize("alike", [True, False])
@given(st.data())
def test_lines_are_taken_apart_by_place_as_they_are_by_expressions(alike: bool, data: st.DataObject) -> None:
    stamps = st.just(data.draw(STAMPS)) if alike else STAMPS
    written = data.draw(st.lists(st.tuples(stamps, TEXTS).map("".join), min_size=1, max_size=6))
    block = "\n".join(written).encode() + data.draw(st.sampled_from([b"", b"\n", b"\xff\n"]))
    found = lines.read_lines(block)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_fixed", lambda _: None)
        wanted = lines.read_lines(block)
    assert found.text.to_pylist() == wanted.text.to_pylist()
    assert found.time.tolist() == wanted.time.tolist() and found.stream.tolist() == wanted.stream.tolist()
    assert found.unstamped == wanted.unstamped and found.unfinished == wanted.unfinished
