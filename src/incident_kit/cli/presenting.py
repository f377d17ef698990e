"""The commands that tell the story: demo, timeline, report, notebook, jupyter, tables."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from incident_kit.cli.run import ANSWERED, FAILED, add_command
from incident_kit.cli.terminal import say, warn
from incident_kit.cli.words import Bundle
from incident_kit.counting import plural
from incident_kit.errors import UsageError

PANEL = "Show and hand over"


def _named(path: Path, suffixes: set[str]) -> Path:
    if path.suffix.lower() not in suffixes:
        *others, last = sorted(suffixes)
        raise UsageError(f"{path} should end in {', '.join(others)} or {last}.")
    return path


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="folder for the files")] = Path(
        "demo-output"
    ),
) -> int:
    """The sample incident, end to end: the story, a timeline, a report.

    Example:
        incident-kit demo
    """
    from incident_kit.present.demo import run_demo

    say(run_demo(output))
    return ANSWERED


def timeline(
    bundle: Bundle,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="picture: .png, .svg or .pdf")],
) -> int:
    """Draw pods, log rates, connections and changes on one time axis.

    Example:
        incident-kit timeline checkout.incident -o timeline.png
    """
    from incident_kit.evidence import read_evidence
    from incident_kit.present.files import write_whole
    from incident_kit.present.timeline import plot_timeline

    path = _named(output, {".png", ".svg", ".pdf"})
    picture = io.BytesIO()
    plot_timeline(read_evidence(bundle)).savefig(picture, format=path.suffix.lower().removeprefix("."))
    write_whole(path, picture.getvalue())
    say(f"{path} written")
    return ANSWERED


def report(
    bundle: Bundle,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="report: .html (one file) or .md")],
) -> int:
    """Write the report to hand over: findings, figures, coverage, gaps.

    Example:
        incident-kit report checkout.incident -o checkout.html
    """
    from incident_kit.evidence import read_evidence
    from incident_kit.present.report import write_report

    path = _named(output, {".html", ".md"})
    write_report(read_evidence(bundle), path)
    say(f"{path} written")
    return ANSWERED


def notebook(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="00_capture, 01_trace_a_pod ... or an unambiguous part of a name")
    ],
    bundle: Bundle,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="NAME.html by default")] = None,
    pod: Annotated[
        str | None, typer.Option("--pod", metavar="POD", help="pod to ask about; the first finding's by default")
    ] = None,
) -> int:
    """Run one notebook headless on a bundle and write it as one HTML file.

    Example:
        incident-kit notebook trace checkout.incident --pod orders-api-5fc5964bfc-4pfpf -o trace.html
    """
    from incident_kit.present.notebook import run_notebook

    path = run_notebook(name, bundle, output, parameters={"pod": pod} if pod else {})
    say(f"{path} written")
    return ANSWERED


def jupyter(
    bundle: Annotated[Path | None, typer.Argument(metavar="BUNDLE", help="the sample by default")] = None,
) -> int:
    """Open JupyterLab on copies of the notebooks in ./incident-notebooks, with a bundle as their default.

    Example:
        incident-kit jupyter checkout.incident
    """
    from incident_kit.present.notebook import copy_notebooks, jupyter_lab

    folder = Path("incident-notebooks")
    if kept := copy_notebooks(folder, bundle):
        warn(f"{folder} holds {plural(len(kept), 'notebook')} from before; they stay as they are, with the bundle that they "
             "name. Move the folder away to begin anew.")  # fmt: skip
    code = subprocess.run(jupyter_lab(folder), check=False).returncode
    if code and hasattr(os, "geteuid") and os.geteuid() == 0:
        warn(f"JupyterLab refuses root by default. To allow it: {shlex.join(jupyter_lab(folder, '--allow-root'))}")
    return ANSWERED if code == 0 else FAILED


def tables(
    name: Annotated[str | None, typer.Argument(metavar="TABLE", help="only this table")] = None,
) -> int:
    """What each table is: columns, types, units, origin.

    Example:
        incident-kit tables console-only
    """
    from incident_kit.present.tables import render_declaration
    from incident_kit.tables import ALL

    if name is not None and name not in ALL:
        raise UsageError(f"There is no table {name!r}. Known: {', '.join(sorted(ALL))}.")
    for table in [ALL[name]] if name else ALL.values():
        say(render_declaration(table))
    return ANSWERED


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for function in (demo, timeline, report, notebook, jupyter, tables):
        add_command(app, function, PANEL)
