"""What all commands share: opening evidence, printing an answer, exit codes.

Exit codes (contract): 0 answered, 1 failed with one clear line, 2 usage, 3 answered but with gaps that could change
the answer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from incident_kit.errors import IncidentKitError, UsageError
from incident_kit.window import Window

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence
    from incident_kit.profile import Profile

ANSWERED, FAILED, USAGE, WITH_GAPS = 0, 1, 2, 3
_GAPS_SHOWN = 8

#: Sources whose gaps could change an answer. Every answer names pods, so Kubernetes counts everywhere.
RELEVANT: dict[str, tuple[str, ...]] = {
    "console-only": ("console", "elasticsearch", "kubernetes", "bundle"),
    "logs": ("console", "elasticsearch", "kubernetes", "bundle"),
    "restarts": ("kubernetes", "bundle"),
    "rabbit": ("rabbitmq", "kubernetes", "bundle"),
    "rabbit-node": ("rabbitmq", "kubernetes", "bundle"),
    "whois": ("kubernetes", "bundle"),
    "changes": ("kubernetes", "argocd", "bundle"),
    "findings": ("console", "elasticsearch", "kubernetes", "rabbitmq", "argocd", "bundle"),
    "trace": ("console", "elasticsearch", "kubernetes", "rabbitmq", "argocd", "bundle"),
    "diff": ("kubernetes", "argocd", "bundle"),
    "detect-fields": ("elasticsearch", "bundle"),
}


class Output(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def add_command(app: typer.Typer, function: Callable[..., int], name: str) -> None:
    """Add a command that leaves with the exit code that its function returns."""

    @wraps(function)
    def command(*args: Any, **kwargs: Any) -> None:
        code = function(*args, **kwargs)
        if code:
            raise typer.Exit(code)

    app.command(name=name)(command)


def warn(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr)  # noqa: T201 - the terminal is this package's job


def say(text: str) -> None:
    """The answer, alone on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def load_profile(name: str | None) -> Profile | None:
    """The profile of that name from incident-kit.toml, or None when none was asked for."""
    if name is None:
        return None
    from incident_kit.profile import load_profile as load

    return load(name)


def asked_window(start: str | None, end: str | None) -> Window | None:
    """The window given by --from and --to; None when neither is."""
    if start is None and end is None:
        return None
    if start is None:
        raise UsageError("--to needs --from: give both ends of the window.")
    return Window.parse(start, end or "now")


def open_evidence(
    bundle: Path | None, profile: str | None, start: str | None, end: str | None, **scope: Any
) -> Evidence:
    """The bundle named, or one captured now by --profile and --from (kept; its path goes to stderr)."""
    from incident_kit.evidence import read_evidence

    if bundle is not None:
        if profile is not None:
            raise UsageError("Give a bundle or --profile, not both.")
        return read_evidence(bundle)
    if profile is None or start is None:
        raise UsageError("Name a bundle, or capture first with --profile NAME --from T [--to T].")
    from incident_kit.cli.capturing import capture_now

    return read_evidence(capture_now(profile, start, end, **scope), verify=False)


def relevant_gaps(command: str, evidence: Evidence, extra: pd.DataFrame | None = None) -> pd.DataFrame:
    """GAPS rows that could change this command's answer: the bundle's, and those the answer itself found."""
    import pandas as pd

    gaps = evidence.gaps
    gaps = gaps[gaps["source"].isin(RELEVANT[command])]
    if extra is not None and len(extra):
        gaps = pd.concat([gaps, extra], ignore_index=True)
    return gaps.reset_index(drop=True)


def print_answer(
    command: str, frame: pd.DataFrame, evidence: Evidence, output: Output, *, coverage: pd.DataFrame | None = None
) -> int:
    """Print rows, coverage and gaps as asked; the exit code."""
    from incident_kit.present.formats import render

    gaps = relevant_gaps(command, evidence, frame.attrs.get("gaps"))
    known = evidence.coverage if coverage is None else coverage
    say(render(frame, known, gaps, output.value))
    return finish(gaps, output)


def finish(gaps: pd.DataFrame, output: Output) -> int:
    """Say on stderr that gaps could change the answer; the exit code.

    A rule that did not apply is told among the gaps, but what it lacked has a gap of its own where it was not captured.
    """
    gaps = gaps[gaps["source"] != "rules"]
    if not len(gaps):
        return ANSWERED
    if output is not Output.JSON:
        from incident_kit.present.text import plural

        warn(f"{plural(len(gaps), 'gap')} could change this answer:")
        warn_of_gaps(gaps.to_dict("records"), "--output json lists them all")
    return WITH_GAPS


def warn_of_gaps(gaps: Sequence[Mapping[Any, Any]], rest: str) -> None:
    """The first gaps on stderr, each with its remedy where it has one.

    Args:
        gaps: GAPS rows.
        rest: where the others are told.
    """
    for gap in gaps[:_GAPS_SHOWN]:
        remedy = f" -> {plain(gap['remedy'])}" if isinstance(gap.get("remedy"), str) and gap["remedy"] else ""
        warn(f"  {plain(gap['source'])}: {plain(gap['what'])}: {plain(gap['reason'])}{remedy}")
    if len(gaps) > _GAPS_SHOWN:
        warn(f"  ... and {len(gaps) - _GAPS_SHOWN} more; {rest}")


def plain(value: object) -> str:
    """Text of a source without control characters: a log line must not steer the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))


def exit_code(error: IncidentKitError) -> int:
    """Exit code of an error: wrong question 2, anything else 1."""
    return USAGE if isinstance(error, UsageError) else FAILED
