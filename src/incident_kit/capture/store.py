"""RawStore: what was read, on its way through the redactor into the raw layout; streaming and resumable."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from incident_kit.errors import SourceError
from incident_kit.redaction import Redactor

_PART = ".part"
_LEVEL = 1  # log text shrinks tenfold already; more effort would make the processor the bottleneck


class RawStore:
    """The raw folder being filled. A file has its name only when it is whole or all that could be had.

    Args:
        folder: the ``raw`` folder.
        redactor: what every byte passes.
    """

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self.folder, self.redactor = folder, redactor

    def has(self, relative: str) -> bool:
        """Whether an earlier, interrupted capture got this file already."""
        return (self.folder / relative).exists()

    def objects(self, relative: str, items: Iterable[Any], redact: Callable[[Any], Any]) -> int:
        """Write a list, one object a line; how many. A source that breaks off leaves what came, and raises."""
        count = 0
        with self._file(relative) as path, path.open("wb") as file:
            file.write(b"[")
            try:
                for item in items:
                    file.write(b",\n" if count else b"\n")
                    file.write(orjson.dumps(redact(item), option=orjson.OPT_NON_STR_KEYS))
                    count += 1
            finally:
                file.write(b"\n]\n")
        return count

    def document(self, relative: str, document: Any) -> None:
        """Write one JSON document that holds no text of users."""
        with self._file(relative) as path:
            path.write_bytes(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_INDENT_2) + b"\n")

    def read(self, relative: str) -> dict[str, Any]:
        """A document written earlier; empty when there is none."""
        path = self.folder / relative
        document = orjson.loads(path.read_bytes()) if path.is_file() else {}
        return document if isinstance(document, dict) else {}

    def text(self, relative: str, blocks: Iterable[bytes]) -> int:
        """Write log text given in blocks of whole lines; how many bytes. The file is compressed."""
        return self.text_and_lines(relative, blocks)[0]

    def text_and_lines(self, relative: str, blocks: Iterable[bytes]) -> tuple[int, int]:
        """The same; how many bytes and lines."""
        redact = self.redactor.text_stream()
        size = lines = 0
        with self._file(relative) as path, gzip.open(path, "wb", compresslevel=_LEVEL) as file:
            for block in blocks:
                size += len(block)
                lines += block.count(b"\n")
                file.write(redact(block))
        return size, lines

    @contextmanager
    def hits(self, stem: str, count: int) -> Iterator[Callable[[int, bytes], None]]:
        """A function that writes lines of hits to one of several compressed files, from several threads."""
        relatives = [f"{stem}-{number}.ndjson.gz" if count > 1 else f"{stem}.ndjson.gz" for number in range(count)]
        paths = [self._part(relative) for relative in relatives]
        files = [gzip.open(path, "wb", compresslevel=_LEVEL) for path in paths]  # noqa: SIM115  # closed below
        locks = [threading.Lock() for _ in files]

        def write(number: int, lines: bytes) -> None:
            redacted = self.redactor.json_lines(lines)
            with locks[number]:
                files[number].write(redacted)

        keep = False
        try:
            yield write
            keep = True
        except SourceError:
            keep = True
            raise
        finally:
            for file, path, relative in zip(files, paths, relatives, strict=True):
                file.close()
                if keep:
                    path.replace(self.folder / relative)

    def _part(self, relative: str) -> Path:
        path = self.folder / (relative + _PART)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def _file(self, relative: str) -> Iterator[Path]:
        """A temporary name while writing; SourceErrors keep what came, an interruption leaves nothing."""
        path = self._part(relative)
        try:
            yield path
        except SourceError:
            path.replace(self.folder / relative)
            raise
        path.replace(self.folder / relative)

    def discard_parts(self) -> None:
        """Remove what an interrupted capture left half written."""
        for path in self.folder.rglob("*" + _PART):
            path.unlink()
