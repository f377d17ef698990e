"""Manifest: what a bundle says of itself.

``manifest.json`` holds the format version, the kit's version, window, cluster, profile, what was asked of whom and
when, row counts, gaps, and size and SHA-256 of every file under ``raw/`` and ``tables/``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incident_kit.errors import BundleError
from incident_kit.window import Window, format_ns, parse_rfc3339

#: Grows when a reader of an older version could misread a bundle.
FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
#: Folders whose every file is listed with its checksum; ``notes/`` is left to people.
SEALED_FOLDERS = ("raw", "tables")
_BLOCK = 1 << 20
#: Bytes of a bundle from which on it is hashed by several threads.
_WORTH_THREADS = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        window: what is judged.
        cluster: name of the one cluster.
        captured_at: when the evidence was taken (ns), None when nobody said.
        created_at: when the bundle was written (ns).
        imported: True when it was made from a folder collected by hand.
        profile: name and non-secret settings of the profile used.
        asked: what was asked of whom and when: {"source", "what", "at", "documents"}.
        rows: row count by table.
        gaps: GAPS rows with times in RFC 3339.
        files: {"sha256", "bytes"} by path.
    """

    window: Window
    cluster: str
    captured_at: int | None
    created_at: int
    imported: bool
    kit_version: str
    profile: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """The manifest as it stands in the bundle."""
        return json.dumps(
            {
                "format_version": self.format_version,
                "kit_version": self.kit_version,
                "cluster": self.cluster,
                "window": {"start": format_ns(self.window.start), "end": format_ns(self.window.end)},
                "captured_at": format_ns(self.captured_at),
                "created_at": format_ns(self.created_at),
                "imported": self.imported,
                "profile": self.profile,
                "asked": self.asked,
                "rows": self.rows,
                "gaps": self.gaps,
                "files": self.files,
            },
            indent=1,
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str, name: str) -> Manifest:
        """Read a manifest; refuse one that is newer or not whole.

        Raises:
            BundleError: the text is no manifest, or its format is newer than this kit.
        """
        try:
            data = json.loads(text)
            version = int(data["format_version"])
            if version > FORMAT_VERSION:
                raise BundleError(
                    f"{name} has bundle format {version} (written by incident-kit {data.get('kit_version')}); this kit "
                    f"reads up to format {FORMAT_VERSION}. Update incident-kit."
                )
            start, end = (_time(data["window"][side]) for side in ("start", "end"))
            created = _time(data["created_at"])
            if start is None or end is None or created is None:
                raise ValueError("its window or creation time is not a time")
            return cls(
                window=Window(start=start, end=end),
                cluster=str(data["cluster"]),
                captured_at=_time(data["captured_at"]),
                created_at=created,
                imported=bool(data["imported"]),
                kit_version=str(data["kit_version"]),
                profile=dict(data["profile"]),
                asked=list(data["asked"]),
                rows={str(key): int(value) for key, value in data["rows"].items()},
                gaps=list(data["gaps"]),
                files={str(key): dict(value) for key, value in data["files"].items()},
                format_version=version,
            )
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            if isinstance(error, BundleError):
                raise
            raise BundleError(
                f"{name}: manifest.json is not a manifest ({error!r}). Capture or import again."
            ) from error


def _time(written: str | None) -> int | None:
    """A time as this kit wrote it; none of its own is a zero time that means "never", as in documents of servers."""
    return parse_rfc3339(written) if isinstance(written, str) else None


def file_digest(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of one file."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return {"sha256": digest.hexdigest(), "bytes": size}


def file_digests(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The same of many files, in their order; hashing lets other threads run, which few bytes do not repay."""
    if sum(path.stat().st_size for path in paths) < _WORTH_THREADS:
        yield from map(file_digest, paths)
        return
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield from pool.map(file_digest, paths)


def digest_tree(root: Path, folders: Iterable[str] = SEALED_FOLDERS) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file in some folders of a bundle, all sealed ones by default, by path."""
    paths = [path for folder in folders for path in sorted((root / folder).rglob("*")) if path.is_file()]
    names = [path.relative_to(root).as_posix() for path in paths]
    return dict(zip(names, file_digests(paths), strict=True))


def verify_tree(root: Path, manifest: Manifest) -> None:
    """Check every sealed file of an opened bundle against its manifest.

    Raises:
        BundleError: names the first file that is missing, changed or not listed.
    """
    listed = set(manifest.files)
    present = {
        path.relative_to(root).as_posix()
        for folder in SEALED_FOLDERS
        for path in (root / folder).rglob("*")
        if path.is_file() or path.is_symlink()
    }
    again = "The bundle is torn or was changed; get it again from where it came."
    for name in sorted(listed - present):
        raise BundleError(f"{root.name}: {name} is missing. {again}")
    for name in sorted(present - listed):
        raise BundleError(f"{root.name}: {name} is not in the manifest. {again}")
    names = sorted(listed)
    for name in names:
        path = root / name
        if path.is_symlink():
            raise BundleError(f"{root.name}: {name} is a link, not a file. {again}")
        if path.stat().st_size != manifest.files[name].get("bytes"):
            raise BundleError(f"{root.name}: {name} differs from its checksum. {again}")
    for name, digest in zip(names, file_digests([root / name for name in names]), strict=True):
        if digest != manifest.files[name]:
            raise BundleError(f"{root.name}: {name} differs from its checksum. {again}")
