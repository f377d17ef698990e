"""The Parquet files of one bucket of one log table: a footer is parsed once, a column is read when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as fs
import pyarrow.parquet as pq

from incident_kit.arrays import Integers
from incident_kit.in_order import WORKERS

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
        """Columns of some rows, in their order; only the row groups that hold them are read, several at once."""
        groups = self._row_groups
        if not groups:
            return self.read(columns)
        firsts = np.cumsum([0, *(metadata.row_group(number).num_rows for _, metadata, _, number in groups)])
        group = np.searchsorted(firsts, rows, side="right") - 1
        order = np.argsort(group, kind="stable")
        needed = np.unique(group) if len(rows) else np.zeros(1, np.int64)

        def taken(number: int) -> pa.Table:
            first, last = np.searchsorted(group[order], [number, number + 1])
            return _taken(*groups[number], columns, rows[order[first:last]] - firsts[number])

        with ThreadPoolExecutor(WORKERS) as pool:
            found = pa.concat_tables(pool.map(taken, needed.tolist()))
        return found if np.all(np.diff(group) >= 0) else found.take(pa.array(np.argsort(order)))

    @property
    def _row_groups(self) -> list[tuple[str, pq.FileMetaData, pa.Schema, int]]:
        """Row groups of all files in order: the file, its footer and schema, and the group's number there."""
        return [
            (path, metadata, schema, number)
            for path, (metadata, schema) in zip(self.paths, self._footers, strict=True)
            for number in range(metadata.num_row_groups)
        ]


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


def _taken(
    path: str, metadata: pq.FileMetaData, schema: pa.Schema, group: int, columns: Sequence[str], rows: Integers
) -> pa.Table:
    """Columns of some rows of one row group.

    One column at a time, of which only the wanted rows are kept, and of words that the file keeps once each only
    those: whoever takes a few rows waits mostly for memory that nobody looks at.
    """
    coded = [name for name in columns if _is_coded(metadata, schema, group, name)]
    file = _open(path, metadata=metadata, read_dictionary=coded or None)
    wanted = pa.array(rows)

    def column(name: str) -> pa.ChunkedArray:
        if name not in schema.names:
            return pa.chunked_array([pa.nulls(len(rows), _TEXT)])
        found = file.read_row_groups([group], columns=[name], use_threads=False)[name].take(wanted)
        return found.cast(_TEXT) if name in coded else found

    return pa.table([column(name) for name in columns], names=list(columns))


def _is_coded(metadata: pq.FileMetaData, schema: pa.Schema, group: int, column: str) -> bool:
    """Whether a text is stored as numbers of a dictionary."""
    if column not in schema.names or schema.field(column).type != _TEXT:
        return False
    return "RLE_DICTIONARY" in metadata.row_group(group).column(schema.names.index(column)).encodings


def _read(
    path: str,
    metadata: pq.FileMetaData,
    schema: pa.Schema,
    columns: Sequence[str],
    coded: Sequence[str],
) -> pa.Table:
    stored = [name for name in columns if name in schema.names]
    file = _open(path, metadata=metadata, read_dictionary=[name for name in coded if name in stored] or None)
    table = file.read(columns=stored, use_threads=False)
    count = metadata.num_rows
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
