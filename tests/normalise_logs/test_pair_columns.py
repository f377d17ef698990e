"""Pairs of many lines are those of each line by itself."""

from __future__ import annotations

import orjson
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from incident_kit.normalise.logs.formats.pair_columns import pair_texts
from incident_kit.normalise.logs.formats.pairs import pairs_of

_VALUES = st.one_of(
    st.sampled_from(
        ["1", "-7", "0", "-0", "007", "1.50", "1e3", "9" * 19, "true", "nil", "null", "worker-1", "10.2.3.4", '"a b"', '""', '"a\\"b"', '"x=y"', "'a b'",
         "[1,2]", "{a}", "a|b", "a(b", "a=b", "é", "x\u00a0y", '"é\u2028"', '"tab\t"', "", "it's", "a,", "t", "5ms", '"unclosed', "-", "1.", "2026-11-20T08:00:00Z"]
    ),
    st.text(st.characters(codec="ascii"), max_size=4),
)  # fmt: skip
_USUAL = st.sampled_from(["1", "-7", "true", "worker-1", "10.2.3.4", '"a b"', '""', "a|b", '"é"', "007", "5ms", "a[1]"])
_NAMES = ["level", "msg", "thread", "attempt", "http.status", "a/b", "ts", "x"]
_between = st.sampled_from([" ", "  ", ", ", ";", "|", " said ", " (", "\t"])
_before = st.sampled_from(["", "2026-11-20 INFO took it ", '"quoted" ', "[", "a.b"])


@st.composite
def _lines(draw: st.DrawFn) -> list[str]:
    """Lines with the names of one or two kinds, as a service writes them, and some that differ."""
    kinds = draw(st.lists(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4), min_size=1, max_size=2))
    lines = []
    for _ in range(draw(st.integers(1, 10))):
        pieces = [draw(_before)]
        values, between = draw(st.sampled_from([(_USUAL, st.just(" ")), (_VALUES, _between | st.just(" "))]))
        for name in draw(st.sampled_from(kinds)):
            pieces += [name, "=", draw(values), draw(between)]
        lines.append("".join(pieces[: -1 if draw(st.booleans()) else None]))
    return lines


@settings(max_examples=150)
@example(["x=1 attempt=1 ", "x=x\u00a0y  attempt=1 "])
@given(_lines())
def test_pairs_of_many_lines_are_those_of_each(lines: list[str]) -> None:
    texts, told = pair_texts(pa.array(lines, pa.large_string()), fewest=1)

    for line, text, said in zip(lines, texts.to_pylist(), told.tolist(), strict=True):
        if said:
            found = pairs_of(line)
            assert text == (orjson.dumps(found).decode() if found else None), line
        else:
            assert text is None


def test_usual_pairs_are_told_as_columns() -> None:
    lines = [f'I1120 08:00:00.{n:06d} 1 main.go:1] "Pod ready" node="n{n}" attempt={n} ok=true' for n in range(300)] + [
        f'time=2026-11-20T08:00:00Z level=info msg="took {n}" ts=1.{n} path=/orders/{n}' for n in range(300)
    ]

    texts, told = pair_texts(pa.array(lines, pa.large_string()))

    assert told.all()
    assert texts[7].as_py() == '{"node":"n7","attempt":7,"ok":true}'
    assert texts[307].as_py() == '{"path":"/orders/7"}'
