"""The commands that make bundles: capture, import, snapshot, doctor, note."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from incident_kit.cli.opening import load_profile, required_profile
from incident_kit.cli.run import (
    ANSWERED,
    FAILED,
    WITH_GAPS,
    add_command,
    asked_window,
    bundle_name,
    progress_bars,
)
from incident_kit.cli.terminal import say, warn, warn_of_gaps
from incident_kit.cli.words import Bundle
from incident_kit.counting import plural
from incident_kit.errors import UsageError

ProfileName = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="profile of incident-kit.toml; needed")
]
Name = Annotated[
    Path, typer.Option("-o", "--output", metavar="BUNDLE", help="NAME.incident (a folder) or NAME.zip (one file)")
]
Force = Annotated[bool, typer.Option("--force", help="replace an existing bundle")]
PANEL = "Make bundles"


def capture(
    output: Name,
    profile: ProfileName = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="start of the window: 2026-11-20T08:00:00Z, or -45m, -2h, -1d; needed"
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="end of the window, written like --from; now by default")
    ] = None,
    app: Annotated[
        str | None, typer.Option("--app", metavar="NAME", help="only this Argo CD Application or app label")
    ] = None,
    pod: Annotated[
        str | None, typer.Option("--pod", metavar="POD", help="only this pod, NAME or namespace/NAME")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", metavar="NAME", help="only this namespace")
    ] = None,
    rotated: Annotated[
        bool, typer.Option("--rotated", help="also the rotated console files (needs the powerful nodes/proxy)")
    ] = False,
    force: Force = False,
) -> int:
    """Capture an incident from the live servers into a bundle.

    Only reading is ever sent. What could not be read is among the bundle's gaps, and the exit code is 3.

    Example:
        incident-kit capture --profile shop --from -2h -o checkout.incident
        incident-kit capture --profile shop --from -30m --namespace shop -o checkout.zip
    """
    from incident_kit.capture import capture as run

    window = asked_window(start, end)
    if window is None:
        raise UsageError("--from is needed: the start of the window to judge, e.g. --from -2h.")
    path = run(
        required_profile(profile),
        window,
        bundle_name(output),
        app=app,
        pod=pod,
        namespace=namespace,
        rotated=rotated,
        force=force,
        bars=progress_bars(),
    )
    return _report(path)


def import_(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="what somebody collected: a folder, an archive of it, or one file; or a bundle"
        ),
    ],
    output: Name,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="profile of incident-kit.toml, for field names and log layouts"),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="start of the window, instead of window.json's: 2026-11-20T08:00:00Z"
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="end of the window, instead of window.json's; now by default"),
    ] = None,
    force: Force = False,
) -> int:
    """Make a bundle from hand-collected files, or make a bundle's tables anew.

    Example:
        incident-kit import collected/ -o checkout.incident
        incident-kit import collected.tar.gz -o checkout.zip --from 2026-11-20T08:00:00Z --to 2026-11-20T10:00:00Z
    """
    from incident_kit.importing import import_folder

    window, chosen, target = asked_window(start, end), load_profile(profile), bundle_name(output)
    return _report(import_folder(folder, target, window=window, profile=chosen, force=force, progress=progress_bars()))


def _report(path: Path) -> int:
    """Say what was obtained and what not; the exit code."""
    from incident_kit.evidence import read_evidence

    evidence = read_evidence(path, verify=False)
    counts = {name: count for name, count in sorted(evidence.manifest.rows.items()) if count and name != "coverage"}
    say(f"{path}: {', '.join(f'{count:,} {name}' for name, count in counts.items()) or 'nothing could be read'}")
    gaps = evidence.manifest.gaps
    if not gaps:
        return ANSWERED
    warn(f"{plural(len(gaps), 'gap')}:")
    warn_of_gaps(gaps, f"incident-kit report {path} -o report.html lists them all")
    return WITH_GAPS


def doctor(profile: ProfileName = None) -> int:
    """Can each source be reached and read? What is missing, and the command that grants it.

    Exit code 1 when a check failed. A source that the profile does not name is not configured, which is no failure.

    Example:
        incident-kit doctor --profile shop
    """
    from incident_kit.capture.doctor import examine
    from incident_kit.present.tables import render_check_table

    checks = examine(required_profile(profile))
    say(render_check_table(checks))
    return FAILED if any(check.passed is False for check in checks) else ANSWERED


def snapshot(
    store: Annotated[Path, typer.Option("--store", metavar="FOLDER", help="folder that keeps the snapshots")],
    profile: ProfileName = None,
    keep_days: Annotated[
        float, typer.Option("--keep-days", metavar="DAYS", help="drop snapshots older than this many days")
    ] = 14.0,
    keep_bytes: Annotated[
        int, typer.Option("--keep-bytes", metavar="BYTES", help="drop the oldest beyond this many bytes")
    ] = 2_000_000_000,
) -> int:
    """Keep one cheap capture of pods, events and connections, so that next time history exists.

    Run it every few minutes, by cron or as a CronJob (deploy/); give the snapshots to trace beside a bundle.

    Example:
        incident-kit snapshot --profile shop --store ~/snapshots --keep-days 7
    """
    from incident_kit.capture.snapshot import take_snapshot

    return _report(take_snapshot(required_profile(profile), store, keep_days=keep_days, keep_bytes=keep_bytes))


def note(
    bundle: Bundle,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="what to remember; kept in notes/, outside the checksums")
    ],
) -> int:
    """Add a note to a bundle.

    Example:
        incident-kit note checkout.incident "The gateway was restarted by hand at 10:42"
    """
    from incident_kit.evidence.notes import add_note

    say(f"{add_note(bundle, text)} written")
    return ANSWERED


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for function in (doctor, capture, import_, snapshot, note):
        add_command(app, function, PANEL)
