"""The order of work: documents first, because the consoles' layouts are learnt from their messages."""

from __future__ import annotations

import fnmatch
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.buckets import NO_POD, BucketWriter, bucket_count, bucket_name
from incident_kit.normalise.logs.console import ContainerConsole, InstanceLines, consoles, read_console
from incident_kit.normalise.logs.coverage import console_coverage, elastic_coverage
from incident_kit.normalise.logs.documents import write_documents
from incident_kit.normalise.logs.entries import Instance, entries_of
from incident_kit.normalise.logs.fields import FieldRoles, detect_roles
from incident_kit.normalise.logs.formats.detect import detect_layout
from incident_kit.normalise.logs.formats.json_roles import json_roles
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.hits import Reading, close_reading, hit_files, read_hits
from incident_kit.normalise.logs.normal_form import normal_forms
from incident_kit.normalise.logs.two_lines import join_two_lines
from incident_kit.normalise.raw import RawFolder
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    import pandas as pd

_SAMPLED_HITS = 3_000
_SAMPLED_LINES = 3_000
_KNOWN_MESSAGES = 60_000


def normalise_logs(
    raw: RawFolder, context: Context, containers: pd.DataFrame, pods: pd.DataFrame, tables_folder: Path
) -> list[dict[str, Any]]:
    """Write both log tables; returns COVERAGE rows.

    Args:
        raw: the redacted documents.
        context: window, profile, gaps.
        containers: CONTAINERS rows.
        pods: PODS rows.
        tables_folder: where the datasets go.
    """
    found = consoles(raw, context)
    files = hit_files(raw)
    count = bucket_count(
        sum(p.stat().st_size for p in files) + sum(f.path.stat().st_size for c in found for f in c.files)
    )
    known_pods = {c.pod for c in found} | set(pods["pod"].dropna())
    roles = _roles(raw, files, known_pods, context)
    reading = Reading(files=files)
    reading.incomplete += [f"{gap['what']}: {gap['reason']}" for gap in context.gaps if _says_incomplete(gap)]
    with BucketWriter(tables_folder, ELASTIC_DOCUMENTS, count) as writer:
        facts = write_documents(raw, files, roles, context, reading, writer)
    close_reading(context, reading)
    rows = _write_consoles(found, raw, context, containers, tables_folder, count)
    return rows + elastic_coverage(raw, context, reading, facts)


def _says_incomplete(gap: dict[str, Any]) -> bool:
    what = str(gap["what"])
    other = any(word in what for word in ("mappings", "query.json")) or str(gap["reason"]) in (
        "not collected",
        "the file is empty",
    )
    return (
        gap["source"] == "elasticsearch"
        and what.startswith("elasticsearch/")
        and len(what) > len("elasticsearch/")
        and not other
    )


