"""Streams of bytes in blocks that end where a line does: what is captured, imported and read goes line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut only after line ends; one line is never cut, however long."""
    rest: list[bytes] = []
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            # Joining is the only copy: blocks are megabytes, and this is done to every byte that the kit reads.
            yield b"".join((*rest, memoryview(chunk)[:end])) if rest or end < len(chunk) else chunk
            rest = [chunk[end:]] if end < len(chunk) else []
        elif chunk:
            rest.append(chunk)
    if rest:
        yield b"".join(rest)
