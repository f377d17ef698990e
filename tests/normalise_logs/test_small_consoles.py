"""Consoles that are read together come out as each would alone."""

from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from incident_kit import import_folder
from incident_kit.normalise.logs import entries, write_consoles
from incident_kit.window import Window
from tests.corpus.cases import build
from tests.corpus.layout import write

CASES = ("format_serilog", "format_clef", "format_klog", "sidecars", "blocks_exporter")
FEW_LINES = 120


def _folder(root: Path) -> Path:
    """The first lines of several cases' consoles with all their documents."""
    raw = root / "raw"
    (raw / "elasticsearch").mkdir(parents=True)
    for name in CASES:
        case = write(build(name), root / name)
        for hits in (case / "elasticsearch").glob("*.ndjson"):
            shutil.copy(hits, raw / "elasticsearch" / f"{name}-{hits.name}")
        for console in (case / "console").rglob("*.log*"):
            target = raw / console.relative_to(case)
            target.parent.mkdir(parents=True, exist_ok=True)
            with console.open("rb") as lines:
                target.write_bytes(b"".join(islice(lines, FEW_LINES)))
    return raw


def _entries(folder: Path, output: Path) -> pa.Table:
    bundle = import_folder(folder, output, window=Window(start=0, end=2**62))
    table = ds.dataset(bundle / "tables" / "console_entries", format="parquet").to_table()
    return table.sort_by([(name, "ascending") for name in ("namespace", "pod", "container", "number")])


def test_reading_small_consoles_together_changes_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = _folder(tmp_path)
    made: list[int] = []
    make = write_consoles.table_of
    monkeypatch.setattr(write_consoles, "table_of", lambda runs: made.append(len(runs)) or make(runs))
    together = _entries(raw, tmp_path / "together.incident")
    assert max(made) > 1

    monkeypatch.setattr(write_consoles, "_READ_AT_ONCE", 0)
    monkeypatch.setattr(entries, "ALL_ASKED", 0)
    made.clear()
    alone = _entries(raw, tmp_path / "alone.incident")
    assert max(made) == 1

    assert len(set(together["format"].to_pylist())) > len(CASES) // 2
    assert together.equals(alone)