def _roles(raw: RawFolder, files: list[Path], known_pods: set[str], context: Context) -> FieldRoles:
    """Roles from a sample of every file; gaps found while sampling are found again when reading."""
    quiet = Context(cluster=context.cluster, window=context.window, captured_at=None, profile=context.profile)
    samples: list[dict[str, Any]] = []
    for path in files:
        hits = read_hits(raw, [path], quiet, Reading())
        samples += [hit.source for hit in itertools.islice(hits, max(200, _SAMPLED_HITS // max(1, len(files))))]
    roles, _ = detect_roles(samples, known_pods, _overrides(context))
    return roles


def _overrides(context: Context) -> dict[str, Any]:
    fields = context.profile.fields
    return {role: getattr(fields, role) for role in fields.model_fields_set}


def _write_consoles(
    found: list[ContainerConsole],
    raw: RawFolder,
    context: Context,
    containers: pd.DataFrame,
    tables_folder: Path,
    count: int,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    messages = _Messages(tables_folder / ELASTIC_DOCUMENTS.name, count)
    with BucketWriter(tables_folder, CONSOLE_ENTRIES, count) as writer:
        # Bucket by bucket, so that each bucket's messages are read once.
        for console in sorted(found, key=lambda c: (bucket_name(c.pod, count), c.namespace, c.pod, c.container)):
            instances = [join_two_lines(one) for one in read_console(console, raw, context, containers)]
            sample, known = _sample(instances), messages.of(console.pod)
            layout = detect_layout(sample, known, _stated(console, context))
            roles = json_roles((str(line) for line in sample.to_pylist()), known)
            number = 0
            for one in instances:
                instance = _instance(console, one.restart_count, containers, context)
                table = entries_of(one.lines, one.parts, instance, layout, roles, number, _offset(context))
                number += table.num_rows
                writer.write(table)
            rows += console_coverage(console, instances, containers, context)
    return rows


def _stated(console: ContainerConsole, context: Context) -> list[str]:
    found = []
    for pattern in context.profile.patterns:
        fits = fnmatch.fnmatch(console.container, pattern.container) and fnmatch.fnmatch(
            console.namespace, pattern.namespace
        )
        if fits and fnmatch.fnmatch(console.pod, f"{pattern.workload}*" if pattern.workload != "*" else "*"):
            found.append(stated_expression(pattern.pattern))
    return found


def stated_expression(pattern: str) -> str:
    """A profile's pattern as a first-line regexp with the group ``message``."""
    expression = pattern if pattern.startswith("^") else f"^{pattern}"
    return expression if "(?P<message>" in expression else f"{expression}(?P<message>(?s:.*))$"


def _offset(context: Context) -> int | None:
    zone = context.profile.console_time_zone
    if not zone:
        return None
    if zone[0] in "+-":
        hours, minutes = zone[1:].split(":")
        return (1 if zone[0] == "+" else -1) * (int(hours) * 3600 + int(minutes) * 60)
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    moment = datetime.fromtimestamp(context.window.start // 1_000_000_000, UTC).astimezone(ZoneInfo(zone))
    offset = moment.utcoffset()
    return int(offset.total_seconds()) if offset is not None else None


def _sample(instances: list[InstanceLines]) -> pa.Array:
    pieces = []
    for one in instances:
        size = len(one.lines)
        wanted = min(size, max(200, _SAMPLED_LINES // max(1, len(instances))))
        chosen = np.unique(np.linspace(0, max(0, size - 1), wanted).astype(np.int64))
        pieces.append(one.lines.text.take(pa.array(chosen, pa.int64())))
    return pa.concat_arrays(pieces) if pieces else pa.array([], pa.large_string())


def _instance(
    console: ContainerConsole, restart_count: int | None, containers: pd.DataFrame, context: Context
) -> Instance:
    mine = containers[
        (containers["namespace"] == console.namespace)
        & (containers["pod"] == console.pod)
        & (containers["container"] == console.container)
    ]
    exact = mine[mine["restart_count"] == restart_count] if restart_count is not None and len(mine) else mine
    chosen = exact if len(exact) else mine
    row = chosen.iloc[-1].to_dict() if len(chosen) else {}

    def text(name: str) -> str | None:
        value = row.get(name)
        return value if isinstance(value, str) else None

    observed = row.get("observed")
    image_observed = (
        None if not row else bool(len(exact)) and observed is not None and observed == observed and bool(observed)
    )
    return Instance(
        cluster=context.cluster,
        namespace=console.namespace,
        pod=console.pod,
        pod_uid=text("pod_uid"),
        container=console.container,
        restart_count=restart_count,
        image=text("image"),
        image_digest=text("image_digest"),
        image_observed=image_observed,
    )


class _Messages:
    """The documents' messages of a pod, read bucket by bucket; documents without pod are offered to every pod."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._count = folder, count
        self._bucket: str | None = None
        self._table: pa.Table | None = None
        self._unlabelled = self._forms(self._read(NO_POD))
        self._known: tuple[str, KnownMessages] | None = None

    def of(self, pod: str) -> KnownMessages:
        """Known messages for a pod."""
        if self._known is not None and self._known[0] == pod:
            return self._known[1]
        bucket = bucket_name(pod, self._count)
        if bucket != self._bucket:
            self._bucket, self._table = bucket, self._read(bucket)
        own = [] if self._table is None else self._forms(self._table.filter(pc.equal(self._table["pod"], pod)))
        known = KnownMessages.build(itertools.chain(own, self._unlabelled))
        self._known = (pod, known)
        return known

    def _read(self, bucket: str) -> pa.Table | None:
        path = self._folder / f"bucket={bucket}" / "part-0.parquet"
        return pq.read_table(path, columns=["pod", "level", "message"]) if path.is_file() else None

    def _forms(self, table: pa.Table | None) -> list[tuple[str, str | None]]:
        if table is None or not table.num_rows:
            return []
        step = max(1, table.num_rows // _KNOWN_MESSAGES)
        if step > 1:
            table = table.take(pa.array(np.arange(0, table.num_rows, step)))
        heads = pc.extract_regex(table["message"].combine_chunks(), r"^\s*(?P<head>[^\n]*)").field("head")
        forms = normal_forms(heads).to_pylist()
        return [(form, level) for form, level in zip(forms, table["level"].to_pylist(), strict=True) if form]
