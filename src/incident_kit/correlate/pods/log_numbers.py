"""Logs of one pod in numbers: entries and documents by level, version and template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incident_kit.correlate.pods.template_counts import rows_of_pod, template_counts
from incident_kit.tables import Table
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    from incident_kit.correlate.pods.identity import PodIdentity
    from incident_kit.evidence import Evidence


def log_numbers(identity: PodIdentity, evidence: Evidence) -> dict[str, Any]:
    """Counts of one pod's console entries and documents.

    Returns:
        ``console_entries`` and ``documents``; ``by_level`` and ``by_version`` of each side; ``by_template``, as
        `template_counts` says.
    """
    return {
        **log_counts(identity, evidence),
        "by_level": _by(identity, evidence, "level"),
        "by_version": _by(identity, evidence, "image"),
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
    return sorted(counts.values(), key=lambda row: (-row["console_entries"] - row["documents"], str(row[column])))
