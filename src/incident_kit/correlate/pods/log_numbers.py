"""Logs of one pod in numbers: entries and documents by level, version and template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from incident_kit.correlate.pods.template_counts import paired_rows, rows_of_pod, template_counts
from incident_kit.correlate.reconcile import reconciliation_of
from incident_kit.correlate.reconcile.files import LogFiles
from incident_kit.tables import Table
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    from incident_kit.correlate.pods.identity import PodIdentity
    from incident_kit.evidence import Evidence


def log_numbers(identity: PodIdentity, evidence: Evidence) -> dict[str, Any]:
    """Counts of one pod's console entries and documents.

    Returns:
        ``console_entries`` and ``documents``; ``by_level`` and ``by_version`` of each side, a document without image being
        of its entry's; ``by_template``, as `template_counts` says.
    """
    return {
        **log_counts(identity, evidence),
        "by_level": _by(identity, evidence, "level"),
        "by_version": _by_version(identity, evidence),
        "by_template": template_counts(identity, evidence),
    }


def log_counts(identity: PodIdentity, evidence: Evidence) -> dict[str, int]:
    """How many ``console_entries`` and ``documents`` of one pod there are."""
    return {
        "console_entries": _count(identity, evidence, CONSOLE_ENTRIES),
        "documents": _count(identity, evidence, ELASTIC_DOCUMENTS),
    }


def _count(identity: PodIdentity, evidence: Evidence, table: Table) -> int:
    rows = rows_of_pod(evidence, table, "SELECT count(*) FROM {source} WHERE {same}", identity)
    return int(rows[0][0]) if rows else 0


def _by(identity: PodIdentity, evidence: Evidence, column: str) -> list[dict[str, Any]]:
    counts: dict[str | None, dict[str, Any]] = {}
    for side, table in (("console_entries", CONSOLE_ENTRIES), ("documents", ELASTIC_DOCUMENTS)):
        sql = f"SELECT {column}, count(*) FROM {{source}} WHERE {{same}} GROUP BY 1"
        for value, count in rows_of_pod(evidence, table, sql, identity):
            row = counts.setdefault(value, {column: value, "console_entries": 0, "documents": 0})
            row[side] += int(count)
    return sorted(counts.values(), key=_commonest(column))


def _by_version(identity: PodIdentity, evidence: Evidence) -> list[dict[str, Any]]:
    """Counts by image; most documents carry none, and have the one of the entry that they are paired with."""
    counts = {row["image"]: row for row in _by(identity, evidence, "image")}
    silent = counts.get(None, {"documents": 0})
    for image, count in _images_of_entries(identity, evidence).items():
        own = min(count, silent["documents"])  # a document of another namespace is paired, but is not counted here
        silent["documents"] -= own
        counts[image]["documents"] += own
    told = [row for row in counts.values() if row["console_entries"] or row["documents"]]
    return sorted(told, key=_commonest("image"))


def _images_of_entries(identity: PodIdentity, evidence: Evidence) -> Counter[str]:
    """Of documents without an image: how many are paired with an entry of each."""
    found: Counter[str] = Counter()
    for bucket in reconciliation_of(evidence).buckets:
        rows = paired_rows(bucket, identity)
        if len(rows):
            entries = LogFiles(bucket.entry_paths).take(["image"], rows)["image"]
            documents = LogFiles(bucket.document_paths).take(["image"], bucket.document[rows].astype(np.int64))["image"]
            silent = pc.and_(pc.is_null(documents), pc.is_valid(entries))
            for pair in pc.value_counts(entries.filter(silent)).to_pylist():
                found[pair["values"]] += pair["counts"]
    return found


def _commonest(column: str) -> Callable[[dict[str, Any]], tuple[int, str]]:
    """Sorts counts, the greatest first."""
    return lambda row: (-row["console_entries"] - row["documents"], str(row[column]))
