"""``incident-kit``: the program. The only place that turns an error into one line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import typer

from incident_kit.cli import answering, capturing, presenting
from incident_kit.cli.run import FAILED, exit_code, plain, warn
from incident_kit.errors import IncidentKitError

#: Set to see where a fault of the kit itself happened.
_TRACEBACK = "INCIDENT_KIT_TRACEBACK"

app = typer.Typer(
    name="incident-kit",
    help="Post-incident analysis: trace a pod, find what only the console knows, which Rabbit node, what changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
capturing.register(app)
answering.register(app)
presenting.register(app)


def main() -> None:
    """Run the program and leave with its exit code; typer itself reports wrong words (exit code 2)."""
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
        warn(f"incident-kit: {plain(error)}. Check the path, its permissions and the free space.")
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
