"""Where the lab keeps everything it downloads, builds and writes: outside the repository."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

LAB = Path(os.environ.get("INCIDENT_KIT_LAB") or Path.home() / ".cache" / "incident-kit-lab").absolute()
REPOSITORY = Path(__file__).resolve().parents[3]


def lab_command(*arguments: str) -> list[str]:
    """The words that run the lab's own command line, from any folder."""
    return ["env", "-C", str(REPOSITORY), sys.executable, "-m", "tests.lab", *arguments]


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, replacing it as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


def password(folder: Path, name: str) -> str:
    """The password of one user of one server: random, made once, kept in the server's state."""
    path = folder / "passwords" / name
    if not path.exists():
        write_private(path, secrets.token_hex(12))
    return path.read_text()
