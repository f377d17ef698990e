"""Streams of bytes in blocks that end where a line does: what is captured, imported and read goes line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut only after line ends; one line is never cut, however long."""
    rest: list[bytes] = []
    for chunk in chunks:
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield b"".join((*rest, head, newline))
            rest = [tail] if tail else []
        elif chunk:
            rest.append(chunk)
    if rest:
        yield b"".join(rest)
