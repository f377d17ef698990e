"""The messages of a pod's documents, from which the layout of its console is learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from incident_kit.arrays import Integers
from incident_kit.normalise.logs.buckets import NO_POD, bucket_name
from incident_kit.normalise.logs.formats.known import KnownMessages, inner_forms

#: Of more messages of a pod some from all over are known. A message that is not known makes a line that no layout seems
#: to explain, and to look for one costs more than to know ten thousand messages.
_KNOWN_MESSAGES = 1_000_000
_MOST_OF_SEVERAL_LINES = 3_000


class PodMessages:
    """The documents' messages of a pod, read bucket by bucket; documents without pod are offered to every pod."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._count = folder, count
        self._bucket: tuple[str, _Bucket | None] | None = None
        unlabelled = self._read(NO_POD)
        self._unlabelled = _firsts(unlabelled.table, np.arange(unlabelled.table.num_rows)) if unlabelled else None
        self._known: tuple[str, KnownMessages] | None = None

    def of(self, pod: str) -> KnownMessages:
        """Known messages for a pod."""
        if self._known is not None and self._known[0] == pod:
            return self._known[1]
        name = bucket_name(pod, self._count)
        if self._bucket is None or self._bucket[0] != name:
            self._bucket = None  # the one before is let go first
            self._bucket = name, self._read(name)
        bucket = self._bucket[1]
        rows = bucket.rows(pod) if bucket else np.zeros(0, np.int64)
        own = _firsts(bucket.table, rows) if bucket else None
        both = [found for found in (own, self._unlabelled) if found is not None]
        known = KnownMessages(
            np.concatenate([found[0] for found in both] or [np.zeros(0, np.int64)]),
            pa.concat_arrays([found[1] for found in both] or [pa.nulls(0, pa.string())]),
            frozenset(bucket.inner(rows) if bucket else ()),
        )
        self._known = (pod, known)
        return known

    def _read(self, name: str) -> _Bucket | None:
        path = self._folder / f"bucket={name}" / "part-0.parquet"
        return _Bucket(path) if path.is_file() else None


class _Bucket:
    """One file of documents; texts are read only where a message has more than one line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        columns = ["pod", "level", "exception", "message_hash", "head_hash"]
        self.table = pq.read_table(path, columns=columns, read_dictionary=["pod", "level"])
        pods = self.table["pod"].combine_chunks()
        pods = pods.chunk(0) if isinstance(pods, pa.ChunkedArray) else pods
        codes = np.asarray(pc.fill_null(pods.indices, len(pods.dictionary)))
        self._order = np.argsort(codes, kind="stable")
        self._bounds = np.searchsorted(codes[self._order], np.arange(len(pods.dictionary) + 1))
        self._pods = {pod: code for code, pod in enumerate(pods.dictionary.to_pylist())}
        self._several = _integers(self.table, "message_hash") != _integers(self.table, "head_hash")
        self._messages: pa.ChunkedArray | None = None

    def rows(self, pod: str) -> Integers:
        """Rows of a pod, in order."""
        code = self._pods.get(pod)
        if code is None:
            return np.zeros(0, dtype=np.int64)
        found: Integers = self._order[self._bounds[code] : self._bounds[code + 1]]
        return found

    def inner(self, rows: Integers) -> set[str]:
        """Forms of what the rows' documents hold behind a message's first line, and in exceptions of their own field."""
        found: set[str] = set()
        several = rows[self._several[rows]]
        if len(several):
            if self._messages is None:
                self._messages = pq.read_table(self._path, columns=["message"])["message"]
            found |= _inner(self._messages.take(pa.array(several)), 1)
        if self.table["exception"].null_count < self.table.num_rows:
            found |= _inner(self.table["exception"].take(pa.array(rows)), 0)
        return found - {"*", ""}


def _inner(texts: pa.ChunkedArray, first: int) -> set[str]:
    """Forms of the texts' lines from one on."""
    texts = texts.filter(pc.fill_null(pc.match_substring(texts, "\n"), False))
    step = max(1, len(texts) // _MOST_OF_SEVERAL_LINES)
    lines = {line for text in texts.to_pylist()[::step] for line in text.split("\n")[first:] if line.strip()}
    return set(inner_forms(pa.array(sorted(lines), pa.large_string())))


def _firsts(table: pa.Table, rows: Integers) -> tuple[Integers, pa.Array]:
    """Hashes of the first lines of some rows' messages, from all over them, with their levels."""
    rows = rows[:: max(1, len(rows) // _KNOWN_MESSAGES)]
    found = _integers(table, "head_hash")[rows]
    rows, found = rows[found != 0], found[found != 0]
    return found, table["level"].take(pa.array(rows)).combine_chunks().cast(pa.string())


def _integers(table: pa.Table, name: str) -> Integers:
    return np.asarray(table[name].combine_chunks())
