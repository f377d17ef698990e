"""Hits are cut apart without decoding, exactly as a JSON decoder would."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.sources.pages import read_page

nasty = st.sampled_from(['"]},{"_index":"x"', "]},", "\\", '"sort":[', "\u2028", "\n", "é"]) | st.text(max_size=12)
sources = st.dictionaries(
    nasty, nasty | st.integers(0, 2**53) | st.lists(st.dictionaries(st.just("_index"), nasty)), max_size=3
)


def answer(documents: list[dict[str, object]], dumps: bytes | None = None) -> bytes:
    hits = [
        {"_index": "logs", "_id": str(n), "_score": None, "_source": source, "sort": [n, 4294967296 + n]}
        for n, source in enumerate(documents)
    ]
    body = {"pit_id": "p", "took": 1, "timed_out": False, "_shards": {"total": 1, "failed": 0}}
    return dumps or orjson.dumps(
        {**body, "hits": {"total": {"value": 9, "relation": "eq"}, "max_score": None, "hits": hits}}
    )


@given(st.lists(sources, max_size=5), st.integers(1, 6))
def test_lines_are_the_hits_whatever_their_text_holds(documents: list[dict[str, object]], size: int) -> None:
    data = answer(documents)
    page = read_page(data, size)
    expected = orjson.loads(data)["hits"]["hits"]
    assert [orjson.loads(line) for line in page.lines.splitlines()] == expected
    assert page.count == len(expected)
    assert page.last_sort == (expected[-1]["sort"] if expected else None)
    assert (page.total, page.pit_id, page.timed_out, page.shards["total"]) == (9, "p", False, 1)


def test_documents_keep_their_bytes() -> None:
    big = answer(
        [], b'{"hits":{"hits":[{"_index":"a","_id":"1","_source":{"n":12345678901234567890123,"t":1.10},"sort":[1]}]}}'
    )
    assert b'"n":12345678901234567890123,"t":1.10' in read_page(big, 1).lines


def test_a_document_sent_pretty_printed_becomes_one_line() -> None:
    pretty = b'{"hits":{"hits":[{"_index":"a","_id":"1","_source":{\n  "m": "x"\n},"sort":[1]}]}}'
    assert read_page(pretty, 1).lines.count(b"\n") == 1
