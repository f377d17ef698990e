"""The two sides of one bucket as arrays: codes for names, int64 for times and hashes; text only when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from incident_kit.correlate.reconcile.match import Integers

_ENTRY = ["namespace", "pod", "container", "time", "app_time", "message_hash", "head_hash", "text_hash"]
_DOCUMENT = [
    "namespace",
    "pod",
    "container",
    "time",
    "ingested_at",
    "message_hash",
    "head_hash",
    "text_hash",
    "id_hash",
    "rejected",
]
#: Code of a name that the document does not say.
NOT_SAID = -1


@dataclass(slots=True)
class Side:
    """Entries, or documents, of one bucket.

    Attributes:
        paths: Parquet files, for text on demand.
        pod, namespace, container: codes into ``names``; `NOT_SAID` where null.
        time: kubelet time, or the document's own (ns).
        hashes: int64 by hash name.
        ingested: when documents arrived; 0 where not said.
        rejected: documents of failure stores.
        repeated: documents that were fetched more than once, all but the first.
        app: the application's own time in the console's text; 0 where it has none.
    """

    paths: list[str]
    pod: Integers
    namespace: Integers
    container: Integers
    time: Integers
    hashes: dict[str, Integers]
    ingested: Integers
    rejected: np.ndarray[Any, np.dtype[np.bool_]]
    app: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    repeated: np.ndarray[Any, np.dtype[np.bool_]] = field(default_factory=lambda: np.zeros(0, bool))

    def __len__(self) -> int:
        return len(self.time)

    def text(self, columns: Sequence[str], rows: Integers) -> pa.Table:
        """Columns of some rows, read from disk."""
        table = read(self.paths, columns)
        return table.take(pa.array(rows)) if len(rows) < table.num_rows else table


class Names:
    """Codes for pod, namespace and container names, shared by both sides."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self.names: list[str] = []

    def codes(self, values: pa.ChunkedArray) -> Integers:
        """Code of each value; `NOT_SAID` for null."""
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        if isinstance(values, pa.ChunkedArray):
            values = pa.concat_arrays(values.chunks)
        encoded = values.dictionary_encode()
        own = np.array([self.code(name) for name in encoded.dictionary.to_pylist()] + [NOT_SAID], dtype=np.int64)
        found: Integers = own[np.asarray(pc.fill_null(encoded.indices, len(own) - 1))]
        return found

    def code(self, name: str) -> int:
        """Code of one name."""
        if name not in self._codes:
            self._codes[name] = len(self.names)
            self.names.append(name)
        return self._codes[name]


def read(paths: Sequence[str], columns: Sequence[str]) -> pa.Table:
    """Columns of all files of a bucket, in file order."""
    if not paths:
        return pa.table({name: pa.array([], pa.null()) for name in columns})
    return pa.concat_tables([_read_file(path, columns) for path in paths])


def _read_file(path: str, columns: Sequence[str]) -> pa.Table:
    """Columns of one file; a column that an older kit did not write is text that is missing."""
    stored = set(pq.read_schema(path).names)
    table = pq.read_table(path, columns=[name for name in columns if name in stored], partitioning=None)
    for place, name in enumerate(columns):
        if name not in stored:
            table = table.add_column(place, name, pa.nulls(len(table), pa.string()))
    return table


def entries_side(paths: list[str], names: Names) -> Side:
    """Console entries of a bucket."""
    return _side(paths, _ENTRY, names)


def documents_side(paths: list[str], names: Names) -> Side:
    """Documents of a bucket."""
    return _side(paths, _DOCUMENT, names)


def _side(paths: list[str], columns: list[str], names: Names) -> Side:
    if not paths:
        none = np.zeros(0, np.int64)
        hashes = {name: none for name in columns if name.endswith("_hash")}
        return Side(paths, none, none, none, none, hashes, none, np.zeros(0, bool))
    table = read(paths, columns)
    integers = {
        name: np.asarray(pc.fill_null(table[name].cast(pa.int64()), 0))
        for name in columns
        if name in ("time", "ingested_at", "app_time") or name.endswith("_hash")
    }
    rejected = np.asarray(pc.is_valid(table["rejected"])) if "rejected" in columns else np.zeros(table.num_rows, bool)
    return Side(
        paths,
        names.codes(table["pod"]),
        names.codes(table["namespace"]),
        names.codes(table["container"]),
        integers["time"],
        {name: values for name, values in integers.items() if name.endswith("_hash")},
        integers.get("ingested_at", np.zeros(table.num_rows, np.int64)),
        rejected,
        integers.get("app_time", np.zeros(0, np.int64)),
        _repeated(integers["id_hash"]) if "id_hash" in integers else np.zeros(table.num_rows, bool),
    )


def _repeated(identities: Integers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """All rows but the first of each identity; 0 says nothing."""
    order = np.argsort(identities, kind="stable")
    again = np.zeros(len(identities), bool)
    again[order[1:]] = (identities[order][1:] == identities[order][:-1]) & (identities[order][1:] != 0)
    return again
