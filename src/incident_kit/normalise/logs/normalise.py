"""The order of work: documents first, because the consoles' layouts are learnt from their messages."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.buckets import BucketWriter, bucket_count
from incident_kit.normalise.logs.console import consoles
from incident_kit.normalise.logs.coverage import elastic_coverage
from incident_kit.normalise.logs.documents import write_documents
from incident_kit.normalise.logs.fields import FieldRoles, detect_roles
from incident_kit.normalise.logs.hits import Reading, close_reading, hit_files, read_hits
from incident_kit.normalise.logs.known_instances import KnownInstances
from incident_kit.normalise.logs.pod_identities import PodIdentities
from incident_kit.normalise.logs.whose import told_by_documents
from incident_kit.normalise.logs.write_consoles import write_consoles
from incident_kit.normalise.raw import RawFolder
from incident_kit.tables.logs import ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    import pandas as pd

_LINE = re.compile(r"\.(?:ndjson|jsonl)(?:\.gz)? line \d+$")
_SAMPLED_HITS = 3_000


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
    roles = _roles(raw, files, PodIdentities.of(known_pods, pods, containers), context)
    reading = Reading(files=files)
    reading.incomplete += [f"{gap['what']}: {gap['reason']}" for gap in context.gaps if _says_incomplete(gap)]
    with BucketWriter(tables_folder, ELASTIC_DOCUMENTS, count) as writer:
        facts = write_documents(raw, files, roles, context, reading, writer)
    close_reading(context, reading)
    found = told_by_documents(found, tables_folder)
    rows = write_consoles(found, raw, context, KnownInstances(containers), tables_folder, count)
    return rows + elastic_coverage(raw, context, reading, facts)


def _says_incomplete(gap: dict[str, Any]) -> bool:
    what = str(gap["what"])
    other = any(word in what for word in ("mappings", "query.json")) or str(gap["reason"]) in (
        "not collected",
        "the file is empty",
    )
    # Tables made anew read the lines themselves again, and know which of the broken ones leave doubt.
    other = other or bool(_LINE.search(what))
    return (
        gap["source"] == "elasticsearch"
        and what.startswith("elasticsearch/")
        and len(what) > len("elasticsearch/")
        and not other
    )


def _roles(raw: RawFolder, files: list[Path], known: PodIdentities, context: Context) -> FieldRoles:
    """Roles from a sample of every file; gaps found while sampling are found again when reading."""
    quiet = Context(cluster=context.cluster, window=context.window, captured_at=None, profile=context.profile)
    samples: list[dict[str, Any]] = []
    for path in files:
        hits = read_hits(raw, [path], quiet, Reading())
        samples += [hit.source for hit in itertools.islice(hits, max(200, _SAMPLED_HITS // max(1, len(files))))]
    roles, _ = detect_roles(samples, known.names, _overrides(context), known)
    return roles


def _overrides(context: Context) -> dict[str, Any]:
    fields = context.profile.fields
    return {role: getattr(fields, role) for role in fields.model_fields_set}
