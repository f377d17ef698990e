"""One container instance's lines to CONSOLE_ENTRIES rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers, put
from incident_kit.normalise.logs.buckets import column
from incident_kit.normalise.logs.console_times import console_times
from incident_kit.normalise.logs.documents.shape import HitShape
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.formats.blocks import Blocks
from incident_kit.normalise.logs.formats.layout import Layout, Parsed
from incident_kit.normalise.logs.formats.pairs import cut_heads
from incident_kit.normalise.logs.grouping import owners
from incident_kit.normalise.logs.lines import Lines
from incident_kit.normalise.logs.normal_form import hash_columns, hashes, masks, normal_forms
from incident_kit.normalise.logs.said import Said, add_json, add_pairs
from incident_kit.normalise.logs.text_bytes import holds
from incident_kit.tables.logs import CONSOLE_ENTRIES

_SCHEMA = CONSOLE_ENTRIES.schema
#: Entries that are made into a table at once.
_AT_ONCE = 100_000
#: Words of `Lines.stream`.
STREAMS = pa.array([None, "stdout", "stderr"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What is the same for all entries of one container instance."""

    cluster: str
    namespace: str
    pod: str
    pod_uid: str | None
    container: str
    restart_count: int | None
    image: str | None
    image_digest: str | None
    image_observed: bool | None


