"""One container instance's lines to CONSOLE_ENTRIES rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.normalise.logs.buckets import column
from incident_kit.normalise.logs.console_times import console_times
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.formats.layout import Layout, Parsed
from incident_kit.normalise.logs.formats.pairs import cut_heads, level_of, pairs_of
from incident_kit.normalise.logs.grouping import owners
from incident_kit.normalise.logs.json_lines import json_entry
from incident_kit.normalise.logs.lines import STREAMS, Lines
from incident_kit.normalise.logs.normal_form import hashes, masks, normal_forms
from incident_kit.tables.logs import CONSOLE_ENTRIES

_SCHEMA = CONSOLE_ENTRIES.schema
#: Entries that are made into a table at once.
_AT_ONCE = 100_000
_JSON_START = r"^\s*\{"


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


def entries_of(
    lines: Lines,
    parts: np.ndarray[Any, Any],
    instance: Instance,
    layout: Layout,
    roles: FieldRoles,
    first_number: int,
    offset_seconds: int | None = None,
) -> Iterator[pa.Table]:
    """Entries of one instance, in time order, in tables of bounded size.

    Args:
        lines: all lines of the instance in time order.
        parts: number of the rotated file of each line.
        instance: what all rows share.
        layout: how the container writes.
        roles: field roles for JSON entries.
        first_number: number of the first entry within the container.
        offset_seconds: zone of the console's times, where the profile states it.
    """
    if not len(lines):
        return
    heads = layout.heads(lines.text)
    owner = owners(lines, heads, _levels_before_loose_lines(lines, heads, layout), layout.proven(lines.text, ~heads))
    firsts = np.unique(owner[owner >= 0])
    places = np.searchsorted(firsts, owner)
    counts = np.bincount(places[owner >= 0], minlength=len(firsts))
    edges = _edges(parts[firsts])
    rest = np.flatnonzero((owner >= 0) & (owner != np.arange(len(owner))))
    rest = rest[np.argsort(places[rest], kind="stable")]
    for start in range(0, len(firsts), _AT_ONCE):
        stop = min(start + _AT_ONCE, len(firsts))
        own = rest[slice(*np.searchsorted(places[rest], [start, stop]))]
        rests = _rests(lines, own, places[own] - start)
        rows = firsts[start:stop]
        first_lines = lines.text.take(pa.array(rows))
        said = _said(first_lines, rests, lines.time[rows], layout, roles, offset_seconds)
        shared = {
            **{name: pa.repeat(pa.scalar(getattr(instance, name), kind), len(rows)) for name, kind in _SHARED.items()},
            "number": np.arange(first_number + start, first_number + stop),
            "time": lines.time[rows],
            "stream": STREAMS[lines.stream[rows]],
            "line_count": counts[start:stop] + np.asarray(pc.count_substring(first_lines, "\n")),
            "part": parts[rows],
            "edge": edges[start:stop],
        }
        columns = {**shared, **said}
        yield pa.Table.from_arrays([column(columns[f.name], f.type) for f in _SCHEMA], schema=_SCHEMA)


def _levels_before_loose_lines(lines: Lines, heads: np.ndarray[Any, Any], layout: Layout) -> np.ndarray[Any, Any]:
    """Levels of the heads that a line without prefix follows on the same stream; grouping asks for no others."""
    levels = np.full(len(lines), None, dtype=object)
    if heads.all():
        return levels
    asked: list[np.ndarray[Any, Any]] = []
    for stream in np.unique(lines.stream):
        own = np.flatnonzero(lines.stream == stream)
        asked.append(own[:-1][heads[own[:-1]] & ~heads[own[1:]]])
    rows = np.concatenate(asked)
    if len(rows):
        levels[rows] = layout.parse(lines.text.take(pa.array(rows))).level
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
    mask = np.zeros(len(first_lines), dtype=bool)
    mask[many] = True
    whole = ["\n".join([head, *rests[place]]) for head, place in zip(heads, many, strict=True)]
    return pc.replace_with_mask(first_lines, pa.array(mask), pa.array(whole, pa.large_string()))


def _said(
    first_lines: pa.Array,
    rests: dict[int, list[str]],
    times: np.ndarray[Any, Any],
    layout: Layout,
    roles: FieldRoles,
    offset_seconds: int | None,
) -> dict[str, Any]:
    """Columns of what the entries say."""
    count = len(first_lines)
    texts = _joined(first_lines, rests)
    parsed = layout.parse(first_lines)
    messages, heads = _messages(parsed.message, parsed.format, rests)
    said = _Said(app_time=console_times(pa.array(parsed.time, pa.string()), times, offset_seconds))
    if layout.json:
        messages, heads = _json_entries(texts, roles, parsed, said, messages, heads)
    _pair_properties(texts, parsed, said)
    forms = normal_forms(messages)
    head_forms = forms if heads is messages else normal_forms(heads)
    text_forms = forms if texts is messages else normal_forms(texts)
    message_hash = hashes(forms)
    return {
        "app_time": said.app_time,
        "level": parsed.level,
        "logger": parsed.logger,
        "message": messages,
        "template": _sparse(said.template, count),
        "properties": _sparse(said.properties, count),
        "text": texts,
        "format": parsed.format,
        "text_length": pc.utf8_length(texts),
        "message_hash": message_hash,
        "head_hash": message_hash if head_forms is forms else hashes(head_forms),
        "text_hash": message_hash if text_forms is forms else hashes(text_forms),
        "mask_hash": _template_hashes(heads, said.template),
    }


def _template_hashes(heads: pa.Array, templates: dict[int, str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Hash of each entry's template: the one that its console says, else the head with its values masked."""
    if not templates:
        return hashes(masks(heads))
    told = np.zeros(len(heads), dtype=bool)
    rows = sorted(templates)
    told[rows] = True
    named = pa.array([templates[row] for row in rows], heads.type)
    return hashes(pc.replace_with_mask(masks(heads), pa.array(told), named))


