"""What a command answers from: a bundle, a store of snapshots, or a capture made now with a profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from incident_kit.cli.run import progress_bars
from incident_kit.cli.terminal import warn
from incident_kit.errors import UsageError
from incident_kit.window import Window

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence
    from incident_kit.profile import Profile


def load_profile(name: str | None) -> Profile | None:
    """The profile of that name from incident-kit.toml, or None when none was asked for."""
    if name is None:
        return None
    from incident_kit.profile import load_profile as load

    return load(name)


def required_profile(name: str | None) -> Profile:
    """The profile of that name.

    Raises:
        UsageError: none was asked for.
    """
    profile = load_profile(name)
    if profile is None:
        from incident_kit.profile import profile_names

        known = profile_names()
        raise UsageError(
            "--profile NAME is needed: it says which cluster, Elasticsearch and RabbitMQ to read. "
            + (
                f"There {'are' if len(known) > 1 else 'is'}: {', '.join(known)}."
                if known
                else "docs/profile.md shows how to write one."
            )
        )
    return profile


def open_evidence(
    bundle: Path | None,
    profile: str | None,
    start: str | None,
    end: str | None,
    *,
    pod: str | None = None,
    store: bool = False,
) -> Evidence:
    """The bundle named, or one captured now by --profile and --from (kept; its path goes to stderr).

    Args:
        bundle: a bundle; with ``store`` also a folder of snapshots, which are read as one.
        profile: profile to capture with.
        start: start of the window to capture.
        end: its end.
        pod: only this pod is captured.
        store: whether the answer can be had from snapshots.

    Raises:
        UsageError: neither or both were named, a window beside a bundle, or a store for a question that takes one bundle.
    """
    from incident_kit.evidence import read_evidence

    if bundle is not None:
        if profile is not None:
            raise UsageError("Give a bundle or --profile, not both.")
        if start is not None or end is not None:
            raise UsageError(
                "--from and --to say what to capture with --profile; a bundle has its own window. Leave them out."
            )
        taken = snapshots_of(bundle)
        if not taken:
            return read_evidence(bundle, progress=progress_bars())
        if not store:
            raise UsageError(f"{bundle} is a store of snapshots: trace, rabbit, rabbit-node and whois read it whole; "
                             f"for this question name one of them, such as {taken[-1]}.")  # fmt: skip
        from incident_kit.correlate.merged import MergedEvidence

        return MergedEvidence([read_evidence(path) for path in taken])
    if profile is None or start is None:
        raise UsageError("Name a bundle, or capture first with --profile NAME --from T [--to T].")
    return read_evidence(_capture_now(profile, start, end, pod), verify=False, progress=progress_bars())


def snapshots_of(path: Path) -> list[Path]:
    """Snapshots of a store, oldest first; none where it is no store."""
    if not path.is_dir() or (path / "manifest.json").is_file():
        return []
    from incident_kit.capture.snapshot import snapshots

    return snapshots(path)


def _capture_now(profile: str, start: str, end: str | None, pod: str | None) -> Path:
    """Capture into a new bundle in the current folder before an answer; its path."""
    from incident_kit.capture import capture as run

    window = Window.parse(start, end or "now")
    settings = required_profile(profile)
    stem = (pod or profile).replace("/", "_").replace(":", "_")
    path = next(p for i in range(1, 10_000) if not (p := Path(f"{stem}-{i}.incident")).exists())
    warn(f"Capturing into {path} ...")
    return run(settings, window, path, pod=pod, bars=progress_bars())
