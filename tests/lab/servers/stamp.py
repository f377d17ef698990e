"""Remembers from which sources something was built, so that building again is free."""

from __future__ import annotations

import hashlib
from pathlib import Path


class Stamp:
    """A file that holds the digest of all sources of one build."""

    def __init__(self, path: Path, *sources: Path) -> None:
        self._path = path
        self._sources = sources

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for source in self._sources:
            for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
                if path.is_file() and path.suffix != ".pyc":
                    digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def fresh(self) -> bool:
        """Whether the build was made from the sources as they are now."""
        return self._path.exists() and self._path.read_text() == self._digest()

    def write(self) -> None:
        """Note that the build is done."""
        self._path.write_text(self._digest())
