"""``incident-kit``: the program. The only place that turns an error into one line and an exit code."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from incident_kit.cli import answering, capturing, presenting
from incident_kit.cli.run import FAILED, exit_code
from incident_kit.cli.terminal import plain, prepare_streams, say, warn
from incident_kit.errors import IncidentKitError

#: Set to see where a fault of the kit itself happened.
_TRACEBACK = "INCIDENT_KIT_TRACEBACK"
_READ_OR_WRITE = "Choose a folder that you may write to, or have the file made readable for you."
_FULL = "Free some space, or choose a folder on another disk; TMPDIR says where temporary files go."
_WHAT_TO_DO = {
    errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EACCES: _READ_OR_WRITE, errno.EPERM: _READ_OR_WRITE,
    errno.EROFS: _READ_OR_WRITE, errno.ENAMETOOLONG: "Choose a shorter name.",
}  # fmt: skip

app = typer.Typer(
    name="incident-kit",
    help="After an incident: trace a pod, find what only its console knows, which RabbitMQ node it used, what changed.",
    epilog="Begin with the sample: incident-kit demo\n\nEvery command explains itself: incident-kit trace --help\n\n"
    "Exit codes: 0 answered, 1 failed, 2 wrong usage, 3 answered, but gaps in the evidence could change the answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"incident-kit {version('incident-kit')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


capturing.register(app)
answering.register(app)
presenting.register(app)


def main() -> None:
    """Run the program and leave with its exit code; typer itself reports wrong words (exit code 2)."""
    prepare_streams()
    _have_home()
    for name in ("SIGTERM", "SIGHUP"):  # SIGHUP: the terminal went away; Windows has none
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave)
    try:
        app()
    except IncidentKitError as error:
        warn(f"incident-kit: {plain(error)}")
        sys.exit(exit_code(error))
    except BrokenPipeError:
        # The reader (head, less) went away; Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except OSError as error:
        warn(f"incident-kit: {plain(told(error))}")
        sys.exit(FAILED)
    except MemoryError:
        warn("incident-kit: there is not enough memory for this. Ask about one pod or a shorter time, or free some.")
        sys.exit(FAILED)
    except Exception as error:  # the last line of defence: a user never sees a traceback unasked
        if os.environ.get(_TRACEBACK):
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        warn(
            f"incident-kit: a fault of the kit itself: {type(error).__name__}: {plain(error)} "
            f"({Path(where.filename).name}:{where.lineno}). Set {_TRACEBACK}=1 for the details and report it."
        )
        sys.exit(FAILED)


def _have_home() -> None:
    """For an account without a home folder, as containers have, name one that does not exist, as Debian does.

    Then what needs one says that it cannot write there, and everything else works.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = "/nonexistent"


def _leave(number: int, _frame: FrameType | None) -> None:
    """End as the signal asks, but not before temporary files are gone."""
    sys.exit(128 + number)


def told(error: OSError) -> str:
    """What the system refused, of which file, and what to do about it."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        _, target, words = error.args[0][0]  # a copied folder: the first of what failed says enough
        number = re.match(r"\[Errno (\d+)\]", str(words))
        code = int(number[1]) if number else 0
        error = OSError(code, os.strerror(code) if number else str(words), target)
    what = error.strerror or str(error)
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{what}. {_WHAT_TO_DO.get(error.errno or 0, 'Check the path.')}"