@dataclass(slots=True)
class _Said:
    """What entries say beside their message, by row; few entries of most containers say it."""

    app_time: pa.Array
    template: dict[int, str] = field(default_factory=dict)
    properties: dict[int, str] = field(default_factory=dict)


def _sparse(values: dict[int, str], count: int) -> pa.Array:
    if not values:
        return pa.nulls(count, pa.string())
    return pa.array([values.get(row) for row in range(count)], pa.string())


def _json_entries(
    texts: pa.Array, roles: FieldRoles, parsed: Parsed, said: _Said, messages: pa.Array, heads: pa.Array
) -> tuple[pa.Array, pa.Array]:
    """Entries that are JSON objects, by field roles; messages and heads with theirs put in."""
    rows = np.flatnonzero(pc.match_substring_regex(texts, _JSON_START))
    app_time: dict[int, int | None] = {}
    changed: dict[int, tuple[str, str]] = {}
    for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True):
        found = json_entry(text, roles)
        if found is None:
            continue
        message = found["message"]
        body = (
            message if not found["exception"] or found["exception"] in message else f"{message}\n{found['exception']}"
        )
        changed[row] = (body, message.partition("\n")[0])
        parsed.format[row], parsed.level[row], parsed.logger[row] = "json", found["level"], found["logger"]
        app_time[row] = found["time"]
        if found["template"] is not None:
            said.template[row] = found["template"]
        if found["properties"]:
            said.properties[row] = orjson.dumps(found["properties"], default=str).decode()
    if not changed:
        return messages, heads
    order = list(changed)
    mask = np.zeros(len(texts), dtype=bool)
    mask[order] = True
    flags = pa.array(mask)
    said.app_time = pc.replace_with_mask(said.app_time, flags, pa.array(app_time.values(), pa.int64()))
    return (
        pc.replace_with_mask(messages, flags, pa.array([changed[r][0] for r in order], messages.type)),
        pc.replace_with_mask(heads, flags, pa.array([changed[r][1] for r in order], heads.type)),
    )


def _messages(
    first_messages: pa.Array, formats: np.ndarray[Any, Any], rests: dict[int, list[str]]
) -> tuple[pa.Array, pa.Array]:
    """Whole messages, and their first lines without what follows the message."""
    heads = cut_heads(first_messages)
    if not rests:
        return first_messages, heads
    rows = sorted(rests)
    firsts = first_messages.take(pa.array(rows)).to_pylist()
    own_heads = heads.take(pa.array(rows)).to_pylist()
    whole = []
    for position, (row, first) in enumerate(zip(rows, firsts, strict=True)):
        rest = rests[row]
        if formats[row] == "dotnet_simple":
            rest = [line.removeprefix("      ") for line in rest]
            said = [line for line in rest if not line.startswith("=> ")]
            whole.append("\n".join(said))
            own_heads[position] = said[0] if said else ""
        else:
            whole.append("\n".join([first, *rest]))
    mask = np.zeros(len(first_messages), dtype=bool)
    mask[rows] = True
    return (
        pc.replace_with_mask(first_messages, pa.array(mask), pa.array(whole, first_messages.type)),
        pc.replace_with_mask(heads, pa.array(mask), pa.array(own_heads, heads.type)),
    )


def _pair_properties(texts: pa.Array, parsed: Parsed, said: _Said) -> None:
    rows = np.flatnonzero(pc.match_substring_regex(texts, r"[\w]=|\{\"|\n\s+[\w.]+: "))
    for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True):
        if parsed.format[row] != "json":
            found = pairs_of(text)
            if not isinstance(parsed.level[row], str):
                parsed.level[row] = level_of(text, found)
            if found:
                said.properties[row] = orjson.dumps(found, default=str).decode()


def _edges(parts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    edge = np.zeros(len(parts), dtype=np.int64)
    if len(parts) > 1:
        change = np.flatnonzero(parts[1:] != parts[:-1])
        edge[change] = 2
        edge[change + 1] = 1
    return edge
