"""JSON console entries read as columns say what each says by itself."""

from __future__ import annotations

import json

import orjson
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from incident_kit.normalise.logs import json_columns
from incident_kit.normalise.logs.documents.rows import json_object
from incident_kit.normalise.logs.documents.shape import HitShape
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.json_columns import json_said
from incident_kit.normalise.logs.json_lines import json_entry

_TEXTS = st.sampled_from(
    ["", "INFO", "warn", "30", "2026-11-20T08:00:00.5Z", "Order {OrderId} taken", "two\nlines", "at x\nat y", "é\x1b", "q\"\\", "{", "x" * 450]
)  # fmt: skip
_VALUES = st.one_of(
    _TEXTS, _TEXTS, st.integers(-(2**70), 2**70), st.sampled_from([1.0, 12.5, 1763625600123, True, None, [], ["a"], [None], {"message": "in"}, {"a": 1}])
)  # fmt: skip
_NAMES = st.sampled_from(
    ["@timestamp", "ts", "level", "log.level", "severity", "logger", "log", "message", "msg", "@m", "@mt", "messageTemplate", "exception", "@x",
     "error.stack_trace", "OrderId", "Properties", "State", "a", "a.b"]
)  # fmt: skip
_USUAL = st.fixed_dictionaries(
    {"@timestamp": st.just("2026-11-20T08:00:00Z"), "message": _TEXTS},
    optional={
        "level": _TEXTS,
        "exception": _TEXTS,
        "logger": _TEXTS,
        "messageTemplate": _TEXTS,
        "OrderId": st.integers(0, 9),
    },
)
_ENTRIES = st.one_of(_USUAL, _USUAL, st.dictionaries(_NAMES, _VALUES, max_size=6))
_LINES = st.one_of(
    _ENTRIES.map(lambda entry: json.dumps(entry, ensure_ascii=False)),
    _ENTRIES.map(lambda entry: json.dumps(entry, indent=1)),
    st.sampled_from(["{", "{}", "{} {}", ' {"message":"m"} ', '{"message":NaN}', '{"a":"x","a":"y"}', '{"message":"\\ud800"}', '{"level":1e400}', "{x}", '{"message": "m"} tail']),
)  # fmt: skip


@example(['{"message":"m","@m":null}'], {})
@given(st.lists(_LINES, min_size=1, max_size=25), st.sampled_from([{}, {"Q": "warn", 30: "info"}]))
def test_columns_say_what_each_entry_says(lines: list[str], words: dict[object, str]) -> None:
    roles = FieldRoles(level_words=words)

    table, rows = json_said(pa.array(lines, pa.large_string()), roles, HitShape(), fewest=1)

    expected = {row: entry for row, line in enumerate(lines) if (entry := json_entry(line, roles)) is not None}
    assert rows.tolist() == list(expected)
    for found, entry in zip(table.to_pylist(), expected.values(), strict=True):
        exception = entry["exception"]
        whole = [entry["message"], *([exception] if exception and exception not in entry["message"] else [])]
        assert found["message"] == "\n".join(whole)
        assert found["head"] == entry["message"].partition("\n")[0]
        assert found["properties"] == json_object(entry["properties"])
        assert {name: found[name] for name in ("level", "logger", "time", "template")} == {
            name: entry[name] for name in ("level", "logger", "time", "template")
        }


def test_usual_entries_are_read_as_columns_and_odd_ones_are_left() -> None:
    lines = [orjson.dumps({"message": f"m {n}", "level": "INFO", "n": n}).decode() for n in range(50)]
    texts = pa.array([*lines, '{"message": ["a", "list"]}', *lines], pa.large_string())

    table, rows = json_columns._columns(texts, FieldRoles(), HitShape())

    assert table.num_rows == 100
    assert set(range(101)) - set(rows.tolist()) == {50}


def test_a_message_that_is_json_written_as_a_text_is_opened_as_documents_are() -> None:
    inner = json.dumps({"event": "idle", "lvl": "debug", "order": 7})
    lines = [json.dumps({"ts": 1_795_600_800 + number, "log": inner}) for number in range(3)]
    table, rows = json_said(pa.array(lines, pa.large_string()), FieldRoles(), HitShape(), fewest=1)
    assert rows.tolist() == [0, 1, 2]
    assert set(table["message"].to_pylist()) == {"idle"}
    assert set(table["level"].to_pylist()) == {"debug"}
    assert set(table["properties"].to_pylist()) == {'{"order":7}'}
