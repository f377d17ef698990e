"""Run one piece of work in a process of its own and say how long it took and how much memory it held."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """Wall seconds, CPU seconds and peak resident memory of one process, and what it printed last (JSON)."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    result: object


def measure(work: str, *arguments: object) -> Measured:
    """Run ``benchmarks.work.<work>(*arguments)`` in a fresh interpreter."""
    code = (
        "import json, sys; from benchmarks import work; from benchmarks.measure import own_peak_bytes; "
        f"print(json.dumps([work.{work}(*sys.argv[1:]), own_peak_bytes()]))"
    )
    seconds, usage, output = run_python(work, "-c", code, *map(str, arguments))
    result, peak = json.loads(output.strip().splitlines()[-1])
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak, result)


def own_peak_bytes() -> int:
    """Peak resident memory of this process; ``ru_maxrss`` would begin with what its parent held when it was started."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("peak memory is read from Linux' /proc/self/status, and it is not there")


def run_python(work: str, *arguments: str) -> tuple[float, resource.struct_rusage, str]:
    """Run a fresh interpreter: wall seconds, what it used of the machine, and what it printed.

    Args:
        work: what is run, for the error.
        arguments: the interpreter's.

    Raises:
        RuntimeError: it failed.
    """
    # Compiled modules are kept, as they are where the kit is installed, also if this shell keeps none.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True, env=environment)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{work} ended with {process.returncode}")
    return seconds, usage, output
