"""The Parquet files of one bucket of one log table: a footer is parsed once, a column is read when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as fs
import pyarrow.parquet as pq

from incident_kit.correlate.reconcile.match import Integers

_TEXT = pa.string()
_CODED = pa.dictionary(pa.int32(), _TEXT)


class LogFiles:
    """Files of a bucket, in order; rows are numbered through.

    Buckets are the unit of parallel work, so one file is read by one thread.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = list(paths)

    @cached_property
    def _footers(self) -> list[tuple[pq.FileMetaData, pa.Schema]]:
        opened = [_open(path) for path in self.paths]
        return [(file.metadata, file.schema_arrow) for file in opened]

    def has(self, column: str) -> bool:
        """Whether every file has the column; an older kit may not have written it."""
        return all(column in schema.names for _, schema in self._footers)

    def all_null(self, column: str) -> bool:
        """Whether the footers say that no row has a value; True without files."""
        return all(
            column not in schema.names or _nulls(metadata, schema.names.index(column)) == metadata.num_rows
            for metadata, schema in self._footers
        )

    def read(self, columns: Sequence[str], coded: Sequence[str] = ()) -> pa.Table:
        """Columns of all files; a column that an older kit did not write is text that is missing.

        Args:
            columns: names.
            coded: those of them that come as dictionary columns: names and words that repeat.
        """
        if not self.paths:
            return pa.table({name: pa.array([], _CODED if name in coded else pa.null()) for name in columns})
        return pa.concat_tables(
            [
                _read(path, metadata, schema, columns, coded)
                for path, (metadata, schema) in zip(self.paths, self._footers, strict=True)
            ]
        )

    def take(self, columns: Sequence[str], rows: Integers) -> pa.Table:
        """Columns of some rows, in their order; only the row groups that hold them are read."""
        sizes = [m.row_group(n).num_rows for m, _ in self._footers for n in range(m.num_row_groups)]
        starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        group = np.searchsorted(starts, rows, side="right") - 1
        needed = np.unique(group)
        if len(needed) == len(sizes):
            return self.read(columns).take(pa.array(rows))
        kept = np.concatenate([[0], np.cumsum(np.asarray(sizes)[needed])])
        places = kept[np.searchsorted(needed, group)] + rows - starts[group]
        return self._read_groups(columns, needed).take(pa.array(places))

    def _read_groups(self, columns: Sequence[str], numbers: Integers) -> pa.Table:
        """Some row groups of all files, numbered through."""
        tables, first = [], 0
        for path, (metadata, schema) in zip(self.paths, self._footers, strict=True):
            own = numbers[(numbers >= first) & (numbers < first + metadata.num_row_groups)] - first
            tables.append(_read(path, metadata, schema, columns, (), own.tolist()))
            first += metadata.num_row_groups
        return pa.concat_tables(tables)


def _open(path: str, **options: Any) -> pq.ParquetFile:
    """A file by its path, or by an address that Arrow (``s3://``, ``abfs://``, ``gs://``, ``file://``) or fsspec knows."""
    if "://" not in path:
        return pq.ParquetFile(path, **options)
    try:
        filesystem, place = fs.FileSystem.from_uri(path)
    except pa.ArrowInvalid:  # no scheme of Arrow's own
        from fsspec.core import url_to_fs

        other, place = url_to_fs(path)
        filesystem = fs.PyFileSystem(fs.FSSpecHandler(other))
    return pq.ParquetFile(place, filesystem=filesystem, **options)


def _nulls(metadata: pq.FileMetaData, column: int) -> int:
    """Null values that the statistics count; a row group without statistics counts none."""
    found = 0
    for number in range(metadata.num_row_groups):
        statistics = metadata.row_group(number).column(column).statistics
        found += statistics.null_count if statistics is not None and statistics.has_null_count else 0
    return found


def _read(
    path: str,
    metadata: pq.FileMetaData,
    schema: pa.Schema,
    columns: Sequence[str],
    coded: Sequence[str],
    groups: list[int] | None = None,
) -> pa.Table:
    stored = [name for name in columns if name in schema.names]
    file = _open(path, metadata=metadata, read_dictionary=[name for name in coded if name in stored] or None)
    numbers = list(range(metadata.num_row_groups)) if groups is None else groups
    table = file.read_row_groups(numbers, columns=stored, use_threads=False)
    count = sum(metadata.row_group(number).num_rows for number in numbers)
    arrays = [
        table[name] if name in stored else pa.chunked_array([pa.nulls(count, _CODED if name in coded else _TEXT)])
        for name in columns
    ]
    return pa.table(arrays, names=list(columns))


def text_lengths(files: LogFiles) -> pa.ChunkedArray:
    """Characters of each entry's text; bundles of older kits have to be read for it."""
    if files.has("text_length"):
        return files.read(["text_length"])["text_length"]
    return pc.utf8_length(files.read(["text"])["text"])
