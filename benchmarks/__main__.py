"""``make bench``: the table of DESIGN's speed ratios, measured in one run on this machine.

``ENTRIES="1000000 3000000 10000000"`` chooses the sizes, ``PANDAS_LIMIT`` the largest size that pandas is asked to do.
``KEEP=FOLDER`` leaves the bundles there and takes those that are there already, so that matching can be measured again
without importing anew; then nothing is said of the import.
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
KEEP = os.environ.get("KEEP")
RUNS = 3


def main() -> None:
    """Measure every size; rows are printed as they are known."""
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, load {load:.0f}, {time.strftime('%Y-%m-%d', time.gmtime())}")
    _print(
        "\nMatching: from the tables of a bundle to a verdict for every row, against DuckDB's anti-join on (pod, message)\n",
        "| entries | match s | CPU s | peak MiB | anti-join s | CPU s | peak MiB | ratio | CPU ratio | called lost | anti-join says |",
        "| --- " * 11 + "|",
    )
    imports = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="incident-kit-bench-") as scratch:
            bundle = Path(KEEP or scratch) / f"bench-{size}.incident"
            if not bundle.exists():
                imports.append(_import(size, Path(scratch) / "raw", bundle))
            _print(_match(size, bundle))
    if imports:
        _print(
            "\nFrom raw text and hits to verdicts, against reading, splitting and merging with pandas\n",
            "| entries | raw MiB | kit s | CPU s | peak MiB | pandas s | CPU s | peak MiB | pandas/kit | CPU | called lost | withheld |",
            "| --- " * 12 + "|",
            *imports,
        )


def _print(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


def _import(size: int, raw: Path, bundle: Path) -> str:
    withheld = write_incident(raw, size)
    volume = sum(path.stat().st_size for path in raw.rglob("*") if path.is_file())
    kit = measure("import_and_match", raw, bundle)
    pandas = measure("pandas_merge", raw) if size <= PANDAS_LIMIT else None
    shutil.rmtree(raw)
    rival = "- | - | - | - | -"
    if pandas:
        ratios = pandas.seconds / kit.seconds, pandas.cpu_seconds / kit.cpu_seconds
        rival = f"{_whole(pandas)} | {ratios[0]:.1f} | {ratios[1]:.1f}"
    return f"| {size} | {volume >> 20} | {_whole(kit)} | {rival} | {_value(kit, 'console_only'):.0f} | {withheld} |"


def _match(size: int, bundle: Path) -> str:
    """Both in turn, and the best of each: what a neighbour takes must not fall on one of them."""
    runs = [(measure("matching", bundle), measure("anti_join", bundle)) for _ in range(RUNS)]
    kit, rival = (min(one, key=lambda run: _value(run, "cpu_seconds")) for one in zip(*runs, strict=True))
    wall = [min(_value(run, "seconds") for run in one) for one in zip(*runs, strict=True)]
    cpu = [_value(run, "cpu_seconds") for run in (kit, rival)]
    return (
        f"| {size} | {wall[0]:.1f} | {cpu[0]:.1f} | {kit.peak_bytes >> 20} | {wall[1]:.1f} | {cpu[1]:.1f} "
        f"| {rival.peak_bytes >> 20} | {wall[0] / wall[1]:.1f} | {cpu[0] / cpu[1]:.1f} "
        f"| {_value(kit, 'console_only'):.0f} | {_value(rival, 'console_only'):.0f} |"
    )


def _whole(measured: Measured) -> str:
    return f"{measured.seconds:.1f} | {measured.cpu_seconds:.1f} | {measured.peak_bytes >> 20}"


def _value(measured: Measured, name: str) -> float:
    assert isinstance(measured.result, dict)
    return float(measured.result[name])


if __name__ == "__main__":
    main()
