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
_LONGEST_MAGIC = 6
#: Longer lines at the end of a chunk are cut and joined again.
_LOOKED_AHEAD = 1 << 16
#: Endings of compressed files; what is kept of xz, bz2 and zst is not compressed.
ENDINGS = (".gz", ".xz", ".bz2", ".zst")


def decompressed(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """Chunks of a file, unpacked where it is gzip, xz, bzip2 or Zstandard; of a torn one, all that unpacks.

    Raises:
        OSError, EOFError, zlib.error: the file is torn or unreadable, after the last good chunk.
    """
    beginning = stream.read(_LONGEST_MAGIC)
    stream.seek(0)
    if beginning.startswith(_ZSTD):
        yield from _zstandard(stream, size)
        return
    begin = next((begin for magic, begin in _MEMBERS if beginning.startswith(magic)), None)
    if begin is None:
        while chunk := stream.read(_up_to_a_line_end(stream, size)):
            yield chunk
        return
    member: _Member | None = None
    chunk = stream.read(size)
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


def _up_to_a_line_end(stream: IO[bytes], size: int) -> int:
    """How much to read so that it ends where a line does: who wants whole lines then need not copy what was read."""
    start = stream.tell()
    stream.seek(start + max(size - _LOOKED_AHEAD, 0))
    ending = stream.read(_LOOKED_AHEAD)
    stream.seek(start)
    after = len(ending) - ending.rfind(b"\n") - 1
    return size - after if len(ending) == _LOOKED_AHEAD < size and b"\n" in ending else size


def _zstandard(stream: IO[bytes], size: int) -> Iterator[bytes]:
    import pyarrow as pa

    with pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd") as unpacked:
        while chunk := unpacked.read(size):
            yield chunk
