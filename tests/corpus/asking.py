"""Ask the kit: by its command line as a user would, or the same command inside this process where start-up would dominate."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from .model import JsonObject

ACCEPTED_EXITS = (0, 3)
Command = Callable[..., str]


class KitFailed(Exception):
    """The kit exited with a code that no answer has."""


def by_command_line(*arguments: str) -> str:
    """Run ``incident-kit`` of this interpreter's environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    program = shutil.which("incident-kit", path=path) or "incident-kit"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=600, check=False)
    return _judged(arguments[0], done.returncode, done.stdout, done.stderr)


def in_process(*arguments: str) -> str:
    """Run the same command without a new interpreter."""
    from incident_kit.cli.main import main

    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", ["incident-kit", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main() or 0
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    return _judged(arguments[0], code, out.getvalue(), err.getvalue())


def _judged(name: str, code: int, out: str, err: str) -> str:
    if code not in ACCEPTED_EXITS:
        raise KitFailed(f"{name} exited {code}: {(err.strip() or out.strip())[-600:]}")
    return out


def answer(folder: Path, command: Command) -> JsonObject:
    """Import a folder and ask for every verdict."""
    bundle = folder.parent / "case.incident"
    command("import", str(folder), "-o", str(bundle), "--force")
    return json.loads(command("console-only", str(bundle), "--verdicts", "--output", "json"))
