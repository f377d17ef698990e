"""Hits to the log table, block by block: columns where they can be vouched for, single documents where not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from incident_kit.arrays import Integers
from incident_kit.in_order import WORKERS, in_order
from incident_kit.line_arrays import line_offsets
from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.buckets import BucketWriter
from incident_kit.normalise.logs.documents.columns import said_columns
from incident_kit.normalise.logs.documents.rows import rows_table, tells_its_entry
from incident_kit.normalise.logs.documents.shape import HitShape
from incident_kit.normalise.logs.documents.table import SAID, documents_table
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.hits import Hit, HitLines, Reading, is_lines, line_blocks, read_hits
from incident_kit.normalise.raw import RawFolder

#: Hits that are read one by one are gathered up to this many.
_BATCH = 20_000
#: Fewer lines are read one by one sooner than a shape is learnt.
_FEWEST_LINES = 200


@dataclass(slots=True)
class DocumentFacts:
    """What was read, for coverage.

    Attributes:
        count: documents read.
        pods: documents per pod.
        untimed: documents without a time.
        unlabelled: documents without a pod.
        rejected: documents of failure stores and dead-letter indices.
    """

    count: int = 0
    pods: Counter[str] = field(default_factory=Counter)
    untimed: int = 0
    unlabelled: int = 0
    rejected: int = 0

    def add(self, said: pa.Table) -> None:
        """Count a SAID table."""
        pods = said["pod"]
        self.count += said.num_rows
        self.unlabelled += pods.null_count
        self.untimed += said["time"].null_count
        self.rejected += said.num_rows - said["rejected"].null_count
        for found in pods.drop_null().value_counts().to_pylist():
            self.pods[found["values"]] += found["counts"]


def write_documents(
    raw: RawFolder, files: list[Path], roles: FieldRoles, context: Context, reading: Reading, writer: BucketWriter
) -> DocumentFacts:
    """Write the documents of all files; returns what was read."""
    facts = DocumentFacts()

    def hashed(said: pa.Table) -> pa.Table:
        return documents_table(said, context.cluster)

    with ThreadPoolExecutor(WORKERS) as readers, ThreadPoolExecutor(WORKERS) as hashers:
        tables = _counted(_tables(raw, files, roles, context, reading, readers), facts)
        for table in in_order(hashers, hashed, tables):
            writer.write(table)
    if facts.untimed:
        context.gap(
            "elasticsearch",
            "documents",
            f"{facts.untimed} documents carry no time that could be read; they are left out",
            "Name the time field in the profile (fields.time).",
        )
    return facts


def _tables(
    raw: RawFolder, files: list[Path], roles: FieldRoles, context: Context, reading: Reading, readers: Executor
) -> Iterator[pa.Table]:
    """SAID tables of all files, in order."""
    total, done = sum(path.stat().st_size for path in files), 0
    for path in files:
        if is_lines(path):
            yield from _tables_of_lines(raw, path, roles, context, reading, readers)
        else:
            yield from _tables_of_hits(read_hits(raw, [path], context, reading), roles)
        done += path.stat().st_size
        context.progress("documents", done, total)


def _counted(tables: Iterator[pa.Table], facts: DocumentFacts) -> Iterator[pa.Table]:
    for said in tables:
        facts.add(said)
        yield said


def _tables_of_hits(hits: Iterator[Hit], roles: FieldRoles) -> Iterator[pa.Table]:
    gathered: list[Hit] = []
    for hit in hits:
        gathered.append(hit)
        if len(gathered) >= _BATCH:
            yield rows_table(gathered, roles)
            gathered = []
    yield rows_table(gathered, roles)


def _tables_of_lines(
    raw: RawFolder,
    path: Path,
    roles: FieldRoles,
    context: Context,
    reading: Reading,
    readers: Executor,
) -> Iterator[pa.Table]:
    lines = HitLines(raw.relative(path), context, reading, tells=lambda hit: tells_its_entry(hit, roles))
    shape = HitShape()
    first = 1
    for block in in_order(readers, lambda data: read_block(data, shape, roles), line_blocks(path, lines)):
        yield block.table(first, lines, roles)
        first += block.line_count
    lines.close()


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """A block of which some lines were read as columns.

    Attributes:
        data: the block.
        offsets: where its lines begin, and the end of the last.
        said: SAID rows of the lines in ``lines``, in order.
        lines: line numbers within the block, from 0.
        rest: the other lines.
    """

    data: bytes
    offsets: Integers
    said: pa.Table
    lines: Integers
    rest: Integers

    @property
    def line_count(self) -> int:
        """Lines of the block, empty ones too."""
        return len(self.offsets) - 1

    def table(self, first: int, lines: HitLines, roles: FieldRoles) -> pa.Table:
        """The whole block in file order; the rest is read line by line.

        Args:
            first: number of the block's first line within the file, from 1.
            lines: the file's reader of lines.
            roles: field roles.
        """
        if not len(self.rest):
            return self.said
        hits: list[Hit] = []
        numbers: list[int] = []
        for number in self.rest.tolist():
            found = list(lines.hits(first + number, self.data[self.offsets[number] : self.offsets[number + 1]]))
            hits += found
            numbers += [number] * len(found)
        if not hits:
            return self.said
        order = np.argsort(np.concatenate([self.lines, np.array(numbers, dtype=np.int64)]), kind="stable")
        return pa.concat_tables([self.said, rows_table(hits, roles)]).combine_chunks().take(pa.array(order))


def read_block(data: bytes, shape: HitShape, roles: FieldRoles, fewest_lines: int = _FEWEST_LINES) -> ReadBlock:
    """Read what can be read as columns of a block of whole lines."""
    offsets = line_offsets(data)
    count = len(offsets) - 1
    decoded = shape.decode(data, offsets) if count >= fewest_lines else None
    if decoded is None:
        return ReadBlock(data, offsets, SAID.empty_table(), np.zeros(0, np.int64), np.arange(count))
    said, doubtful = said_columns(decoded.hits, roles)
    if not doubtful.any():
        return ReadBlock(data, offsets, said, decoded.lines, decoded.aside)
    rest = np.sort(np.concatenate([decoded.lines[doubtful], decoded.aside]))
    sure = said.filter(pa.array(~doubtful)) if said.num_rows else said
    return ReadBlock(data, offsets, sure, decoded.lines[~doubtful], rest)
