"""Notes that people add to a bundle later; they live in ``notes/``, outside the checksums."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

from incident_kit.errors import BundleError, UsageError
from incident_kit.evidence.manifest import MANIFEST_NAME
from incident_kit.window import format_ns


def add_note(bundle: Path, text: str) -> str:
    """Write one note beside the evidence; its name inside the bundle.

    Raises:
        UsageError: the note is empty.
        BundleError: the path is no bundle.
    """
    if not text.strip():
        raise UsageError("The note is empty. Write what to remember.")
    stamp = (format_ns(time.time_ns()) or "").replace(":", "")
    name = f"notes/{stamp}.md"
    if bundle.is_file():
        try:
            with zipfile.ZipFile(bundle, "a") as archive:
                manifests = [n for n in archive.namelist() if n.endswith(MANIFEST_NAME) and n.count("/") <= 1]
                if not manifests:
                    raise BundleError(f"{bundle} holds no {MANIFEST_NAME}; it is not an incident bundle.")
                archive.writestr(min(manifests, key=len).removesuffix(MANIFEST_NAME) + name, text + "\n")
        except zipfile.BadZipFile as error:
            raise BundleError(f"{bundle} is not a whole zip archive ({error}). Get it again.") from error
        return name
    if not bundle.exists():
        raise BundleError(f"{bundle} does not exist.")
    if not (bundle / MANIFEST_NAME).is_file():
        raise BundleError(f"{bundle} holds no {MANIFEST_NAME}; it is not an incident bundle.")
    (bundle / "notes").mkdir(exist_ok=True)
    (bundle / name).write_text(text + "\n", encoding="utf-8")
    return name


def read_notes(folder: Path) -> list[tuple[str, str]]:
    """Name and text of every note of an opened bundle, oldest first."""
    return [(p.stem, p.read_text("utf-8", errors="replace")) for p in sorted((folder / "notes").glob("*.md"))]
