"""Runs of entries to CONSOLE_ENTRIES rows: what their lines say, taken apart column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers, put
from incident_kit.normalise.logs.buckets import column
from incident_kit.normalise.logs.console_times import console_times
from incident_kit.normalise.logs.documents.shape import HitShape
from incident_kit.normalise.logs.entries import Instance, Run
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.formats.blocks import Blocks
from incident_kit.normalise.logs.formats.layout import Layout, Parsed
from incident_kit.normalise.logs.formats.pairs import cut_heads
from incident_kit.normalise.logs.normal_form import hash_columns, hashes, masks, normal_forms
from incident_kit.normalise.logs.said import Said, add_json, add_pairs
from incident_kit.normalise.logs.text_bytes import holds
from incident_kit.tables.logs import CONSOLE_ENTRIES

_SCHEMA = CONSOLE_ENTRIES.schema
#: Words of `Lines.stream`.
STREAMS = pa.array([None, "stdout", "stderr"])
#: The columns that an instance's rows share, and their types.
_SHARED = {name: _SCHEMA.field(name).type for name in Instance.__dataclass_fields__}


def table_of(runs: Sequence[Run]) -> pa.Table:
    """CONSOLE_ENTRIES rows of some runs that may be made together."""
    first = runs[0].entries
    lengths = [len(run) for run in runs]
    rows = [run.entries.firsts[run.start : run.stop] for run in runs]
    lines = [run.entries.lines for run in runs]
    first_lines = _one([_taken(own.text, some) for own, some in zip(lines, rows, strict=True)])
    rests = {
        place + begin: texts
        for run, begin in zip(runs, np.cumsum([0, *lengths]).tolist(), strict=False)
        for place, texts in _rests(run).items()
    }
    times = np.concatenate([own.time[some] for own, some in zip(lines, rows, strict=True)])
    said = _said(first_lines, rests, times, first.layout, first.roles, first.shape, first.offset_seconds)
    streams = np.concatenate([own.stream[some] for own, some in zip(lines, rows, strict=True)])
    counts = np.concatenate([run.entries.counts[run.start : run.stop] for run in runs])
    numbers = [run.entries.first_number + np.arange(run.start, run.stop) for run in runs]
    own_columns = {
        "number": np.concatenate(numbers),
        "time": times,
        "stream": STREAMS.take(pa.array(streams)),
        "line_count": counts + _line_ends(first_lines),
        "part": np.concatenate([run.entries.parts[some] for run, some in zip(runs, rows, strict=True)]),
        "edge": np.concatenate([run.entries.edges[run.start : run.stop] for run in runs]),
    }
    columns = {**_shared(runs, lengths), **own_columns, **said}
    return pa.Table.from_arrays([column(columns[f.name], f.type) for f in _SCHEMA], schema=_SCHEMA)


def _shared(runs: Sequence[Run], lengths: Sequence[int]) -> dict[str, pa.Array]:
    """What an instance's rows share, for the rows of each run."""
    instances = [run.entries.instance for run in runs]
    if len(runs) == 1:
        return {
            name: pa.repeat(pa.scalar(getattr(instances[0], name), kind), lengths[0]) for name, kind in _SHARED.items()
        }
    owner = pa.array(np.repeat(np.arange(len(runs)), lengths))
    return {
        name: pa.array([getattr(one, name) for one in instances], kind).take(owner) for name, kind in _SHARED.items()
    }


def _one(arrays: Sequence[pa.Array]) -> pa.Array:
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


def _taken(texts: pa.Array, rows: np.ndarray[Any, np.dtype[np.int64]]) -> pa.Array:
    """Some texts, rows rising; neighbours are not copied."""
    together = len(rows) and rows[-1] - rows[0] == len(rows) - 1
    return texts.slice(rows[0], len(rows)) if together else texts.take(pa.array(rows))


def _line_ends(texts: pa.Array) -> np.ndarray[Any, Any] | int:
    """Line ends within each text: lines that were joined before anything was grouped."""
    return np.asarray(pc.count_substring(texts, "\n")) if holds(texts, b"\n") else 0


def _rests(run: Run) -> dict[int, list[str]]:
    """For entries of several lines, by place in the run, the lines after the first."""
    lines, own = run.entries.lines, slice(*np.searchsorted(run.entries.rest_places, [run.start, run.stop]))
    rows, places = run.entries.rest[own], run.entries.rest_places[own] - run.start
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
