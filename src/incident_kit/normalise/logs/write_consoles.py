"""Consoles to the log table, container by container: read, learn the layout, tell entries apart, make their tables.

Containers are read in some threads and tables are made in others, piece by piece: one large container keeps all
processors busy as well as many small ones, and its tables are never in memory all at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from incident_kit.in_order import WORKERS, in_order
from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.buckets import BucketWriter, bucket_name
from incident_kit.normalise.logs.console import ContainerConsole, InstanceLines, read_console
from incident_kit.normalise.logs.coverage import console_coverage
from incident_kit.normalise.logs.entries import Entries, Instance, Run, entries_of, together
from incident_kit.normalise.logs.entry_table import table_of
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.formats.detect import layout_of
from incident_kit.normalise.logs.formats.json_roles import json_roles
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.layout import Layout
from incident_kit.normalise.logs.formats.learn_blocks import learn_blocks
from incident_kit.normalise.logs.formats.sample import Sample, samples_of
from incident_kit.normalise.logs.formats.stated import offset_seconds, stated_expressions
from incident_kit.normalise.logs.known_instances import KnownInstance, KnownInstances, of_instance
from incident_kit.normalise.logs.known_messages import PodMessages
from incident_kit.normalise.logs.two_lines import join_two_lines
from incident_kit.normalise.raw import RawFolder
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

_SAMPLED_LINES = 3_000
#: Bytes of small consoles that are read at once.
_READ_AT_ONCE = 256 << 10


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

    def runs(pool: Executor) -> Iterator[Run]:
        number = 0
        for some in in_order(pool, lambda works: _read(works, raw, context), _gathered(works)):
            for made in some:
                context.gaps += made.gaps
                rows.extend(made.coverage)
                for entries in made.entries:
                    yield from entries.runs()
            number += len(some)
            context.progress("consoles", number, len(ordered))

    with ThreadPoolExecutor(WORKERS) as pool, BucketWriter(tables_folder, CONSOLE_ENTRIES, count) as writer:
        for table in in_order(pool, table_of, together(runs(pool))):
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


def _gathered(works: Iterable[_Work]) -> Iterator[list[_Work]]:
    """Small consoles together, whose samples are asked at once."""
    waiting: list[_Work] = []
    size = 0
    for work in works:
        own = sum(file.path.stat().st_size for file in work.console.files)
        if waiting and size + own > _READ_AT_ONCE:
            yield waiting
            waiting, size = [], 0
        waiting.append(work)
        size += own
    if waiting:
        yield waiting


def _read(works: Sequence[_Work], raw: RawFolder, context: Context) -> list[_Made]:
    """Some containers; their gaps are their own, so that the order does not depend on the threads'."""
    contexts = [replace(context, gaps=[]) for _ in works]
    instances = [
        [join_two_lines(one) for one in read_console(work.console, raw, own, work.known)]
        for work, own in zip(works, contexts, strict=True)
    ]
    samples = samples_of([_sample(own) for own in instances])
    return [
        _made(work, lines, sample, own.gaps, context)
        for work, lines, sample, own in zip(works, instances, samples, contexts, strict=True)
    ]


def _made(
    work: _Work, instances: list[InstanceLines], sample: Sample, gaps: list[dict[str, Any]], context: Context
) -> _Made:
    layout = layout_of(sample, work.messages, stated_expressions(work.console, context.profile))
    if instances:
        layout.blocks = learn_blocks(max((one.lines for one in instances), key=len), work.messages)
    roles = json_roles(_json_lines(sample), work.messages)
    offset = offset_seconds(context)
    coverage = console_coverage(work.console, instances, work.known, context)
    return _Made(_entries(work, instances, layout, roles, context.cluster, offset), coverage, gaps)


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


def _json_lines(sample: Sample) -> list[str]:
    found: list[str] = sample.some(np.flatnonzero(sample.fits(r"^\s*\{"))).lines.to_pylist()
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
