"""Pods as the logs know them: first and last seen, node, image, counts; by one grouped query per log table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.tables import Table
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS
from incident_kit.window import MAX_NS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPod:
    """What one side of the logs knows of one pod name.

    Attributes:
        side: console or elastic.
        namespace: None where the documents do not say.
        pod: name of the pod.
        first: earliest time (ns); None where every time is later than the capture (a clock in another zone).
        last: latest time up to the capture (ns).
        count: entries or documents.
        nodes: nodes the documents name.
        images: image references, as the documents say or as the console's instance ran.
    """

    side: str
    namespace: str | None
    pod: str
    first: int | None
    last: int | None
    count: int
    nodes: tuple[str, ...]
    images: tuple[str, ...]


def pods_in_logs(evidence: Evidence) -> list[LogPod]:
    """Every pod name that a console file or a document carries."""

    def read() -> list[LogPod]:
        documents = _grouped(evidence, ELASTIC_DOCUMENTS, "elastic", "node", "image")
        return documents + _grouped(evidence, CONSOLE_ENTRIES, "console", "NULL", "NULL")

    return evidence.memo("pods_in_logs", read)


def _grouped(evidence: Evidence, table: Table, side: str, node: str, image: str) -> list[LogPod]:
    files = evidence.parquet(table)
    if not files:
        return []
    import duckdb

    until = evidence.captured_at if evidence.captured_at is not None else MAX_NS
    # epoch_ns keeps what fetchall would cut from a timestamp.
    possible = 'FILTER (epoch_ns("time") <= ?)'
    query = f"""
        SELECT namespace, pod, min(epoch_ns("time")) {possible}, max(epoch_ns("time")) {possible}, count(*),
               list(DISTINCT {node}) FILTER ({node} IS NOT NULL), list(DISTINCT {image}) FILTER ({image} IS NOT NULL)
        FROM read_parquet(?, hive_partitioning = false)
        WHERE pod IS NOT NULL AND pod <> '' AND "time" IS NOT NULL
        GROUP BY ALL
    """
    with duckdb.connect() as connection:
        rows = connection.execute(query, [until, until, files]).fetchall()
    found = [
        LogPod(
            side=side,
            namespace=namespace,
            pod=pod,
            first=None if first is None else int(first),
            last=None if last is None else int(last),
            count=int(count),
            nodes=tuple(sorted(map(str, nodes or ()))),
            images=tuple(sorted(map(str, images or ()))),
        )
        for namespace, pod, first, last, count, nodes, images in rows
    ]
    return sorted(found, key=lambda row: (row.pod, row.namespace or "", row.first or 0))
