"""Go for the lab's builds: the machine's own if it is new enough, else one from the Go module proxy."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from tests.lab.servers import packages
from tests.lab.servers.folders import LAB
from tests.lab.servers.processes import LabError, fetch, run, succeeds

MINIMUM = (1, 26, 3)
TOOLCHAIN = "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64"  # Go published as a module of its own
CACHE = LAB / "go"
BUILD_SECONDS = 2400


def environment() -> dict[str, str]:
    """Settings of every build: caches of the lab, no other toolchain, exact modules."""
    return {
        "GOMODCACHE": str(CACHE / "modules"),
        "GOCACHE": str(CACHE / "build"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "CGO_ENABLED": "0",
    }


def _version(program: str) -> tuple[int, ...]:
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", run(program, "version", environment={"GOTOOLCHAIN": "local"}))
    return tuple(int(part or 0) for part in found.groups()) if found else (0,)


def program() -> str:
    """A Go that is new enough; Debian 12's is not, but it can fetch one that is."""
    own = shutil.which("go")
    if own and _version(own) >= MINIMUM:
        return own
    packages.install("golang-go")
    settings = {**environment(), "GOFLAGS": "-mod=mod"}
    fetching = own or "go"
    empty = CACHE / "empty"
    empty.mkdir(parents=True, exist_ok=True)
    answer = fetch(fetching, "mod", "download", "-json", TOOLCHAIN, seconds=600, environment=settings, cwd=empty)
    folder = Path(json.loads(answer)["Dir"])
    for tool in (*(folder / "bin").iterdir(), *(folder / "pkg" / "tool").rglob("*")):
        if tool.is_file():
            tool.chmod(0o755)  # module archives do not carry the right to execute
    fetched = str(folder / "bin" / "go")
    if not succeeds(fetched, "version", environment={"GOTOOLCHAIN": "local"}):
        raise LabError(f"{TOOLCHAIN} was fetched, but {fetched} does not run")
    return fetched


def build(sources: Path, package: str, output: Path, variables: dict[str, str]) -> None:
    """Compile one package of a module folder; ``variables`` are version strings set by the linker."""
    settings = " ".join(["-s -w", *(f"-X {name}={value}" for name, value in variables.items())])
    command = (
        program(),
        "build",
        "-p",
        os.cpu_count() or 2,
        "-trimpath",
        f"-ldflags={settings}",
        "-o",
        output,
        package,
    )
    fetch("nice", "-n", 5, *command, seconds=BUILD_SECONDS, environment=environment(), cwd=sources)


def module_folder(sources: Path, module: str) -> Path:
    """Where the module cache keeps a dependency of a module folder."""
    command = (program(), "list", "-m", "-f", "{{.Dir}}", module)
    return Path(run(*command, seconds=120, environment=environment(), cwd=sources).strip())