#: The columns that an instance's rows share, and their types.
_SHARED = {name: _SCHEMA.field(name).type for name in Instance.__dataclass_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The entries of one container instance: told apart, and made into tables piece by piece, in any thread.

    Attributes:
        lines: all lines of the instance in time order.
        parts: number of the rotated file of each line.
        instance: what all rows share.
        layout: how the container writes.
        roles: field roles for JSON entries.
        first_number: number of the first entry within the container.
        offset_seconds: zone of the console's times, where the profile states it.
        firsts: the first line of each entry.
        rest: all other lines of entries, by entry.
        rest_places: the entry of each of them.
        counts: lines of each entry.
        edges: whether an entry stands at a rotated file's beginning or end.
        shape: what is learnt of JSON entries.
    """

    lines: Lines
    parts: Integers
    instance: Instance
    layout: Layout
    roles: FieldRoles
    first_number: int
    offset_seconds: int | None
    firsts: Integers
    rest: Integers
    rest_places: Integers
    counts: Integers
    edges: Integers
    shape: HitShape

    def __len__(self) -> int:
        return len(self.firsts)

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Runs of entries that are made into a table at once: the first and the one behind the last."""
        for start in range(0, len(self), _AT_ONCE):
            yield start, min(start + _AT_ONCE, len(self))

    def table(self, start: int, stop: int) -> pa.Table:
        """CONSOLE_ENTRIES rows of a run of entries."""
        own = slice(*np.searchsorted(self.rest_places, [start, stop]))
        rests = _rests(self.lines, self.rest[own], self.rest_places[own] - start)
        rows = self.firsts[start:stop]
        first_lines = _taken(self.lines.text, rows)
        times = self.lines.time[rows]
        said = _said(first_lines, rests, times, self.layout, self.roles, self.shape, self.offset_seconds)
        shared = {
            name: pa.repeat(pa.scalar(getattr(self.instance, name), kind), len(rows)) for name, kind in _SHARED.items()
        }
        own_columns = {
            "number": np.arange(self.first_number + start, self.first_number + stop),
            "time": times,
            "stream": STREAMS.take(pa.array(self.lines.stream[rows])),
            "line_count": self.counts[start:stop] + _line_ends(first_lines),
            "part": self.parts[rows],
            "edge": self.edges[start:stop],
        }
        columns = {**shared, **own_columns, **said}
        return pa.Table.from_arrays([column(columns[f.name], f.type) for f in _SCHEMA], schema=_SCHEMA)


def entries_of(
    lines: Lines,
    parts: Integers,
    instance: Instance,
    layout: Layout,
    roles: FieldRoles,
    first_number: int,
    offset_seconds: int | None = None,
) -> Entries:
    """Tell the entries of one instance apart; the arguments are attributes of `Entries`."""
    heads = layout.heads(lines.text)
    owner = owners(lines, heads, _levels_before_loose_lines(lines, heads, layout), layout.proven(lines.text, ~heads))
    begins = owner == np.arange(len(owner))
    firsts = np.flatnonzero(begins)
    places = (np.cumsum(begins) - 1)[owner]
    rest = np.flatnonzero((owner >= 0) & ~begins)
    rest = rest[np.argsort(places[rest], kind="stable")]
    return Entries(
        lines=lines,
        parts=parts,
        instance=instance,
        layout=layout,
        roles=roles,
        first_number=first_number,
        offset_seconds=offset_seconds,
        firsts=firsts,
        rest=rest,
        rest_places=places[rest],
        counts=np.bincount(places[owner >= 0], minlength=len(firsts)),
        edges=_edges(parts[firsts]),
        shape=HitShape(),
    )


def _taken(texts: pa.Array, rows: np.ndarray[Any, np.dtype[np.int64]]) -> pa.Array:
    """Some texts, rows rising; neighbours are not copied."""
    together = len(rows) and rows[-1] - rows[0] == len(rows) - 1
    return texts.slice(rows[0], len(rows)) if together else texts.take(pa.array(rows))


def _line_ends(texts: pa.Array) -> np.ndarray[Any, Any] | int:
    """Line ends within each text: lines that were joined before anything was grouped."""
    return np.asarray(pc.count_substring(texts, "\n")) if holds(texts, b"\n") else 0


def _levels_before_loose_lines(lines: Lines, heads: np.ndarray[Any, Any], layout: Layout) -> list[str | None]:
    """Levels of the heads that a line without prefix follows on the same stream; grouping asks for no others."""
    levels: list[str | None] = [None] * len(lines)
    if heads.all():
        return levels
    asked: list[np.ndarray[Any, Any]] = []
    for stream in np.unique(lines.stream):
        own = np.flatnonzero(lines.stream == stream)
        asked.append(own[:-1][heads[own[:-1]] & ~heads[own[1:]]])
    rows = np.concatenate(asked)
    if len(rows):
        told = layout.parse(lines.text.take(pa.array(rows))).level.to_pylist()
        for row, level in zip(rows.tolist(), told, strict=True):
            levels[row] = level
    return levels


def _rests(lines: Lines, rows: np.ndarray[Any, Any], places: np.ndarray[Any, Any]) -> dict[int, list[str]]:
    """For entries of several lines, by place, the lines after the first."""
    rests: dict[int, list[str]] = {}
    for place, text in zip(places.tolist(), lines.text.take(pa.array(rows)).to_pylist(), strict=True):
        rests.setdefault(place, []).append(text)
    return rests


def _joined(first_lines: pa.Array, rests: dict[int, list[str]]) -> pa.Array:
    """Whole texts."""
    if not rests:
        return first_lines
    many = list(rests)
    heads = first_lines.take(pa.array(many)).to_pylist()
    whole = ["\n".join([head, *rests[place]]) for head, place in zip(heads, many, strict=True)]
    return put(first_lines, np.array(many), pa.array(whole, pa.large_string()))


def _said(
    first_lines: pa.Array,
    rests: dict[int, list[str]],
    times: np.ndarray[Any, Any],
    layout: Layout,
    roles: FieldRoles,
    shape: HitShape,
    offset_seconds: int | None,
) -> dict[str, Any]:
    """Columns of what the entries say."""
    texts = _joined(first_lines, rests)
    parsed = layout.parse(first_lines)
    messages, heads = _messages(parsed, rests, layout.blocks)
    nothing = pa.nulls(len(texts), pa.string())
    said = Said(parsed, messages, heads, console_times(parsed.time, times, offset_seconds), nothing, nothing)
    if layout.json:
        add_json(texts, roles, shape, said)
    add_pairs(texts, said)
    message_hash, text_hash, mask_hash = hash_columns(
        [normal_forms(said.messages), normal_forms(texts), _templates(said)]
    )
    return {
        "app_time": said.app_time,
        "level": parsed.level,
        "logger": parsed.logger,
        "message": said.messages,
        "template": said.template,
        "properties": said.properties,
        "text": texts,
        "format": parsed.format,
        "text_length": pc.utf8_length(texts),
        "message_hash": message_hash,
        "head_hash": _head_hashes(said, message_hash),
        "text_hash": text_hash,
        "mask_hash": mask_hash,
    }


def _templates(said: Said) -> pa.Array:
    """The template of each entry: the one that its console says, else the head with its values masked."""
    masked = masks(said.heads)
    return masked if said.template.null_count == len(masked) else pc.coalesce(said.template.cast(masked.type), masked)


def _head_hashes(said: Said, message_hash: Integers) -> Integers:
    """Hashes of the heads; most are their message."""
    if said.heads is said.messages:
        return message_hash
    rows = np.flatnonzero(pc.not_equal(said.heads, said.messages))
    found = message_hash.copy()
    found[rows] = hashes(normal_forms(said.heads.take(pa.array(rows))))
    return found


def _messages(parsed: Parsed, rests: dict[int, list[str]], blocks: Blocks | None) -> tuple[pa.Array, pa.Array]:
    """Whole messages, and their first lines without what follows the message."""
    first_messages = parsed.message
    heads = cut_heads(first_messages)
    if not rests:
        return first_messages, heads
    rows = sorted(rests)
    firsts = first_messages.take(pa.array(rows)).to_pylist()
    own_heads = heads.take(pa.array(rows)).to_pylist()
    whole = []
    kinds = parsed.format.take(pa.array(rows)).to_pylist()
    told: list[int] = []
    for position, (row, first, kind) in enumerate(zip(rows, firsts, kinds, strict=True)):
        rest = rests[row]
        inner = blocks.message(rest) if blocks is not None else None
        if inner is not None:
            whole.append(inner)
            own_heads[position] = inner
            told.append(row)
        elif kind == "dotnet_simple":
            rest = [line.removeprefix("      ") for line in rest]
            said = [line for line in rest if not line.startswith("=> ")]
            whole.append("\n".join(said))
            own_heads[position] = said[0] if said else ""
        else:
            whole.append("\n".join([first, *rest]))
    parsed.format = put(parsed.format, np.array(told, dtype=np.int64), pa.repeat("blocks", len(told)))
    changed = np.array(rows)
    return (
        put(first_messages, changed, pa.array(whole, first_messages.type)),
        put(heads, changed, pa.array(own_heads, heads.type)),
    )


def _edges(parts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    edge = np.zeros(len(parts), dtype=np.int64)
    if len(parts) > 1:
        change = np.flatnonzero(parts[1:] != parts[:-1])
        edge[change] = 2
        edge[change + 1] = 1
    return edge
