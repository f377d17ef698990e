"""Debian packages of the lab, installed when missing, without letting Debian start their services."""

from __future__ import annotations

from pathlib import Path

from tests.lab.servers.processes import LabError, run

APT_LIST = Path(__file__).with_name("apt.txt")
# Debian asks this program before it starts a service; 101 means "no".
SERVICE_POLICY = Path("/usr/sbin/policy-rc.d")


def wanted() -> list[str]:
    """The packages named in ``apt.txt``."""
    lines = (line.split("#")[0].strip() for line in APT_LIST.read_text().splitlines())
    return [line for line in lines if line]


def _missing(names: list[str]) -> list[str]:
    listing = run("dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Abbrev}\n", *names, check=False)
    installed = {line.split()[0] for line in listing.splitlines() if line.split()[-1] == "ii"}
    return [name for name in names if name not in installed]


def install(*extra: str) -> None:
    """Install what is missing of ``apt.txt`` and of ``extra``; nothing to do is the usual case."""
    missing = _missing([*wanted(), *extra])
    if not missing:
        return
    print(f"apt-get install {' '.join(missing)}", flush=True)
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
    ours = not SERVICE_POLICY.exists()
    if ours:
        SERVICE_POLICY.write_text("#!/bin/sh\nexit 101\n")
        SERVICE_POLICY.chmod(0o755)
    try:
        run(*apt, "update", seconds=300, environment=environment)
        run(*apt, "install", "-y", "--no-install-recommends", *missing, seconds=900, environment=environment)
    finally:
        if ours:
            SERVICE_POLICY.unlink()
    if still := _missing(missing):
        raise LabError(f"apt installed, yet missing: {' '.join(still)}")
