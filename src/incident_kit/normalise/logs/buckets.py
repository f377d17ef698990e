"""Log tables on disk: Parquet in buckets by a hash of the pod's name, so that no pod is spread over two buckets.

Matching reads times and hashes of every row, so these cost little to decode: times as packed differences (a tenth of
the bytes and a third of the time of a dictionary, measured), hashes as they are, since nothing makes them smaller.
"""

from __future__ import annotations

import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from incident_kit.arrays import Integers
from incident_kit.in_order import WORKERS
from incident_kit.tables.schema import Table

#: Documents that name no pod; any pod may claim them.
NO_POD = "none"
_BYTES_PER_BUCKET = 96 * 1024 * 1024
_MOST_BUCKETS = 64
#: Texts that hardly repeat: a dictionary of them costs time and saves nothing.
_DISTINCT = frozenset({"document_id", "message", "text", "properties", "exception"})
#: Texts that nobody looks for by their order: to find the least and the greatest costs a sixth of all writing.
_UNCOMPARED = frozenset({"document_id", "message", "text"})
_ROW_GROUP = 128 * 1024
#: Documents of many pods arrive interleaved; batches wait in memory until a bucket has enough for a row group.
_MOST_WAITING_BYTES = 128 * 1024 * 1024
#: What was gathered and waits for the thread that writes, so that it has work while a batch is read, and memory stays flat.
_MOST_HANDED_OVER = 1


