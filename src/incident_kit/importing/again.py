"""Run today's normalisers on an old bundle: its ``raw/`` is evidence, its tables are only what an older kit read from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from incident_kit.evidence import read_evidence
from incident_kit.importing.build import build_bundle, staging
from incident_kit.nested import instant
from incident_kit.normalise.context import Context
from incident_kit.progress import Progress, silent

if TYPE_CHECKING:
    from incident_kit.profile import Profile
    from incident_kit.window import Window


def normalise_again(
    bundle: Path,
    output: Path,
    *,
    window: Window | None = None,
    profile: Profile | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Path:
    """Make a bundle with the raw documents, gaps and notes of another and freshly made tables.

    Args:
        bundle: the old bundle; it is verified first and not changed.
        output: ``NAME.incident`` or ``NAME.zip``.
        window: another window to judge; by default the old one.
        profile: other field names and patterns; by default the old ones.
        force: replace an existing output.
        progress: told how far the work is.

    Raises:
        BundleError: the old bundle is torn or changed, or the output exists.
    """
    evidence = read_evidence(bundle)
    manifest = evidence.manifest
    with staging(output, force=force) as stage:
        shutil.copytree(evidence.folder / "raw", stage / "raw")
        if (evidence.folder / "notes").is_dir():
            shutil.copytree(evidence.folder / "notes", stage / "notes")
        context = Context(
            cluster=manifest.cluster,
            window=window or manifest.window,
            captured_at=manifest.captured_at,
            profile=profile or evidence.profile,
            imported=manifest.imported,
            progress=progress,
        )
        # What could not be had then is still not had; what the normalisers say again is not said twice.
        context.gaps.extend({**gap, "from": instant(gap, "from"), "to": instant(gap, "to")} for gap in manifest.gaps)
        return build_bundle(stage, context, output, asked=manifest.asked, force=force)
