"""One page of hits to newline-delimited hits, without decoding them.

A raw ``_search`` answer is cut at the seam between two hits, ``]},{"_index":"``. Inside a string its quotes would be
escaped, so it can only occur there, or inside a document that holds whole hits; then the count is wrong and the page is
decoded after all. Documents keep their bytes: no number is rounded, no time loses digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

_HITS = b'"hits":['
_SEAM = b']},{"_index":"'
_CUT = b']}\n{"_index":"'
_FIRST = b'{"_index":"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer: its hits as lines, and what it says of its completeness."""

    lines: bytes
    count: int
    total: int | None
    last_sort: list[Any] | None
    pit_id: str | None
    timed_out: bool
    shards: dict[str, Any]


def read_page(data: bytes, size: int) -> Page:
    """A page from a ``_search`` answer with ``sort``.

    Args:
        data: the whole body.
        size: hits asked for; a page with another number of seams is decoded to be sure.
    """
    start = data.find(_HITS)
    body_start = start + len(_HITS)
    if start < 0 or not data.endswith(b"]}}") or not data.startswith(_FIRST, body_start):
        return _decoded(data)
    count = data.count(_SEAM, body_start) + 1
    if count != size or b"\n" in data or b"\r" in data:
        return _decoded(data)
    sort_at = data.rfind(b'"sort":[')
    try:
        head = orjson.loads(data[:body_start] + b"]}}")
        last_sort = orjson.loads(data[sort_at + 7 : -3].rstrip(b"}"))
    except orjson.JSONDecodeError:
        return _decoded(data)
    lines = data[body_start:-3].replace(_SEAM, _CUT) + b"\n"
    return _page(head, lines, count, last_sort)


def _decoded(data: bytes) -> Page:
    answer = orjson.loads(data)
    hits = answer.get("hits", {}).get("hits") or []
    lines = b"".join(orjson.dumps(hit) + b"\n" for hit in hits)
    return _page(answer, lines, len(hits), hits[-1].get("sort") if hits else None)


def _page(head: dict[str, Any], lines: bytes, count: int, last_sort: list[Any] | None) -> Page:
    total = head.get("hits", {}).get("total")
    return Page(
        lines=lines,
        count=count,
        total=int(total["value"]) if isinstance(total, dict) else None,
        last_sort=last_sort,
        pit_id=head.get("pit_id"),
        timed_out=bool(head.get("timed_out")),
        shards=head.get("_shards") or {},
    )
