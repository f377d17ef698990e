"""The words that several commands take: each with its name, what it may be, and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from incident_kit.cli.run import Output

Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="NAME.incident folder or .zip")]
BundleOrProfile = Annotated[
    Path | None, typer.Argument(metavar="BUNDLE", help="NAME.incident folder or .zip; or capture first, by --profile")
]
Pod = Annotated[str, typer.Argument(metavar="POD", help="pod name, or namespace/pod; it may be gone by now")]
ProfileToCapture = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="capture first, with this profile of incident-kit.toml")
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="with --profile, start of the window: 2026-11-20T08:00:00Z, or -30s, -45m, -2h, -1d",
    ),
]
End = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="end of the window, written like --from; now by default")
]
Format = Annotated[
    Output,
    typer.Option(
        "--output",
        "-o",
        help="table for reading; json and csv are complete, times with nanoseconds; in csv an ' stands before what a spreadsheet would run",
    ),
]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="only at this instant: 2026-11-20T08:00:00Z, or -2h")
]
