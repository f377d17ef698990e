"""Run one piece of work in a process of its own and say how long it took and how much memory it held."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """Wall seconds, CPU seconds and peak resident memory of one process, and what it printed last (JSON)."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    result: object


def measure(work: str, *arguments: object) -> Measured:
    """Run ``benchmarks.work.<work>(*arguments)`` in a fresh interpreter."""
    code = f"import json, sys; from benchmarks import work; print(json.dumps(work.{work}(*sys.argv[1:])))"
    seconds, usage, output = run_python(work, "-c", code, *map(str, arguments))
    lines = output.strip().splitlines()
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, json.loads(lines[-1]))


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
