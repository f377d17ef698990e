"""What all commands share: the window asked for, printing an answer, exit codes.

Exit codes (contract): 0 answered, 1 failed with one clear line, 2 usage, 3 answered but with gaps that could change
the answer.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import typer

from incident_kit.cli.terminal import say, say_data, warn, warn_of_gaps
from incident_kit.counting import plural
from incident_kit.errors import IncidentKitError, NotFoundError, UsageError
from incident_kit.window import Window

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence
    from incident_kit.present.progress import ProgressBars

ANSWERED, FAILED, USAGE, WITH_GAPS, INTERRUPTED = 0, 1, 2, 3, 130

#: Sources whose gaps could change an answer. Every answer names pods, so Kubernetes counts everywhere.
RELEVANT: dict[str, tuple[str, ...]] = {
    "console-only": ("console", "elasticsearch", "kubernetes", "bundle"),
    "logs": ("console", "elasticsearch", "kubernetes", "bundle"),
    "restarts": ("kubernetes", "bundle"),
    "reach": ("kubernetes", "bundle"),
    "rabbit": ("rabbitmq", "kubernetes", "bundle"),
    "rabbit-node": ("rabbitmq", "kubernetes", "bundle"),
    "whois": ("kubernetes", "bundle"),
    "changes": ("kubernetes", "argocd", "bundle"),
    "findings": ("console", "elasticsearch", "kubernetes", "rabbitmq", "argocd", "bundle"),
    "trace": ("console", "elasticsearch", "kubernetes", "rabbitmq", "argocd", "bundle"),
    "diff": ("kubernetes", "argocd", "rabbitmq", "bundle"),
    "detect-fields": ("elasticsearch", "bundle"),
}
#: Objects that no answer about pods, addresses and connections reads, so that their lack changes none.
_UNREAD = re.compile(r"\b(?:configmaps|cronjobs|ingresses|networkpolicies)\b", re.IGNORECASE)
_OF_PODS = frozenset({"restarts", "rabbit", "rabbit-node", "whois"})
_EXAMPLE = "Example:"


class Output(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def add_command(app: typer.Typer, function: Callable[..., int], panel: str) -> None:
    """Add a command that leaves with the exit code that its function returns.

    Its name is the function's; its help is the docstring, of which the part after ``Example:`` stands last, a line
    each.

    Args:
        app: the program.
        function: what the command does.
        panel: the group of commands in ``--help`` that it belongs to.
    """
    text, _, examples = (inspect.getdoc(function) or "").partition(_EXAMPLE)
    lines = [line.strip() for line in examples.splitlines() if line.strip()]

    @wraps(function)
    def command(*args: Any, **kwargs: Any) -> None:
        try:
            code = function(*args, **kwargs)
        except KeyboardInterrupt:
            warn("incident-kit: interrupted; nothing is half written. A capture goes on when it is asked again.")
            code = INTERRUPTED
        if code:
            raise typer.Exit(code)

    name = function.__name__.rstrip("_").replace("_", "-")
    epilog = "\n\n".join([_EXAMPLE, *lines]) if lines else None
    app.command(name=name, help=text.strip(), epilog=epilog, rich_help_panel=panel)(command)


def asked_window(start: str | None, end: str | None) -> Window | None:
    """The window given by --from and --to; None when neither is."""
    if start is None and end is None:
        return None
    if start is None:
        raise UsageError("--to needs --from: give both ends of the window.")
    return Window.parse(start, end or "now")


def bundle_name(path: Path) -> Path:
    """The name of a bundle to be written, which says what it is.

    Raises:
        UsageError: it ends in neither ``.incident`` nor ``.zip``.
    """
    if path.suffix not in {".incident", ".zip"}:
        raise UsageError(f"{path} should end in .incident (a folder) or .zip (one file).")
    return path


def progress_bars() -> ProgressBars:
    """Bars on stderr where it is a terminal; however the command ends, they are cleared."""
    from incident_kit.present.progress import ProgressBars

    bars = ProgressBars()
    command = click.get_current_context(silent=True)
    if command is not None:
        command.call_on_close(bars.close)
    return bars


@contextmanager
def asking(*evidences: Evidence) -> Iterator[None]:
    """Around a question: a name that is not found says so differently where something could not be looked at.

    Raises:
        NotFoundError: no source knows the name, as before.
    """
    try:
        yield
    except NotFoundError:
        for evidence in evidences:
            gaps = evidence.gaps
            if len(gaps):
                warn(
                    f"{evidence.path.name} is incomplete ({plural(len(gaps), 'gap')}), so the name may be missing for that:"
                )
                warn_of_gaps(gaps.to_dict("records"), "see the report")
        raise


def relevant_gaps(command: str, evidence: Evidence, extra: pd.DataFrame | None = None) -> pd.DataFrame:
    """GAPS rows that could change this command's answer: the bundle's, and those the answer itself found."""
    import pandas as pd

    gaps = evidence.gaps
    gaps = gaps[gaps["source"].isin(RELEVANT[command])]
    if command in _OF_PODS:
        unread = (gaps["source"] == "kubernetes") & gaps["what"].astype(str).str.contains(_UNREAD)
        gaps = gaps[~unread]
    if extra is not None and len(extra):
        gaps = pd.concat([gaps, extra], ignore_index=True)
    return gaps.reset_index(drop=True)


def print_answer(command: str, frame: pd.DataFrame, evidence: Evidence, output: Output) -> int:
    """Print rows, coverage and gaps as asked; the exit code."""
    from incident_kit.present.formats import render

    gaps = relevant_gaps(command, evidence, frame.attrs.get("gaps"))
    for piece in render(frame, evidence.coverage, gaps, output.value):
        print_text(piece, output)
    return finish(gaps, output)


def print_text(text: str, output: Output) -> None:
    """An answer on standard output, for a reader or for a program."""
    (say if output is Output.TABLE else say_data)(text)


def finish(gaps: pd.DataFrame, output: Output) -> int:
    """Say on stderr that gaps could change the answer; the exit code.

    A rule that did not apply is told among the gaps, but what it lacked has a gap of its own where it was not captured.
    """
    gaps = gaps[gaps["source"] != "rules"]
    if not len(gaps):
        return ANSWERED
    if output is not Output.JSON:
        warn(f"{plural(len(gaps), 'gap')} could change this answer:")
        warn_of_gaps(gaps.to_dict("records"), "--output json lists them all")
    return WITH_GAPS


def exit_code(error: IncidentKitError) -> int:
    """Exit code of an error: wrong question 2, anything else 1."""
    return USAGE if isinstance(error, UsageError) else FAILED
