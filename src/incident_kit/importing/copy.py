"""Copy the files of a hand-collected folder through the redaction seam into a bundle's ``raw/``.

Object lists are decoded once here, so that a broken one is reported with file and line and only what could be read
and redacted is kept. Log text and hits stream.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import orjson

from incident_kit.in_order import in_order
from incident_kit.lines import whole_lines
from incident_kit.normalise.raw import RawFolder, decode_json, read_chunks, utf8_chunks
from incident_kit.redaction import RedactLines, Scan, scan

if TYPE_CHECKING:
    from incident_kit.normalise.context import Context
    from incident_kit.redaction import Redactor

_YAML_NAME = re.compile(r"^(?P<name>(?:kubernetes|argocd)/.+\.ya?ml)(?:\.gz)?$")
_BLOCK = 8 << 20
_SOURCES = {
    "kubernetes": "kubernetes",
    "console": "console",
    "hits": "elasticsearch",
    "answers": "elasticsearch",
    "elasticsearch": "elasticsearch",
    "rabbitmq": "rabbitmq",
    "rabbitmq_log": "rabbitmq",
    "argocd": "argocd",
}


class RawCopy:
    """One import's copying: where from, where to, through which redactor, and in which threads blocks are scanned."""

    def __init__(
        self, source: RawFolder, target: Path, context: Context, redactor: Redactor, scanners: Executor
    ) -> None:
        self.source, self.target, self.context = source, target, context
        self._redactor, self._scanners = redactor, scanners

    def copy(self, path: Path, relative: str, kind: str) -> None:
        """Copy one file of the layout; whatever cannot be read becomes a gap."""
        if yaml := _YAML_NAME.match(relative):  # what is kept is JSON, whatever it was
            destination = self.target / f"{yaml['name']}.json"
        else:
            destination = self.target / relative
        destination.parent.mkdir(parents=True, exist_ok=True)
        source = _SOURCES[kind]
        if kind in {"console", "rabbitmq_log"}:
            self._stream(path, destination, source, self._redactor.text_stream())
        elif kind == "hits":
            self._stream(path, destination, source, self._redactor.json_lines)
        elif kind == "kubernetes":
            plural = path.name.split(".")[0]
            self._objects(relative, destination, source, lambda item: self._redactor.document(plural, item))
        elif kind in {"rabbitmq", "argocd"}:
            self._objects(relative, destination, source, self._redactor.value)
        else:
            self._document(path, relative, destination, source)

    def _objects(self, relative: str, destination: Path, source: str, redact: Callable[[Any], Any]) -> None:
        items = self.source.items(relative.removesuffix(".gz"), self.context, source)
        if items is None:
            return
        with _create(destination) as output:
            output.write(b"[")
            for number, item in enumerate(items):
                output.write((b",\n" if number else b"\n") + orjson.dumps(redact(item), option=orjson.OPT_NON_STR_KEYS))
            output.write(b"\n]\n")

    def _document(self, path: Path, relative: str, destination: Path, source: str) -> None:
        data = self.source.bytes(path, self.context, source)
        if not data.strip():
            self.context.gap(source, relative, "the file is empty", "Collect it again.")
            return
        document = decode_json(data, relative, self.context, source)
        if document is None:
            return
        with _create(destination) as output:
            output.write(orjson.dumps(self._redactor.value(document), option=orjson.OPT_NON_STR_KEYS))

    def _stream(self, path: Path, destination: Path, source: str, redact: RedactLines) -> None:
        empty = True
        blocks = whole_lines(self._readable_chunks(path, source))
        with _create(destination) as output:
            for block, scanned in in_order(self._scanners, _scanned, blocks):
                empty = False
                output.write(redact(block, scanned))
        if empty and source != "console":  # an idle container's console is rightly empty
            self.context.gap(source, self.source.relative(path), "the file is empty", "Collect it again.")

    def _readable_chunks(self, path: Path, source: str) -> Iterator[bytes]:
        """UTF-8 chunks of a file; that the rest of a torn one is missing is a gap."""
        read = 0
        try:
            for chunk in utf8_chunks(read_chunks(path, _BLOCK)):
                read += len(chunk)
                yield chunk
        except (OSError, EOFError, zlib.error) as error:
            name = self.source.relative(path)
            self.context.gap(
                source, name, f"the file is torn or unreadable after {read} bytes: {error}", "Collect it again."
            )


def _scanned(block: bytes) -> tuple[bytes, Scan]:
    return block, scan(block)


def _create(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "wb", compresslevel=1))
    return path.open("wb")
