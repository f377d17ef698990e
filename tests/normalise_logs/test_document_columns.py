"""Documents read as columns say what each says when it is read by itself, and hostile ones are left to that."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.documents.rows import rows_table
from incident_kit.normalise.logs.documents.shape import HitShape
from incident_kit.normalise.logs.documents.table import documents_table
from incident_kit.normalise.logs.documents.write import read_block
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.hits import Hit, HitLines, Reading
from incident_kit.profile import default_profile
from incident_kit.window import Window

NAMES = [
    "@timestamp",
    "time",
    "ts",
    "event",
    "ingested",
    "event.ingested",
    "level",
    "log.level",
    "log",
    "severity",
    "log.logger",
    "logger",
    "name",
    "message",
    "msg",
    "text",
    "original",
    "event.original",
    "messageTemplate",
    "@mt",
    "exception",
    "error",
    "error.stack_trace",
    "podName",
    "kubernetes",
    "kubernetes.pod.name",
    "pod",
    "kubernetes.namespace",
    "namespace",
    "container",
    "container.name",
    "image",
    "host",
    "host.name",
    "fields",
    "fields.OrderId",
    "OrderId",
    "Elapsed",
    "tags",
    "document",
    "document.source",
    "labels",
    "a",
    "a.b",
    "b",
    "c",
    "ßé",
    "Properties",
    "properties.x",
]
_texts = st.one_of(
    st.sampled_from(
        [
            "", "orders-1", "node-7", "INFO", "warn", "30", "2026-11-20T08:00:00.123456789Z", "2026-11-20T08:00:00+01:00",
            "2026-11-20 08:00:00,5", "2026-02-30T08:00:00Z", "1763625600123", 'User "bob" logged in', '{"msg": "inner", "level": "warn"}',
            "{broken", "two\nlines", "\u3000wide", "tab\there", "nul\x00", "\x7f", "back\\slash", "é😀", "x" * 450, "Order {OrderId} took {Elapsed}",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)  # fmt: skip
_numbers = st.one_of(
    st.integers(-(2**70), 2**70), st.integers(0, 60), st.sampled_from([1763625600, 1763625600123, 2**53, 2**63, 0]),
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([1.0, -0.0, 1e16, 0.1, 12.5]),
)  # fmt: skip
_values = st.recursive(
    st.one_of(_texts, _texts, _numbers, st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
        st.lists(_texts, max_size=3),
        st.lists(inner, max_size=22),
    ),
    max_leaves=6,
)
_sources = st.dictionaries(st.sampled_from(NAMES), _values, max_size=7)
#: Lists of one kind each, which columns hold.
_lists = {
    name: st.lists(st.one_of(kind, st.none()), max_size=22)
    for name, kind in {"tags": _texts, "counts": st.integers(-(2**63), 2**63 - 1), "flags": st.booleans()}.items()
}
#: Many documents of one kind, as services write them, with some that differ.
_kinds = st.fixed_dictionaries(
    {"@timestamp": st.sampled_from(["2026-11-20T08:00:00Z", "2026-11-20T08:00:01.5Z"]), "message": _texts},
    optional={"podName": _texts, "level": _texts, **_lists, "fields": st.dictionaries(st.sampled_from(["OrderId", "Elapsed", "a"]), st.one_of(_texts, _numbers, st.none()))},
)  # fmt: skip
_hits = st.builds(
    lambda source, index, more: {"_index": index, "_id": "1", **more, "_source": source},
    st.one_of(_kinds, _kinds, _sources),
    st.sampled_from(["logs", "logs", ".fs-logs-2026", "dead-letters", "DLQ", 7, None]),
    st.sampled_from(
        [
            {},
            {},
            {"_score": None, "sort": [1, 2]},
            {"_score": 1.5},
            {"hits": {"hits": []}},
            {"_source": 1},
            {"fields": {"a": ["b"]}},
        ]
    ),
)
_raw = st.sampled_from(
    [b"", b" ", b"{", b"{}", b"[]", b"null", b'{"_index": "logs"', b'{"a": NaN}', b'{"_index":"l","_id":"1","_source":{"a":"\\ud800"}}',
     b'{"_index":"l","_id":"1","_source":{"OrderId":NaN,"message":"m"}}', b'{"_index":"l","_id":"1","_source":{"Elapsed":1e0,"@timestamp":"2026-11-20T08:00:00Z"}}',
     b'{"_index":"l","_id":"1","_source":{"a":"x","a":"y"}}', b'{"_index":"l","_id":"1","_source":{"a":"x"}} {"_index":"l","_id":"2","_source":{}}',
     b'\xef\xbb\xbf{"_index":"l","_id":"1","_source":{"message":"bom"}}', b'{"_index":"l","_id":"1","_source":{"message":"caf\xe9"}}',
     b'{"_index":"l","_id":"1","_source":{"OrderId":-0,"@timestamp":"2026-11-20T08:00:00Z"}}', b'{"took":1,"hits":{"hits":[{"_index":"l","_id":"9","_source":{"message":"in an answer"}}]}}',
     b'{"_index":"l","_id":"1","_source":{"ts":1e400}}', b'{"_index":"l","_id":"1","_source":{"a":1.7976931348623159e308}}', b'{"_index":"l","_id":"1","_source":{"message":"\\u0041\\ud83d\\ude00"}}']
)  # fmt: skip
_lines = st.one_of(
    _hits.map(lambda hit: json.dumps(hit, ensure_ascii=False).encode()), _hits.map(json.dumps).map(str.encode), _raw
)
ROLES = [
    FieldRoles(),
    FieldRoles(paths={**FieldRoles().paths, "pod": (*FieldRoles().paths["pod"], "host.name")}, proved_only=frozenset({"host.name", "pod"}), known_pods=frozenset({"orders-1"})),
]  # fmt: skip


def read_lines_one_by_one(lines: list[bytes], roles: FieldRoles) -> tuple[pa.Table, list[object]]:
    reader = file_of_lines()
    hits: list[Hit] = [hit for number, line in enumerate(lines, 1) for hit in reader.hits(number, line)]
    reader.close()
    return rows_table(hits, roles), [reader.context.gaps, reader.reading.incomplete]


def file_of_lines() -> HitLines:
    window = Window(start=0, end=10**18)
    context = Context(cluster="test", window=window, captured_at=None, profile=default_profile())
    return HitLines("hits.ndjson", context, Reading())


@settings(max_examples=80)
@example([b'{"_index":"l","_id":"1","_source":{"a":"x","a":"y"}}'] * 3, b"\n", 0)
@example([b'{"_index":"l","_id":"1","_source":{"image":[null,null]}}'], b"\n", 0)
@given(st.lists(_lines, min_size=1, max_size=30), st.sampled_from([b"\n", b"\r\n"]), st.integers(0, 1))
def test_columns_say_what_each_document_says(lines: list[bytes], end: bytes, number: int) -> None:
    written = [line + end for line in lines]
    roles, reader = ROLES[number], file_of_lines()

    block = read_block(b"".join(written), HitShape(), roles, fewest_lines=1)
    found = block.table(1, reader, roles)
    reader.close()

    expected, told = read_lines_one_by_one(written, roles)
    assert found.to_pylist() == expected.to_pylist()
    assert [reader.context.gaps, reader.reading.incomplete] == told
    assert documents_table(found, "c").num_rows == expected.num_rows - expected["time"].null_count


def hit(**source: object) -> bytes:
    return (
        orjson.dumps({"_index": "logs", "_id": "1", "_source": {"@timestamp": "2026-11-20T08:00:00Z", **source}})
        + b"\n"
    )


@pytest.mark.parametrize(
    ("odd", "one_by_one"),
    [
        ([hit(message="m", OrderId=1, tags=["a"], deep={"er": {"x": True}})], 0),
        ([hit(message="m", OrderId="a text where others have a number")], 1),
        ([hit(message=["a", "list"])], 1),
        ([hit(message='{"msg": "inner"}')], 1),
        ([b'{"_index": "logs", "_id": "1", "_sou\n'], 1),
        ([hit(message="m", new_field=number, **{f"new_{number}": "x"}) for number in range(9)], 0),
    ],
)
def test_only_odd_documents_are_read_one_by_one(odd: list[bytes], one_by_one: int) -> None:
    usual = [hit(message=f"message {number}", OrderId=number, podName="orders-1") for number in range(300)]

    block = read_block(b"".join([*usual, *odd]), HitShape(), FieldRoles())

    assert len(block.rest) == one_by_one
    assert len(block.lines) == 300 + len(odd) - one_by_one


def test_a_file_whose_documents_contradict_each_other_is_still_read_in_full() -> None:
    lines = [hit(message=f"message {n}", OrderId=n if n % 2 else str(n)) for n in range(1000)]
    shape = HitShape()

    for _ in range(5):
        block = read_block(b"".join(lines), shape, FieldRoles())
        assert block.table(1, file_of_lines(), FieldRoles()).num_rows == 1000


def test_hashes_do_not_depend_on_how_a_document_was_read(tmp_path: Path) -> None:
    lines = [hit(message=text) for text in ("one line", "two\nlines", "\u3000wide", " blank", 'quo"ted', "")]
    block = read_block(b"".join(lines), HitShape(), FieldRoles(), fewest_lines=1)
    expected, _ = read_lines_one_by_one(lines, FieldRoles())

    found = documents_table(block.table(1, file_of_lines(), FieldRoles()), "c")

    assert found.equals(documents_table(expected, "c"))
    heads = [None if text is None else text.lstrip().partition("\n")[0] for text in found["message"].to_pylist()]
    from incident_kit.normalise.logs.normal_form import hashes, normal_forms

    assert np.array_equal(found["head_hash"].to_numpy(), hashes(normal_forms(pa.array(heads, pa.string()))))


def test_a_list_of_nulls_among_empty_ones_is_read_with_all_its_items() -> None:
    lines = [hit(message="m", flags=[])] * 41 + [hit(message="m", flags=[None, None])]  # the last is not learnt from

    block = read_block(b"".join(lines), HitShape(), FieldRoles(), fewest_lines=1)

    assert not len(block.rest)
    assert block.table(1, file_of_lines(), FieldRoles())["properties"].to_pylist()[-2:] == [
        '{"flags":[]}',
        '{"flags":[null,null]}',
    ]
