"""Log templates of one pod, counted on both sides: what it writes most often.

A template is the logger's own where a document carries one, else the first line with its numbers masked. Consoles show
no templates, so entries are told under the spelling of the documents that they are paired with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.correlate.reconcile import reconciliation_of
from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.files import LogFiles
from incident_kit.correlate.reconcile.pairs import OWN
from incident_kit.tables import Table
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    from incident_kit.arrays import Integers
    from incident_kit.correlate.pods.identity import PodIdentity
    from incident_kit.evidence import Evidence

#: Templates told, the most frequent first.
TEMPLATES = 20
#: Pairs of a bucket from which the documents' spellings are learnt, spread over all of the pod's.
_PAIRS = 50_000
_SPELLING = "coalesce({0}template, regexp_replace(split_part({0}message, chr(10), 1), '[0-9]+', '#', 'g'))"
_COLUMNS = ("template", "message")


def template_counts(identity: PodIdentity, evidence: Evidence) -> list[dict[str, Any]]:
    """The most frequent templates of a pod, each with an example, counts per side, first and last time (ns)."""
    sql = (
        f"SELECT {_SPELLING.format('')} AS t, "
        'count(*), min(epoch_ns("time")), max(epoch_ns("time")), any_value(left(message, 200)) '
        "FROM {source} WHERE {same} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 200"
    )
    of_documents = _spellings_of_documents(identity, evidence)
    found: dict[str, dict[str, Any]] = {}
    for side, table in (("console_entries", CONSOLE_ENTRIES), ("documents", ELASTIC_DOCUMENTS)):
        for written, count, first, last, example in rows_of_pod(evidence, table, sql, identity):
            template = of_documents.get(written, written) if table is CONSOLE_ENTRIES else written
            row = found.setdefault(
                template,
                {"template": template, "example": example, "console_entries": 0, "documents": 0,
                 "first_at": first, "last_at": last},
            )  # fmt: skip
            row[side] += int(count)
            row["first_at"], row["last_at"] = min(row["first_at"], first), max(row["last_at"], last)
    ordered = sorted(found.values(), key=lambda row: (-row["console_entries"] - row["documents"], str(row["template"])))
    return ordered[:TEMPLATES]


def rows_of_pod(evidence: Evidence, table: Table, sql: str, identity: PodIdentity) -> list[tuple[Any, ...]]:
    """What a query says of one pod's rows of a log table.

    Args:
        evidence: an opened bundle.
        table: a log table.
        sql: the query; ``{source}`` in it are the table's files, ``{same}`` says that a row is the pod's.
        identity: the pod.
    """
    files = evidence.parquet(table)
    if not files:
        return []
    import duckdb

    source = "read_parquet($files, hive_partitioning = false)"
    same = "pod = $pod AND (namespace IS NULL OR $namespace IS NULL OR namespace = $namespace)"
    values = {"files": files, "pod": identity.pod, "namespace": identity.namespace}
    with duckdb.connect() as connection:
        return connection.execute(sql.format(source=source, same=same), values).fetchall()


def _spellings_of_documents(identity: PodIdentity, evidence: Evidence) -> dict[str, str]:
    """For each spelling on the console, the one that most of its entries' documents have."""
    import duckdb
    import pyarrow as pa

    pairs = []
    for bucket in reconciliation_of(evidence).buckets:
        rows = paired_rows(bucket, identity)
        if len(rows):
            rows = rows[:: len(rows) // _PAIRS + 1]
            entries = LogFiles(bucket.entry_paths).take(_COLUMNS, rows)
            documents = LogFiles(bucket.document_paths).take(_COLUMNS, bucket.document[rows].astype(np.int64))
            pairs.append(
                pa.table(
                    [*entries.columns, *documents.columns], names=["template", "message", "d_template", "d_message"]
                )
            )
    if not pairs:
        return {}
    with duckdb.connect() as connection:
        connection.register("pairs", pa.concat_tables(pairs))
        sql = f"SELECT {_SPELLING.format('')} AS t, mode({_SPELLING.format('d_')}) FROM pairs GROUP BY 1"
        return {str(written): str(told) for written, told in connection.execute(sql).fetchall() if written and told}


def paired_rows(bucket: Bucket, identity: PodIdentity) -> Integers:
    """Rows of the pod's entries in a bucket that have a document of their own, one that names the pod."""
    entries, find = bucket.entries, bucket.names.find
    own = entries.owners[:, 0] == find(identity.pod)
    if identity.namespace is not None:
        own &= entries.owners[:, 1] == find(identity.namespace)
    return np.flatnonzero(own[entries.owner] & (bucket.where == OWN))
