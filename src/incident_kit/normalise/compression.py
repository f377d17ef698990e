"""Compressed files by what they begin with: names lie (a browser that unpacks, a rotation that packs later)."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Protocol


class _Member(Protocol):
    """One compressed member: what zlib, bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


_MEMBERS: tuple[tuple[bytes, Callable[[], _Member]], ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(wbits=31)),
    (b"\xfd7zXZ\0", lzma.LZMADecompressor),
    (b"BZh", bz2.BZ2Decompressor),
)
_ZSTD = b"\x28\xb5\x2f\xfd"
#: Endings of compressed files; what is kept of xz, bz2 and zst is not compressed.
ENDINGS = (".gz", ".xz", ".bz2", ".zst")


def is_compressed(beginning: bytes) -> bool:
    """Whether a file begins as one that `decompressed` unpacks."""
    return beginning.startswith((_ZSTD, *(magic for magic, _ in _MEMBERS)))


def decompressed(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """Chunks of a file, unpacked where it is gzip, xz, bzip2 or Zstandard; of a torn one, all that unpacks.

    Raises:
        OSError, EOFError, zlib.error: the file is torn or unreadable, after the last good chunk.
    """
    chunk = stream.read(size)
    if chunk.startswith(_ZSTD):
        stream.seek(0)
        yield from _zstandard(stream, size)
        return
    begin = next((begin for magic, begin in _MEMBERS if chunk.startswith(magic)), None)
    if begin is None:
        while chunk:
            yield chunk
            chunk = stream.read(size)
        return
    member: _Member | None = None
    while chunk:
        packed = chunk
        while packed:
            member = member or begin()
            try:
                if unpacked := member.decompress(packed):
                    yield unpacked
            except (lzma.LZMAError, ValueError) as error:
                raise OSError(str(error)) from error
            packed = member.unused_data
            if member.eof:
                member = None
                packed = packed.lstrip(b"\0")  # padding between members
        chunk = stream.read(size)
    if member is not None:
        raise EOFError("the compressed file ends before its end marker")


def _zstandard(stream: IO[bytes], size: int) -> Iterator[bytes]:
    import pyarrow as pa

    with pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd") as unpacked:
        while chunk := unpacked.read(size):
            yield chunk
