"""``make bench``: the table of DESIGN's speed ratios, measured in one run on this machine.

``ENTRIES="1000000 3000000 10000000"`` chooses the sizes; ``PANDAS_LIMIT`` is the largest size that pandas is asked to do.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.generate import write_incident
from benchmarks.measure import Measured, measure

SIZES = [int(size) for size in os.environ.get("ENTRIES", "1000000").split()]
PANDAS_LIMIT = int(os.environ.get("PANDAS_LIMIT", "3000000"))


def main() -> None:
    """Measure every size and print one row each."""
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d', time.gmtime())}")
    print(
        "| entries | raw bytes | match s | DuckDB anti-join s | ratio | match peak MiB | "
        "raw to verdicts s | pandas s | pandas/kit | peak MiB | found / withheld | anti-join says |"
    )
    print("| --- " * 12 + "|")
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="incident-kit-bench-") as scratch:
            print(_row(size, Path(scratch)), flush=True)


def _row(size: int, scratch: Path) -> str:
    raw, bundle = scratch / "raw", scratch / "bench.incident"
    withheld = write_incident(raw, size)
    volume = sum(path.stat().st_size for path in raw.rglob("*") if path.is_file())
    whole = measure("import_and_match", raw, bundle)
    pandas = measure("pandas_merge", raw) if size <= PANDAS_LIMIT else None
    shutil.rmtree(raw)
    # The page cache is warm for both; the better of three shields the ratio from a neighbour's noise.
    match = min((measure("matching", bundle) for _ in range(3)), key=_inner)
    rival = min((measure("anti_join", bundle) for _ in range(3)), key=_inner)
    found, said = _value(whole, "console_only"), _value(rival, "console_only")
    return (
        f"| {size} | {volume} | {_inner(match):.1f} | {_inner(rival):.1f} | {_inner(match) / _inner(rival):.1f} "
        f"| {match.peak_bytes / 2**20:.0f} | {whole.seconds:.1f} | {f'{pandas.seconds:.1f}' if pandas else '-'} "
        f"| {f'{pandas.seconds / whole.seconds:.2f}' if pandas else '-'} | {whole.peak_bytes / 2**20:.0f} "
        f"| {found:.0f} / {withheld} | {said:.0f} |"
    )


def _value(measured: Measured, name: str) -> float:
    assert isinstance(measured.result, dict)
    return float(measured.result[name])


def _inner(measured: Measured) -> float:
    return _value(measured, "seconds")


if __name__ == "__main__":
    main()
