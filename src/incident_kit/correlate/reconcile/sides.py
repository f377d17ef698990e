"""The two sides of one bucket as arrays: codes for names, int64 for times and hashes; the rest when it is asked for.

Most rows find their partner by pod, text and own time alone. So a side begins with these columns; other hashes, and
text, are read on first use, and for `Side.take` of a few rows only those rows are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.files import LogFiles

#: Code of a name that the document does not say.
NOT_SAID = -1
_NAMES = ("pod", "namespace", "container")


@dataclass(slots=True)
class Side:
    """Entries, or documents, of one bucket, or some of them.

    Attributes:
        files: for other columns on demand.
        pod, namespace, container: codes into ``names``; `NOT_SAID` where null.
        time: kubelet time, or the document's own (ns).
        rows: rows of the files that these are; None for all.
    """

    files: LogFiles
    pod: Integers
    namespace: Integers
    container: Integers
    time: Integers
    rows: Integers | None = None
    _columns: dict[str, Integers] = field(default_factory=dict)
    _rejected: Flags | None = None

    def __len__(self) -> int:
        return len(self.time)

    def integers(self, column: str) -> Integers:
        """A column of times, hashes or counts, read on first use; 0 where null."""
        if column not in self._columns:
            if not len(self) or self.files.all_null(column):
                self._columns[column] = np.zeros(len(self), np.int64)
            else:
                found = as_integers(self.files.read([column])[column])
                self._columns[column] = found if self.rows is None else found[self.rows]
        return self._columns[column]

    def hashes(self, name: str) -> Integers:
        """``message``, ``head`` or ``text``: hash of its normal form, 0 where there is none."""
        return self.integers(f"{name}_hash")

    @property
    def app(self) -> Integers:
        """The application's own time in the console's text; 0 where it has none."""
        return self.integers("app_time")

    @property
    def ingested(self) -> Integers:
        """When documents arrived; 0 where not said."""
        return self.integers("ingested_at")

    @property
    def rejected(self) -> Flags:
        """Documents of failure stores."""
        if self._rejected is None:
            self._rejected = np.zeros(len(self), bool)
            if len(self) and not self.files.all_null("rejected"):
                self._rejected |= np.asarray(pc.is_valid(self.text(["rejected"])["rejected"]))
        return self._rejected

    @property
    def repeated(self) -> Flags:
        """Documents that were fetched more than once, all but the first."""
        identities = self.integers("id_hash")
        order = np.argsort(identities, kind="stable")
        again = np.zeros(len(identities), bool)
        again[order[1:]] = (identities[order][1:] == identities[order][:-1]) & (identities[order][1:] != 0)
        return again

    def take(self, rows: Integers) -> Side:
        """Some of these rows; what is read already is not read again."""
        return Side(
            self.files,
            self.pod[rows],
            self.namespace[rows],
            self.container[rows],
            self.time[rows],
            rows if self.rows is None else self.rows[rows],
            {name: values[rows] for name, values in self._columns.items()},
            None if self._rejected is None else self._rejected[rows],
        )

    def text(self, columns: Sequence[str], rows: Integers | None = None) -> pa.Table:
        """Columns of all or some of these rows, read from disk."""
        wanted = self.rows if rows is None else rows if self.rows is None else self.rows[rows]
        return self.files.read(columns) if wanted is None else self.files.take(columns, wanted)


class Names:
    """Codes for pod, namespace and container names, shared by both sides."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self.names: list[str] = []

    def codes(self, values: pa.ChunkedArray) -> Integers:
        """Code of each value of a dictionary column; `NOT_SAID` for null."""
        values = values.unify_dictionaries().combine_chunks()
        own = np.array([self.code(name) for name in values.dictionary.to_pylist()] + [NOT_SAID], dtype=np.int64)
        found: Integers = own[np.asarray(without_nulls(values.indices, len(own) - 1))]
        return found

    def code(self, name: str) -> int:
        """Code of one name."""
        if name not in self._codes:
            self._codes[name] = len(self.names)
            self.names.append(name)
        return self._codes[name]

    def find(self, name: str) -> int:
        """Code of a name that may be unknown here: then one that no row has."""
        return self._codes.get(name, NOT_SAID - 1)


def side(files: LogFiles, names: Names, columns: Sequence[str] = ()) -> Side:
    """Entries or documents of a bucket.

    Args:
        files: its Parquet files.
        names: codes of the bucket; unknown names are added.
        columns: integer columns that will be needed for every row.
    """
    wanted = [name for name in columns if not files.all_null(name)]
    said = [name for name in _NAMES if not files.all_null(name)]
    table = files.read([*said, "time", *wanted], coded=said)
    pod, namespace, container = (
        names.codes(table[name]) if name in said else np.full(len(table), NOT_SAID, np.int64) for name in _NAMES
    )
    found = Side(files, pod, namespace, container, as_integers(table["time"]))
    found._columns.update({name: as_integers(table[name]) for name in wanted})
    return found


def fits(entries: Side, documents: Side, rows: Integers, found: Integers) -> Flags:
    """Whether documents may be these entries' by what they say: pod, namespace and container, each if they say one."""
    same = np.ones(len(rows), bool)
    for name in _NAMES:
        mine, theirs = getattr(entries, name), getattr(documents, name)
        if (theirs != NOT_SAID).any():
            said = theirs[found]
            same &= (said == NOT_SAID) | (said == mine[rows])
    return same


def as_integers(values: pa.ChunkedArray) -> Integers:
    """Times, hashes or counts as int64; 0 where null."""
    found: Integers = np.asarray(without_nulls(values.cast(pa.int64()), 0))
    return found


def without_nulls(values: Any, filling: int) -> Any:
    """The values with nulls filled; as they are where none is null."""
    return pc.fill_null(values, filling) if values.null_count else values
