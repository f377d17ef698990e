"""Import a folder that people collected by hand with kubectl and curl.

Every file passes the redaction seam on its way into the bundle's ``raw/``; from there on the path is the one that
capture takes.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incident_kit.errors import UsageError
from incident_kit.evidence.manifest import MANIFEST_NAME
from incident_kit.importing.build import build_bundle, staging
from incident_kit.importing.copy import RawCopy
from incident_kit.importing.layout import KUBERNETES_EXPECTED, RABBITMQ_LISTS, file_kind, is_litter, nearest_name
from incident_kit.nested import instant
from incident_kit.normalise.context import Context
from incident_kit.normalise.kubernetes import collected_plurals
from incident_kit.normalise.raw import RawFolder, decode_json
from incident_kit.progress import Progress, silent
from incident_kit.window import Window

if TYPE_CHECKING:
    from incident_kit.profile import Profile


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
        folder: what somebody collected, see docs/bundle.md for the layout; or a bundle, whose tables are made anew.
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

    if (Path(folder) / MANIFEST_NAME).is_file() or Path(folder).suffix == ".zip":
        return normalise_again(
            Path(folder), Path(output), window=window, profile=profile, force=force, progress=progress
        )
    source = _layout_root(Path(folder))
    profile = profile or default_profile()
    described = _window_file(source)
    judged = window or _described_window(described, source)
    captured_at = instant(described, "captured_at")
    cluster = str(described.get("cluster") or "unnamed")
    with staging(Path(output), force=force) as stage, ThreadPoolExecutor(1) as loader:
        # What only the tables need (pandas, DuckDB) is loaded by one thread; better while the others copy than after them.
        loader.submit(import_module, "incident_kit.normalise.logs")
        context = Context(cluster=cluster, window=judged, captured_at=captured_at, profile=profile, progress=progress)
        _report_window(described, context)
        _copy_all(source, stage / "raw", context)
        _report_missing(RawFolder(stage / "raw"), context)
        return build_bundle(stage, context, Path(output), asked=[], force=force)


def _layout_root(folder: Path) -> Path:
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder. Give the folder that holds kubernetes/, console/, elasticsearch/ ..."
        )
    for candidate in (folder, folder / "raw", *sorted(p for p in folder.iterdir() if p.is_dir())):
        if any(file_kind(p.relative_to(candidate).as_posix()) for p in candidate.rglob("*") if p.is_file()):
            return candidate
    raise UsageError(
        f"{folder} holds nothing to import: no kubernetes/*.json, console/<namespace>/<pod>/<container>.log, "
        "elasticsearch/*.ndjson, rabbitmq/*.json or argocd/*.json. See docs/bundle.md for the layout."
    )


def _window_file(source: Path) -> dict[str, Any]:
    path = RawFolder(source).find("window.json")
    if path is None:
        return {}
    probe = Context(cluster="", window=Window(start=0, end=1), captured_at=None, profile=None)  # type: ignore[arg-type]  # only collects gaps
    document = decode_json(RawFolder(source).bytes(path, probe, "bundle"), path.name, probe, "bundle")
    if not isinstance(document, dict):
        reason = probe.gaps[0]["reason"] if probe.gaps else "it is no JSON object"
        return {"broken": reason}
    return document


def _described_window(described: dict[str, Any], source: Path) -> Window:
    start, end = (instant(described, side) for side in ("start", "end"))
    if start is None or end is None:
        why = (
            f"window.json is broken ({described['broken']})"
            if "broken" in described
            else "window.json lacks a start or end with a zone"
            if RawFolder(source).find("window.json")
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


def _copy_all(source: Path, raw: Path, context: Context) -> None:
    """Copy every file, several at once; gaps come in the order of the files."""
    from incident_kit.in_order import WORKERS, in_order
    from incident_kit.redaction import default_redactor

    raw.mkdir(parents=True)
    redactor = default_redactor(context.profile.keep_readable)

    def copied(path: Path) -> list[dict[str, Any]]:
        own = replace(context, gaps=[])
        _copy_file(path, RawCopy(RawFolder(source), raw, own, redactor, scanners))
        return own.gaps

    paths = [
        path
        for path in sorted(source.rglob("*"))
        if path.is_file() and not is_litter(path.relative_to(source).as_posix())
    ]
    done, total = 0, sum(path.stat().st_size for path in paths)
    with ThreadPoolExecutor(WORKERS) as pool, ThreadPoolExecutor(WORKERS) as scanners:
        for path, gaps in zip(paths, in_order(pool, copied, paths), strict=True):
            context.gaps += gaps
            done += path.stat().st_size
            context.progress("reading and redacting", done, total)


def _copy_file(path: Path, copy: RawCopy) -> None:
    source, context = copy.source.path, copy.context
    relative = copy.source.relative(path)
    shown = relative.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if shown != relative:
        context.gap("bundle", shown, "its name is not UTF-8; it is left out", "Rename it.")
        return
    if path.is_symlink() and not path.resolve().is_relative_to(source.resolve()):
        context.gap("bundle", relative, "a link that leaves the folder; it is left out", "Copy the file itself.")
        return
    kind = file_kind(relative)
    if kind is None:
        remedy = f"Perhaps it is {nearest_name(relative)}."
        context.gap("bundle", relative, "not a file of the layout; it is left out", remedy)
    elif kind == "window":
        shutil.copyfile(path, copy.target / relative)
    else:
        copy.copy(path, relative, kind)


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
