"""Bring files to the import and look at what is kept of them in ``raw/``, without making any table."""

import json
from pathlib import Path

from incident_kit.importing.collected import collected_files
from incident_kit.importing.copy_files import copy_files
from incident_kit.normalise.context import Context
from incident_kit.profile import default_profile
from incident_kit.window import Window
from tests.importing.folder import POD, pod

WINDOW = Window.parse("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z")
PODS = json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod()]})


def bring(
    folder: Path, files: dict[str, str | bytes], *, captured_at: int | None = None
) -> tuple[dict[str, str], list]:
    """What ``raw/`` holds of these files, by path, and the gaps."""
    brought = folder / "brought"
    for name, content in files.items():
        path = brought / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    context = Context(cluster="c", window=WINDOW, captured_at=captured_at, profile=default_profile())
    (folder / "scratch").mkdir()
    copy_files(collected_files(brought, folder / "scratch", context), folder / "raw", context)
    raw = folder / "raw"
    kept = {
        p.relative_to(raw).as_posix(): p.read_text(encoding="utf-8", errors="replace")
        for p in raw.rglob("*")
        if p.is_file()
    }
    return kept, context.gaps


__all__ = ["POD", "PODS", "WINDOW", "bring"]
