"""What a broken line still says is a part of what it said, never something else."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.normalise.logs.salvage import readable_beginning
from incident_kit.normalise.raw import lenient_json

_values = st.recursive(
    st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=8,
)


def is_part(found: object, whole: object) -> bool:
    if isinstance(found, dict) and isinstance(whole, dict):
        return all(name in whole and is_part(value, whole[name]) for name, value in found.items())
    if isinstance(found, list) and isinstance(whole, list):
        return len(found) <= len(whole) and all(map(is_part, found, whole))
    return found == whole


@given(st.dictionaries(st.text(max_size=4), _values, max_size=4), st.data())
def test_a_line_that_was_cut_says_a_part_of_what_it_said(document: dict[str, object], data: st.DataObject) -> None:
    line = json.dumps(document, ensure_ascii=False).encode()
    cut = data.draw(st.integers(0, len(line)))

    assert is_part(readable_beginning(line[:cut]), lenient_json(line))


def test_a_value_that_was_cut_short_is_not_taken_for_a_whole_one() -> None:
    assert readable_beginning(b'{"a": 12, "b": 345') == {"a": 12}
    assert readable_beginning(b'{"a": 12, "b": "te') == {"a": 12}
    assert readable_beginning(b'{"a": {"c": 1}, "b": [1, 23') == {"a": {"c": 1}, "b": [1]}
    assert readable_beginning(b"broken") == {}


@pytest.mark.parametrize(
    ("line", "document"),
    [
        (b'{"a": "half \\ud800 pair"}', {"a": "half \ufffd pair"}),
        (b'{"a": NaN, "b": 1e999}', {"a": None, "b": None}),
        (b'{"a": "raw\ttab"}', {"a": "raw\ttab"}),
        (b'{"a": "caf\xe9"}', {"a": "caf\ufffd"}),
    ],
)
def test_json_that_only_strict_readers_refuse_is_read(line: bytes, document: dict[str, object]) -> None:
    assert lenient_json(line) == document
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(line)
