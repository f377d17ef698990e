"""Consoles to the log table, container by container: read, learn the layout, tell entries apart, make their tables.

Containers are read in some threads and tables are made in others, piece by piece: one large container keeps all
processors busy as well as many small ones, and its tables are never in memory all at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.in_order import WORKERS, in_order
from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.buckets import BucketWriter, bucket_name
from incident_kit.normalise.logs.console import ContainerConsole, InstanceLines, read_console
from incident_kit.normalise.logs.coverage import console_coverage
from incident_kit.normalise.logs.entries import Entries, Instance, entries_of
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.formats.detect import detect_layout
from incident_kit.normalise.logs.formats.json_roles import json_roles
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.layout import Layout
from incident_kit.normalise.logs.formats.learn_blocks import learn_blocks
from incident_kit.normalise.logs.formats.stated import offset_seconds, stated_expressions
from incident_kit.normalise.logs.known_instances import KnownInstance, KnownInstances, of_instance
from incident_kit.normalise.logs.known_messages import PodMessages
from incident_kit.normalise.logs.two_lines import join_two_lines
from incident_kit.normalise.raw import RawFolder
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

_SAMPLED_LINES = 3_000


def write_consoles(
    found: list[ContainerConsole],
    raw: RawFolder,
    context: Context,
    known: KnownInstances,
    tables_folder: Path,
    count: int,
) -> list[dict[str, Any]]:
    """Write the entries of all consoles; returns their COVERAGE rows.

    Args:
        found: the consoles.
        raw: the redacted files.
        context: window, profile, gaps.
        known: instances as Kubernetes knew them.
        tables_folder: where the datasets go; the documents are there already.
        count: buckets of each log table.
    """
    rows: list[dict[str, Any]] = []
    messages = PodMessages(tables_folder / ELASTIC_DOCUMENTS.name, count)
    # Bucket by bucket, so that each bucket's messages are read once.
    ordered = sorted(found, key=lambda c: (bucket_name(c.pod, count), c.namespace, c.pod, c.container))
    works = (
        _Work(console, messages.of(console.pod), known.of(console.namespace, console.pod, console.container))
        for console in ordered
    )

    def pieces(pool: Executor) -> Iterator[tuple[Entries, int, int]]:
        for number, made in enumerate(in_order(pool, lambda work: _read(work, raw, context), works), 1):
            context.gaps += made.gaps
            rows.extend(made.coverage)
            for entries in made.entries:
                yield from ((entries, *piece) for piece in entries.pieces())
            context.progress("consoles", number, len(ordered))

    with ThreadPoolExecutor(WORKERS) as pool, BucketWriter(tables_folder, CONSOLE_ENTRIES, count) as writer:
        for table in in_order(pool, lambda piece: piece[0].table(*piece[1:]), pieces(pool)):
            writer.write(table)
    return rows


@dataclass(frozen=True, slots=True)
class _Work:
    console: ContainerConsole
    messages: KnownMessages
    known: list[KnownInstance]


@dataclass(frozen=True, slots=True)
class _Made:
    entries: list[Entries]
    coverage: list[dict[str, Any]]
    gaps: list[dict[str, Any]]


def _read(work: _Work, raw: RawFolder, context: Context) -> _Made:
    """One container; its gaps are its own, so that their order does not depend on the threads'."""
    own = replace(context, gaps=[])
    instances = [join_two_lines(one) for one in read_console(work.console, raw, own, work.known)]
    sample = _sample(instances)
    layout = detect_layout(sample, work.messages, stated_expressions(work.console, context.profile))
    if instances:
        layout.blocks = learn_blocks(max((one.lines for one in instances), key=len), work.messages)
    roles = json_roles(_json_lines(sample), work.messages)
    offset = offset_seconds(context)
    coverage = console_coverage(work.console, instances, work.known, context)
    return _Made(_entries(work, instances, layout, roles, context.cluster, offset), coverage, own.gaps)


def _entries(
    work: _Work, instances: list[InstanceLines], layout: Layout, roles: FieldRoles, cluster: str, offset: int | None
) -> list[Entries]:
    found: list[Entries] = []
    for one in instances:
        instance = _instance(work, one.restart_count, cluster)
        found.append(entries_of(one.lines, one.parts, instance, layout, roles, sum(map(len, found)), offset))
    return found


def _sample(instances: list[InstanceLines]) -> pa.Array:
    pieces = []
    for one in instances:
        size = len(one.lines)
        wanted = min(size, max(200, _SAMPLED_LINES // max(1, len(instances))))
        chosen = np.unique(np.linspace(0, max(0, size - 1), wanted).astype(np.int64))
        pieces.append(one.lines.text.take(pa.array(chosen, pa.int64())))
    return pa.concat_arrays(pieces) if pieces else pa.array([], pa.large_string())


def _json_lines(sample: pa.Array) -> list[str]:
    found: list[str] = sample.filter(pc.match_substring_regex(sample, r"^\s*\{")).to_pylist()
    return found


def _instance(work: _Work, restart_count: int | None, cluster: str) -> Instance:
    exact = of_instance(work.known, restart_count)
    chosen = exact or work.known
    row = chosen[-1] if chosen else None
    return Instance(
        cluster=cluster,
        namespace=work.console.namespace,
        pod=work.console.pod,
        pod_uid=row.pod_uid if row else None,
        container=work.console.container,
        restart_count=restart_count,
        image=row.image if row else None,
        image_digest=row.image_digest if row else None,
        image_observed=bool(exact) and bool(row.observed) if row else None,
    )
