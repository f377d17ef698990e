"""Log tables on disk: Parquet in buckets by a hash of the pod's name, so that no pod is spread over two buckets."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from incident_kit.tables.schema import Table

#: Documents that name no pod; any pod may claim them.
NO_POD = "none"
_BYTES_PER_BUCKET = 96 * 1024 * 1024
_MOST_BUCKETS = 64


def bucket_count(raw_bytes: int) -> int:
    """How many buckets a raw folder of this size gets; both log tables of a bundle have the same number."""
    return max(1, min(_MOST_BUCKETS, raw_bytes // _BYTES_PER_BUCKET + 1))


def bucket_name(pod: str | None, count: int) -> str:
    """Name of the pod's bucket."""
    return NO_POD if pod is None else f"{zlib.crc32(pod.encode()) % count:02d}"


class BucketWriter:
    """Writes one log table, batch by batch, into its buckets' files."""

    def __init__(self, folder: Path, table: Table, count: int) -> None:
        self.folder, self.table, self.count = folder / table.name, table, count
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._names: dict[str | None, str] = {}
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

    def write(self, batch: pa.Table, pods: Sequence[str | None] | str) -> None:
        """Write a batch; ``pods`` is one pod for the whole batch or one pod for each row."""
        if batch.num_rows == 0:
            return
        self.rows += batch.num_rows
        if isinstance(pods, str):
            self._write(self.name(pods), batch)
            return
        names = np.array([self.name(pod) for pod in pods])
        for name in np.unique(names):
            self._write(str(name), batch.filter(pa.array(names == name)))

    def _write(self, name: str, batch: pa.Table) -> None:
        writer = self._writers.get(name)
        if writer is None:
            path = self.folder / f"bucket={name}"
            path.mkdir(parents=True, exist_ok=True)
            writer = pq.ParquetWriter(
                path / "part-0.parquet", self.table.schema, compression="zstd", compression_level=1
            )
            self._writers[name] = writer
        writer.write_table(batch)

    def close(self) -> None:
        """Finish all files."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


def column(values: Any, kind: pa.DataType) -> pa.Array:
    """Values as an Arrow array of a declared type; large strings become strings."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    if isinstance(values, np.ndarray) and values.dtype != object:
        return pa.array(values).cast(kind)
    return pa.array(values, type=kind)