def bucket_count(raw_bytes: int) -> int:
    """How many buckets a raw folder of this size gets; both log tables of a bundle have the same number."""
    return max(1, min(_MOST_BUCKETS, raw_bytes // _BYTES_PER_BUCKET + 1))


def bucket_name(pod: str | None, count: int) -> str:
    """Name of the pod's bucket."""
    return NO_POD if pod is None else f"{zlib.crc32(pod.encode()) % count:02d}"


class BucketWriter:
    """Writes one log table, batch by batch, into its buckets' files.

    Rows are parted, encoded and compressed in a thread of its own: whoever writes goes on reading meanwhile.
    """

    def __init__(self, folder: Path, table: Table, count: int) -> None:
        self.folder, self.table, self.count = folder / table.name, table, count
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._names: dict[str | None, str] = {}
        self._gathered: list[pa.Table] = []
        self._gathered_rows = self._gathered_bytes = 0
        self._thread = ThreadPoolExecutor(1)
        self._handed_over: deque[Future[None]] = deque()
        self._waiting: dict[str, list[pa.Table]] = {}
        self._bytes: dict[str, int] = {}
        self.rows = 0

    def __enter__(self) -> BucketWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def name(self, pod: str | None) -> str:
        """Bucket of a pod, remembered."""
        found = self._names.get(pod)
        if found is None:
            found = self._names[pod] = bucket_name(pod, self.count)
        return found

    def write(self, batch: pa.Table) -> None:
        """Write a batch, each row into the bucket of its ``pod``."""
        if batch.num_rows == 0:
            return
        self.rows += batch.num_rows
        self._gathered.append(batch)
        self._gathered_rows += batch.num_rows
        self._gathered_bytes += batch.nbytes
        if self._gathered_rows >= _ROW_GROUP or self._gathered_bytes >= _MOST_WAITING_BYTES:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give what was gathered to the thread; an error of what it was given before is raised here."""
        self._handed_over.append(self._thread.submit(self._part, pa.concat_tables(self._gathered)))
        self._gathered, self._gathered_rows, self._gathered_bytes = [], 0, 0
        while len(self._handed_over) > _MOST_HANDED_OVER:
            self._handed_over.popleft().result()

    def _part(self, gathered: pa.Table) -> None:
        """Part rows by buckets, in the order of arrival: the cost does not grow with their number."""
        numbers, names = self._numbers(gathered["pod"])
        order = np.argsort(numbers, kind="stable")
        bounds = [0, *(np.flatnonzero(np.diff(numbers[order])) + 1).tolist(), len(numbers)]
        if len(bounds) > 2:
            gathered = gathered.combine_chunks()
        for start, stop in pairwise(bounds):
            # Rows are copied: a slice would keep all that was gathered in memory until its bucket is written.
            part = _rows(gathered, order[start:stop]) if len(bounds) > 2 else gathered
            self._write(names[numbers[order[start]]], part)

    def _numbers(self, pods: pa.ChunkedArray) -> tuple[Integers, list[str]]:
        """For each row a number of its bucket, and the buckets' names by number."""
        encoded = pods.dictionary_encode().unify_dictionaries().combine_chunks()
        buckets = [self.name(pod) for pod in [*encoded.dictionary.to_pylist(), None]]
        names = list(dict.fromkeys(buckets))
        of_pod = np.array([names.index(bucket) for bucket in buckets])
        return of_pod[np.asarray(pc.fill_null(encoded.indices, len(buckets) - 1))], names

    def _write(self, name: str, part: pa.Table) -> None:
        self._waiting.setdefault(name, []).append(part)
        self._bytes[name] = self._bytes.get(name, 0) + part.nbytes
        if sum(waiting.num_rows for waiting in self._waiting[name]) >= _ROW_GROUP:
            self._flush(name)
        while sum(self._bytes.values()) > _MOST_WAITING_BYTES:
            self._flush(max(self._bytes, key=lambda bucket: self._bytes[bucket]))

    def _flush(self, name: str) -> None:
        writer = self._writers.get(name)
        if writer is None:
            path = self.folder / f"bucket={name}"
            path.mkdir(parents=True, exist_ok=True)
            writer = pq.ParquetWriter(path / "part-0.parquet", self.table.schema, **_encodings(self.table.schema))
            self._writers[name] = writer
        writer.write_table(pa.concat_tables(self._waiting.pop(name)), row_group_size=_ROW_GROUP)
        self._bytes.pop(name)

    def close(self) -> None:
        """Write what waits and finish all files."""
        try:
            if self._gathered:
                self._hand_over()
            while self._handed_over:
                self._handed_over.popleft().result()
            # Nobody reads meanwhile: all processors write what is left.
            with ThreadPoolExecutor(WORKERS) as threads:
                list(threads.map(self._flush, list(self._waiting)))
        finally:
            self._thread.shutdown(cancel_futures=True)
            for writer in self._writers.values():
                writer.close()
            self._writers.clear()


def _rows(table: pa.Table, rows: Integers) -> pa.Table:
    """Some rows; of columns without any value, which half of a documents' table often is, none is looked for."""
    taken = pa.array(rows)
    columns = [
        pa.nulls(len(rows), column.type) if column.null_count == len(column) else column.take(taken)
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _encodings(schema: pa.Schema) -> dict[str, Any]:
    """Options of the Parquet writer: how each column is encoded and compressed."""
    rising = [f.name for f in schema if pa.types.is_timestamp(f.type) or f.name == "number"]
    hashes = [f.name for f in schema if f.name.endswith("_hash")]
    return {
        "use_dictionary": [f.name for f in schema if f.name not in (*rising, *hashes, *_DISTINCT)],
        "column_encoding": {**dict.fromkeys(rising, "DELTA_BINARY_PACKED"), **dict.fromkeys(hashes, "PLAIN")},
        "compression": {f.name: "none" if f.name in hashes else "zstd" for f in schema},
        "compression_level": {f.name: 1 for f in schema if f.name not in hashes},
        "write_statistics": [f.name for f in schema if f.name not in _UNCOMPARED],
    }


def column(values: Any, kind: pa.DataType) -> pa.Array:
    """Values as an Arrow array of a declared type; large strings become strings."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    if isinstance(values, np.ndarray) and values.dtype != object:
        return pa.array(values).cast(kind)
    return pa.array(values, type=kind)
