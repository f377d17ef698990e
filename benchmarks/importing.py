"""Import of a large folder: ``make bench-import``.

Writes raw console and hits until there are ``IMPORT_BYTES`` (2 GB by default), imports them in a process of its own, and
prints seconds, CPU seconds and peak memory, of a tenth first, so that the growth with the rows can be seen. Then a million
entries (``COMPARED``) from raw to verdicts, against reading, splitting and merging with pandas, and a fifth of them for
each other way to write to the console, with an e-mail address in every eighth line, and as a thousand consoles of forty
lines.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.generate import LAYOUTS, WITH_ADDRESSES, write_incident
from benchmarks.measure import Measured, measure

IMPORT_BYTES = int(os.environ.get("IMPORT_BYTES", "2000000000"))
#: Raw bytes of one entry and its document, as the generator writes them.
_BYTES_PER_ENTRY = 403
COMPARED = int(os.environ.get("COMPARED", "1000000"))


def main() -> None:
    """Measure both sizes and print one row each."""
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, load {load:.1f}, {time.strftime('%Y-%m-%d', time.gmtime())}")
    print("| raw MB | entries | documents | seconds | CPU s | MB/s | peak MiB |\n" + "| --- " * 7 + "|")
    for volume in (IMPORT_BYTES // 10, IMPORT_BYTES):
        with tempfile.TemporaryDirectory(prefix="incident-kit-bench-") as scratch:
            print(_row(volume // _BYTES_PER_ENTRY, Path(scratch)), flush=True)
    print("\n| raw to verdicts | entries | seconds | CPU s | peak MiB | called lost |\n" + "| --- " * 6 + "|")
    with tempfile.TemporaryDirectory(prefix="incident-kit-bench-") as scratch:
        raw, bundle = Path(scratch) / "raw", Path(scratch) / "bench.incident"
        withheld = write_incident(raw, COMPARED)
        for name, done in (
            ("kit", measure("import_and_match", raw, bundle)),
            ("pandas", measure("pandas_merge", raw)),
        ):
            print(_compared(name, COMPARED, done, withheld), flush=True)
    others: list[tuple[str, int, dict[str, Any]]] = [(one, COMPARED // 5, {"layout": one}) for one in sorted(LAYOUTS)]
    others.append(("an address in every eighth line", COMPARED // 5, {"templates": WITH_ADDRESSES}))
    others.append(("a thousand consoles", 40_000, {"pods": 1000}))
    for name, count, how in others:
        with tempfile.TemporaryDirectory(prefix="incident-kit-bench-") as scratch:
            raw, bundle = Path(scratch) / "raw", Path(scratch) / "bench.incident"
            withheld = write_incident(raw, count, **how)
            print(_compared(f"kit, {name}", count, measure("import_and_match", raw, bundle), withheld), flush=True)


def _compared(name: str, entries: int, done: Measured, withheld: int) -> str:
    assert isinstance(done.result, dict)
    found = f"{done.result['console_only']} of {withheld}"
    return f"| {name} | {entries} | {done.seconds:.1f} | {done.cpu_seconds:.1f} | {done.peak_bytes / 2**20:.0f} | {found} |"


def _row(entries: int, scratch: Path) -> str:
    raw = scratch / "raw"
    write_incident(raw, entries)
    volume = sum(path.stat().st_size for path in raw.rglob("*") if path.is_file())
    done = measure("importing", raw, scratch / "bench.incident")
    assert isinstance(done.result, dict)
    rows = done.result
    return (
        f"| {volume / 1e6:.0f} | {rows['console_entries']} | {rows['elastic_documents']} | {done.seconds:.0f} "
        f"| {done.cpu_seconds:.0f} | {volume / 1e6 / done.seconds:.0f} | {done.peak_bytes / 2**20:.0f} |"
    )


if __name__ == "__main__":
    main()
