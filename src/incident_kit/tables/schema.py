"""Table: a declared table, and the checks at the seams.

A table is a `pyarrow.Schema` whose fields carry their meaning and origin as metadata. Small tables travel as
pandas DataFrames made by `Table.frame`; log tables stay on disk and travel as Arrow batches cast to
`Table.schema`. Times are ``timestamp[ns, UTC]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from incident_kit.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

TIME = pa.timestamp("ns", tz="UTC")
TEXT = pa.string()
INTEGER = pa.int64()
NUMBER = pa.float64()
FLAG = pa.bool_()
TEXTS = pa.list_(pa.string())

#: Rows of a table from which on Arrow uses several threads for it.
_WORTH_THREADS = 20_000
#: Name, type, meaning (with unit and origin) of one column.
Column = tuple[str, pa.DataType, str]

#: One row of a declared table by column: times are int nanoseconds in UTC; what is missing is None, or not there.
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What one table is: its grain, its columns, its order.

    Attributes:
        name: file name of the table in a bundle, and its name for ``incident-kit tables``.
        grain: what one row is.
        origin: which servers' answers it is made from.
        key: columns that identify a row; rows are sorted by ``order``.
        logs: whether the table may hold tens of millions of rows (then it is never one DataFrame).
    """

    name: str
    grain: str
    origin: str
    schema: pa.Schema
    key: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    logs: bool = False

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.schema.names)

    def arrow(self, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
        """Rows (dicts; times as int nanoseconds) as an Arrow table; a missing key is null."""
        listed = list(rows)
        unknown = {name for row in listed for name in row} - set(self.columns)
        if unknown:
            raise TableError(_unknown_message(self, unknown))
        arrays = [pa.array([row.get(field.name) for row in listed], type=field.type) for field in self.schema]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def frame(self, rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
        """Rows (dicts; times as int nanoseconds) as a DataFrame in declared order and types."""
        return self.to_pandas(self.arrow(rows))

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with exactly the declared columns, types and order.

        Raises:
            TableError: a declared column is missing or cannot be converted.
        """
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            near = {name: get_close_matches(name, list(map(str, frame.columns)), 1) for name in missing}
            raise TableError(
                f"{self.name} lacks {missing}; nearest present: {near}. Build it with {self.name}.frame()."
            )
        try:
            table = pa.Table.from_pandas(frame[self.columns], schema=self.schema, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise TableError(f"{self.name}: a column has a wrong type: {error}") from error
        return self.to_pandas(table)

    def to_pandas(self, table: pa.Table) -> pd.DataFrame:
        """An Arrow table of this schema as a sorted DataFrame; integers that may miss stay integers."""
        import pandas as pd

        def extension(kind: pa.DataType) -> Any:
            if pa.types.is_integer(kind):
                return pd.Int64Dtype()
            return pd.BooleanDtype() if pa.types.is_boolean(kind) else None

        order = [(name, "ascending") for name in self.order]
        ordered = table.sort_by(order) if order else table
        frame: pd.DataFrame = ordered.to_pandas(types_mapper=extension, use_threads=repays_threads(len(ordered)))
        return frame

    def describe(self) -> list[tuple[str, str, str]]:
        """Column name, type and meaning, for documentation."""
        return [(f.name, str(f.type), (f.metadata or {}).get(b"meaning", b"").decode()) for f in self.schema]


def repays_threads(rows: int) -> bool:
    """Whether so many rows are worth threads: a store of snapshots is thousands of tables of a few rows each."""
    return rows > _WORTH_THREADS


def declare(
    name: str,
    grain: str,
    origin: str,
    columns: Sequence[Column],
    *,
    key: Sequence[str] = (),
    order: Sequence[str] = (),
    logs: bool = False,
) -> Table:
    """Declare a table from (name, type, meaning) triples."""
    fields = [pa.field(column, kind, metadata={"meaning": meaning}) for column, kind, meaning in columns]
    return Table(
        name=name, grain=grain, origin=origin, schema=pa.schema(fields), key=tuple(key), order=tuple(order), logs=logs
    )


def _unknown_message(table: Table, unknown: set[str]) -> str:
    near = {name: get_close_matches(name, table.columns, 1) for name in sorted(unknown)}
    return f"{table.name} has no columns {json.dumps(near)} (nearest declared beside each)."
