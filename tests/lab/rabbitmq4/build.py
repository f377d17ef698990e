"""Builds the root (a Debian with RabbitMQ 4, by debootstrap) and the clients' libraries, once."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.lab.rabbitmq4.settings import FOLDER, INSIDE, ROOT, SUITE, VENV
from tests.lab.servers import packages
from tests.lab.servers.processes import fetch

MIRROR = "http://deb.debian.org/debian"
SCRIPTS = Path("/usr/share/debootstrap/scripts")
LIBRARIES = ("pika==1.4.4", "python-qpid-proton==0.40.0", "paho-mqtt==2.2.0", "stomp.py==9.0.0", "rstream==1.1.1")


def build() -> None:
    """Make what is missing; a part that was not finished is made anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    packages.install("debootstrap")
    if not ROOT.exists():
        partial = ROOT.with_name("root.partial")
        shutil.rmtree(partial, ignore_errors=True)
        # A suite that is younger than this debootstrap is made as the unstable one.
        script = SCRIPTS / (SUITE if (SCRIPTS / SUITE).exists() else "sid")
        fetch(
            "debootstrap", "--variant=minbase", "--include=rabbitmq-server", SUITE, partial, MIRROR, script, seconds=900
        )
        (partial / "etc" / "resolv.conf").unlink(missing_ok=True)  # nobody is looked up, and nobody waited for
        partial.rename(ROOT)
    ROOT.joinpath(*INSIDE.parts[1:]).mkdir(exist_ok=True)
    if not VENV.exists():
        partial = VENV.with_name("clients.partial")
        shutil.rmtree(partial, ignore_errors=True)
        fetch(sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--target", partial,
              *LIBRARIES, seconds=600)  # fmt: skip
        partial.rename(VENV)
