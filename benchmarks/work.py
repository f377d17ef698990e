"""The work that is measured: the kit's own, and what a user could do instead."""

from __future__ import annotations

import time
from pathlib import Path

#: Imports of libraries are outside the clock of `matching` and `anti_join`: both need DuckDB and Arrow.
Result = dict[str, float | int]


class Clock:
    """Wall seconds and CPU seconds of all threads since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def took(self) -> Result:
        """Seconds since then."""
        return {"seconds": time.perf_counter() - self._wall, "cpu_seconds": time.process_time() - self._cpu}


def import_and_match(folder: str, bundle: str) -> Result:
    """From raw text and raw hits to verdicts."""
    from incident_kit import console_only, import_folder, read_evidence

    path = import_folder(folder, bundle, force=True)
    return {"console_only": len(console_only(read_evidence(path, verify=False)))}


def importing(folder: str, bundle: str) -> Result:
    """From raw text and raw hits to a sealed bundle; rows of its log tables."""
    from incident_kit import import_folder, read_evidence

    rows = read_evidence(import_folder(folder, bundle, force=True), verify=False).manifest.rows
    return {name: rows[name] for name in ("console_entries", "elastic_documents")}


def matching(bundle: str) -> Result:
    """From the tables of a bundle to a verdict for every entry and every document."""
    import pandas as pd  # noqa: F401 - outside the clock, as DuckDB is below
    import pyarrow.parquet as pq  # noqa: F401

    from incident_kit.correlate.reconcile import reconcile
    from incident_kit.evidence import read_evidence

    evidence = read_evidence(bundle, verify=False)
    clock = Clock()
    found = reconcile(evidence)
    took = clock.took()
    return {**took, "console_only": sum(len(one.verdicts.rows("console_only")) for one in found.buckets)}


def anti_join(bundle: str) -> Result:
    """DuckDB's plain anti-join on (pod, message): calls every repeated, shortened or re-spelt entry wrongly."""
    import duckdb

    tables = Path(bundle) / "tables"
    clock = Clock()
    found = duckdb.execute(
        f"""SELECT count(*) FROM '{tables}/console_entries/**/*.parquet' AS entry
        ANTI JOIN '{tables}/elastic_documents/**/*.parquet' AS document
        ON entry.pod = document.pod AND entry.message = document.message"""
    ).fetchall()
    return {**clock.took(), "console_only": found[0][0]}


def pandas_merge(folder: str) -> Result:
    """Read and split the same raw files with pandas, then merge: what people write in a notebook."""
    import pandas as pd

    pattern = (
        r"^(?P<time>\S+) (?P<app_time>\S+) (?P<level>\w+)\s+\[(?P<thread>[^\]]+)\] (?P<logger>\S+) - (?P<message>.*)$"
    )
    consoles, documents = [], []
    for path in sorted(Path(folder).glob("console/*/*/*.log")):
        lines = pd.Series(path.read_text(encoding="utf-8").splitlines())
        part = lines.str.extract(pattern)
        part["time"] = pd.to_datetime(part["time"])
        part["pod"] = path.parent.name
        consoles.append(part)
    for path in sorted(Path(folder).glob("elasticsearch/*.ndjson")):
        hits = pd.read_json(path, lines=True)
        part = pd.json_normalize(hits["_source"].tolist())
        part["@timestamp"] = pd.to_datetime(part["@timestamp"])
        documents.append(part)
    console, document = pd.concat(consoles), pd.concat(documents)
    keys = document[["podName", "message"]].drop_duplicates()
    merged = console.merge(
        keys, left_on=["pod", "message"], right_on=["podName", "message"], how="left", indicator=True
    )
    return {"console_only": int((merged["_merge"] == "left_only").sum())}
