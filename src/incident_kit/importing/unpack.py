"""Archives that people bring (tar, however packed, and zip), unpacked beside the bundle that is made.

An archive is hostile input: nothing is written outside of its own folder, nothing but plain files is taken out, and what
unpacks to far more than it is, is left where that shows.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from incident_kit.normalise.context import Context
from incident_kit.normalise.raw import read_chunks

_CHUNK = 1 << 20
_TAR_MARK = slice(257, 262)
_MOST_FILES = 200_000
#: What an archive may unpack to: this many times its own size and this much beside.
_MOST_TIMES, _MOST_BESIDE = 200, 1 << 30
_DEEPEST = 3
_BROKEN = (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class CollectedFile:
    """One file that was brought.

    Attributes:
        path: where it can be read.
        relative: its path within the folder, as gaps state it; archives are folders.
    """

    path: Path
    relative: str


def archive_kind(path: Path) -> str | None:
    """``tar`` or ``zip`` by what the file holds, however packed and named; None for any other file."""
    try:
        beginning = next(read_chunks(path, 1024), b"")
    except (OSError, EOFError, zlib.error):
        return None
    if beginning[:4] == b"PK\x03\x04":
        return "zip"
    return "tar" if beginning[_TAR_MARK] == b"ustar" else None


def unpacked(file: CollectedFile, scratch: Path, context: Context, depth: int = 0) -> Iterator[CollectedFile]:
    """The file itself, or the files of the archive that it is, also of archives within; what is left out is a gap.

    Args:
        file: what was brought.
        scratch: an empty folder's place; it is made where it is needed.
        context: gains the gaps.
        depth: archives around this one.
    """
    kind = archive_kind(file.path)
    if kind is None:
        yield file
        return
    if depth >= _DEEPEST:
        context.gap("bundle", file.relative, f"an archive within {depth} archives; it is left out", "Unpack it.")
        return
    done: list[CollectedFile] = []
    try:
        for member in _extracted(file, kind, scratch, context):
            done.append(member)
    except _BROKEN as error:
        context.gap(
            "bundle",
            file.relative,
            f"the archive is torn or unreadable after {len(done)} files: {error}",
            "Collect it again.",
        )
    for number, member in enumerate(done):
        yield from unpacked(member, scratch / f"in-{number}", context, depth + 1)


def _extracted(file: CollectedFile, kind: str, scratch: Path, context: Context) -> Iterator[CollectedFile]:
    allowed = file.path.stat().st_size * _MOST_TIMES + _MOST_BESIDE
    left_out: list[str] = []
    members = _zip_members(file.path) if kind == "zip" else _tar_members(file.path)
    for number, (name, stream) in enumerate(members):
        if stream is None or not _is_inside(name):
            left_out.append(name)
            continue
        if number >= _MOST_FILES or allowed <= 0:
            context.gap(
                "bundle",
                file.relative,
                f"the archive unpacks to too much; what follows {name} is left out",
                "Unpack it.",
            )
            break
        target = scratch / f"{number}"
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as output:
            while allowed > 0 and (chunk := stream.read(_CHUNK)):
                output.write(chunk)
                allowed -= len(chunk)
        yield CollectedFile(target, f"{file.relative}/{PurePosixPath(name)}")
    if left_out:
        context.gap(
            "bundle", file.relative,
            f"{len(left_out)} members of the archive are links, devices or lead out of it, and are left out: {', '.join(left_out[:3])}",
        )  # fmt: skip


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and bool(path.parts) and ":" not in path.parts[0]


def _zip_members(path: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            name = (
                member.filename if "/" in member.filename else member.filename.replace("\\", "/")
            )  # as Windows parts them
            is_link = member.external_attr >> 28 == 0xA
            if is_link:
                yield name, None
            else:
                with archive.open(member) as stream:
                    yield name, stream


def _tar_members(path: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    with tarfile.open(fileobj=_Reader(read_chunks(path)), mode="r|") as archive:
        for member in archive:
            if not member.isdir():
                yield member.name, archive.extractfile(member) if member.isfile() else None


class _Reader(io.RawIOBase):
    """Chunks as a stream that can be read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Exactly that many bytes, fewer only at the end."""
        parts, missing = [], size if size >= 0 else 1 << 62
        while missing > 0:
            self._rest = self._rest or next(self._chunks, b"")
            if not self._rest:
                break
            parts.append(self._rest[:missing])
            self._rest = self._rest[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)
