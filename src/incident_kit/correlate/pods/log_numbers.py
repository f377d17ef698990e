"""Logs of one pod in numbers: entries and documents by level, version and template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incident_kit.tables import Table
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    from incident_kit.correlate.pods.identity import PodIdentity
    from incident_kit.evidence import Evidence

#: Templates told, the most frequent first.
TEMPLATES = 20


def log_numbers(identity: PodIdentity, evidence: Evidence) -> dict[str, Any]:
    """Counts of one pod's console entries and documents.

    Returns:
        ``console_entries`` and ``documents``; ``by_level`` and ``by_version`` of each side; ``by_template``: the
        most frequent ones, each with an example, counts per side, first and last time.
    """
    return {
        "console_entries": _count(identity, evidence, CONSOLE_ENTRIES),
        "documents": _count(identity, evidence, ELASTIC_DOCUMENTS),
        "by_level": _by(identity, evidence, "level"),
        "by_version": _by(identity, evidence, "image"),
        "by_template": _templates(identity, evidence),
    }


def _query(evidence: Evidence, table: Table, sql: str, identity: PodIdentity) -> list[tuple[Any, ...]]:
    files = evidence.parquet(table)
    if not files:
        return []
    import duckdb

    source = "read_parquet($files, hive_partitioning = false)"
    same = "pod = $pod AND (namespace IS NULL OR $namespace IS NULL OR namespace = $namespace)"
    values = {"files": files, "pod": identity.pod, "namespace": identity.namespace}
    with duckdb.connect() as connection:
        return connection.execute(sql.format(source=source, same=same), values).fetchall()


def _count(identity: PodIdentity, evidence: Evidence, table: Table) -> int:
    rows = _query(evidence, table, "SELECT count(*) FROM {source} WHERE {same}", identity)
    return int(rows[0][0]) if rows else 0


def _by(identity: PodIdentity, evidence: Evidence, column: str) -> list[dict[str, Any]]:
    counts: dict[str | None, dict[str, Any]] = {}
    for side, table in (("console_entries", CONSOLE_ENTRIES), ("documents", ELASTIC_DOCUMENTS)):
        sql = f"SELECT {column}, count(*) FROM {{source}} WHERE {{same}} GROUP BY 1"
        for value, count in _query(evidence, table, sql, identity):
            row = counts.setdefault(value, {column: value, "console_entries": 0, "documents": 0})
            row[side] += int(count)
    return sorted(counts.values(), key=lambda row: (-row["console_entries"] - row["documents"], str(row[column])))


def _templates(identity: PodIdentity, evidence: Evidence) -> list[dict[str, Any]]:
    sql = (
        "SELECT coalesce(template, regexp_replace(split_part(message, chr(10), 1), '[0-9]+', '#', 'g')) AS t, "
        'count(*), min(epoch_ns("time")), max(epoch_ns("time")), any_value(left(message, 200)) '
        "FROM {source} WHERE {same} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 200"
    )
    found: dict[str, dict[str, Any]] = {}
    for side, table in (("console_entries", CONSOLE_ENTRIES), ("documents", ELASTIC_DOCUMENTS)):
        for template, count, first, last, example in _query(evidence, table, sql, identity):
            row = found.setdefault(
                template,
                {"template": template, "example": example, "console_entries": 0, "documents": 0,
                 "first_at": first, "last_at": last},
            )  # fmt: skip
            row[side] += int(count)
            row["first_at"], row["last_at"] = min(row["first_at"], first), max(row["last_at"], last)
    ordered = sorted(found.values(), key=lambda row: (-row["console_entries"] - row["documents"], str(row["template"])))
    return ordered[:TEMPLATES]
