"""Import a folder that people collected by hand with kubectl and curl.

Every file passes the redaction seam on its way into the bundle's ``raw/``; from there on the path is the one that
capture takes.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from incident_kit.errors import UsageError
from incident_kit.importing.build import build_bundle, staging
from incident_kit.importing.collected import collected_files, is_bundle
from incident_kit.importing.copy_files import copy_files
from incident_kit.importing.layout import KUBERNETES_EXPECTED, RABBITMQ_LISTS
from incident_kit.importing.unpack import CollectedFile
from incident_kit.nested import instant
from incident_kit.normalise.context import Context
from incident_kit.normalise.kubernetes import collected_plurals
from incident_kit.normalise.raw import RawFolder, decode_json, read_bytes
from incident_kit.progress import Progress, silent
from incident_kit.window import Window

if TYPE_CHECKING:
    from incident_kit.profile import Profile


_WINDOW_NAME = re.compile(r"(?:^|/)window\.json(?:\.gz)?$", re.IGNORECASE)
#: Of a context before the window is known; whatever is judged is judged with another.
_NO_WINDOW = Window(start=0, end=1)
_NOTHING = (
    "holds nothing to import: no kubernetes/*.json, console/<namespace>/<pod>/<container>.log, elasticsearch/*.ndjson, "
    "rabbitmq/*.json or argocd/*.json, nor any other form of them. See docs/bundle.md for the layout."
)


def import_folder(
    folder: str | Path,
    output: str | Path,
    *,
    window: Window | None = None,
    profile: Profile | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Path:
    """Make a bundle from a folder in the raw layout.

    Args:
        folder: what somebody collected, see docs/bundle.md, or an archive of it; or a bundle, whose tables are made anew.
        output: ``NAME.incident`` (a folder) or ``NAME.zip``.
        window: what to judge; by default what ``window.json`` says.
        profile: field names and patterns; detected where absent.
        force: replace an existing bundle.
        progress: told how far the work is.

    Returns:
        The path of the bundle.

    Raises:
        UsageError: the folder does not exist, holds nothing of the layout, or there is no window.
        BundleError: the output exists and ``force`` is not given.
    """
    from incident_kit.importing.again import normalise_again
    from incident_kit.profile import default_profile

    if is_bundle(Path(folder)):
        return normalise_again(
            Path(folder), Path(output), window=window, profile=profile, force=force, progress=progress
        )
    profile = profile or default_profile()
    with (
        staging(Path(output), force=force) as stage,
        TemporaryDirectory(prefix=".unpacked.", dir=stage.parent) as scratch,
    ):
        context = Context(cluster="unnamed", window=_NO_WINDOW, captured_at=None, profile=profile, progress=progress)
        files = collected_files(Path(folder), Path(scratch), context)
        if not files:
            raise UsageError(f"{folder} {_NOTHING}")
        described = _window_file(files)
        context.window = window or _described_window(described)
        context.captured_at = instant(described, "captured_at")
        context.cluster = str(described.get("cluster") or "unnamed")
        _report_window(described, context)
        if not copy_files(files, stage / "raw", context):
            raise UsageError(f"{folder} {_NOTHING}")
        _report_missing(RawFolder(stage / "raw"), context)
        # Nothing of the archives is needed any more, and what becomes of the stage is sealed.
        return build_bundle(stage, context, Path(output), asked=[], force=force)


def _window_file(files: list[CollectedFile]) -> dict[str, Any]:
    """What ``window.json`` says, the one nearest to the folder's top; empty where there is none."""
    named = [file for file in files if _WINDOW_NAME.search(file.relative)]
    if not named:
        return {}
    file = min(named, key=lambda one: (one.relative.count("/"), one.relative))
    probe = Context(cluster="", window=_NO_WINDOW, captured_at=None, profile=None)  # type: ignore[arg-type]  # only collects gaps
    document = decode_json(read_bytes(file.path, "window.json", probe, "bundle"), "window.json", probe, "bundle")
    if not isinstance(document, dict):
        reason = probe.gaps[0]["reason"] if probe.gaps else "it is no JSON object"
        return {"broken": reason}
    # query.json calls them so, and people do.
    return {"start": document.get("from"), "end": document.get("to"), **document}


def _described_window(described: dict[str, Any]) -> Window:
    start, end = (instant(described, side) for side in ("start", "end"))
    if start is None or end is None:
        why = (
            f"window.json is broken ({described['broken']})"
            if "broken" in described
            else "window.json lacks a start or end with a zone"
            if described
            else "there is no window.json"
        )
        raise UsageError(
            f"No window to judge: {why}. Give --from and --to, or write "
            '{"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T10:00:00Z"} to window.json.'
        )
    return Window(start=start, end=end)


def _report_window(described: dict[str, Any], context: Context) -> None:
    if "broken" in described:
        context.gap("bundle", "window.json", str(described["broken"]), "Write it again; --from and --to were used.")
    elif described.get("captured_at") and context.captured_at is None:
        context.gap("bundle", "window.json captured_at", f"{described['captured_at']!r} is not a time with a zone")


def _report_missing(raw: RawFolder, context: Context) -> None:
    """Say what was not collected: one gap for each source, so that the reader sees what answers cannot rest on."""
    window = context.window
    collected = collected_plurals(raw, context)
    for plural in (plural for plural in KUBERNETES_EXPECTED if plural not in collected):
        context.gap(
            "kubernetes",
            f"kubernetes/{plural}.json",
            "not collected",
            f"kubectl get {plural} -A -o json > kubernetes/{plural}.json",
        )
    if not raw.files("console/**/*.log*"):
        context.gap(
            "console", "console/", "not collected", "kubectl logs --timestamps", start=window.start, end=window.end
        )
    hits = [p for p in raw.files("elasticsearch/**/*") if p.name.split(".")[0] not in {"query", "mappings"}]
    if not hits:
        context.gap("elasticsearch", "elasticsearch/", "not collected", "", start=window.start, end=window.end)
    for name in RABBITMQ_LISTS:
        if not raw.files(f"rabbitmq/{name}.json*") + raw.files(f"rabbitmq/{name}-*.json*"):
            remedy = f"curl -u USER http://BROKER:15672/api/{name} > rabbitmq/{name}.json"
            context.gap("rabbitmq", f"rabbitmq/{name}.json", "not collected", remedy)
    if "applications" not in collected and not [
        p for p in raw.files("argocd/*.json*") if not p.name.startswith("events.")
    ]:
        remedy = "kubectl get applications.argoproj.io -A -o json > argocd/applications.json"
        context.gap("argocd", "argocd/applications.json", "not collected", remedy)
