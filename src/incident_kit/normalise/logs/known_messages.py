"""The messages of a pod's documents, from which the layout of its console is learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from incident_kit.normalise.logs.buckets import NO_POD, bucket_name
from incident_kit.normalise.logs.formats.known import SHORTEST_MESSAGE, KnownMessages, inner_forms
from incident_kit.normalise.logs.normal_form import normal_forms

_KNOWN_MESSAGES = 60_000
_MOST_OF_SEVERAL_LINES = 3_000


class PodMessages:
    """The documents' messages of a pod, read bucket by bucket; documents without pod are offered to every pod."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._count = folder, count
        self._bucket: str | None = None
        self._table: pa.Table | None = None
        self._unlabelled = self._forms(self._read(NO_POD))
        self._known: tuple[str, KnownMessages] | None = None

    def of(self, pod: str) -> KnownMessages:
        """Known messages for a pod."""
        if self._known is not None and self._known[0] == pod:
            return self._known[1]
        bucket = bucket_name(pod, self._count)
        if bucket != self._bucket:
            self._bucket, self._table = bucket, self._read(bucket)
        table = None if self._table is None else self._table.filter(pc.equal(self._table["pod"], pod))
        known = KnownMessages({**self._unlabelled, **self._forms(table)}, frozenset(_inner(table)))
        self._known = (pod, known)
        return known

    def _read(self, bucket: str) -> pa.Table | None:
        path = self._folder / f"bucket={bucket}" / "part-0.parquet"
        return pq.read_table(path, columns=["pod", "level", "message", "exception"]) if path.is_file() else None

    def _forms(self, table: pa.Table | None) -> dict[str, str | None]:
        """Levels by normal form of the message's first line; the first of equal forms counts."""
        if table is None or not table.num_rows:
            return {}
        step = max(1, table.num_rows // _KNOWN_MESSAGES)
        if step > 1:
            table = table.take(pa.array(np.arange(0, table.num_rows, step)))
        heads = table["message"].combine_chunks()
        if pc.any(pc.match_substring_regex(heads, r"\n|^\s")).as_py():
            heads = pc.extract_regex(heads, r"^\s*(?P<head>[^\n]*)").field("head")
        forms = normal_forms(heads)
        told = pc.fill_null(pc.greater_equal(pc.utf8_length(forms), SHORTEST_MESSAGE), False)
        texts, levels = forms.filter(told).to_pylist(), table["level"].filter(told).to_pylist()
        return dict(zip(reversed(texts), reversed(levels), strict=True))


def _inner(table: pa.Table | None) -> set[str]:
    """Forms of what documents hold behind a message's first line, and in exceptions of their own field."""
    if table is None:
        return set()
    found: set[str] = set()
    for name, first in (("message", 1), ("exception", 0)):
        texts = table[name].filter(pc.fill_null(pc.match_substring(table[name], "\n"), False))
        step = max(1, len(texts) // _MOST_OF_SEVERAL_LINES)
        lines = {line for text in texts.to_pylist()[::step] for line in text.split("\n")[first:] if line.strip()}
        found.update(inner_forms(pa.array(sorted(lines), pa.large_string())))
    return found - {"*", ""}
