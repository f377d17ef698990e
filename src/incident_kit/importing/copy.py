"""Copy the files of a hand-collected folder through the redaction seam into a bundle's ``raw/``.

Object lists are decoded once here, so that a broken one is reported with file and line and only what could be read
and redacted is kept. Log text and hits stream.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import orjson

from incident_kit.importing.layout import file_kind, shown_name
from incident_kit.in_order import in_order
from incident_kit.lines import whole_lines
from incident_kit.nested import mapping
from incident_kit.normalise.rabbitmq.documents import LISTS, is_list_name
from incident_kit.normalise.rabbitmq.marks import ANY_MARK, is_marked
from incident_kit.normalise.raw import decode_json, objects_of, read_bytes, read_chunks, utf8_chunks
from incident_kit.redaction import RedactLines, Scan, scan

if TYPE_CHECKING:
    from incident_kit.normalise.context import Context
    from incident_kit.redaction import Redactor

_YAML_NAME = re.compile(r"^(?P<name>(?:kubernetes|argocd)/.+\.ya?ml)(?:\.gz)?$")
#: Destinations of one file that are open at once.
_MOST_OPEN = 100
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
    """One import's copying: where to, through which redactor, and in which threads blocks are scanned."""

    def __init__(self, target: Path, context: Context, redactor: Redactor, scanners: Executor) -> None:
        self.target, self.context = target, context
        self._redactor, self._scanners = redactor, scanners

    def copy(self, path: Path, relative: str, destination: str) -> None:
        """Copy one file of the layout; whatever cannot be read becomes a gap.

        Args:
            path: where it can be read.
            relative: its name as gaps state it.
            destination: where the layout has it.
        """
        kind = file_kind(destination) or ""
        source = _SOURCES[kind]
        relative = shown_name(relative, source)
        if (redact := self._line_redaction(kind)) is not None:
            self._stream(path, relative, self._target(destination), source, redact)
        else:
            data = read_bytes(path, relative, self.context, source)
            self._whole(data, relative, destination)

    def write(self, pieces: Iterable[tuple[str, bytes]], relative: str) -> None:
        """Write what a file was converted to: whole lines of logs, or whole documents, each with its destination."""
        streams: dict[str, RedactLines] = {}
        documents: dict[str, list[bytes]] = {}
        open_files: dict[str, IO[bytes]] = {}
        try:
            for destination, data in pieces:
                redact = streams.get(destination) or self._line_redaction(file_kind(destination) or "")
                if redact is None:
                    documents.setdefault(destination, []).append(data)
                    continue
                if destination not in open_files:
                    if len(open_files) >= _MOST_OPEN:
                        open_files.pop(next(iter(open_files))).close()
                    mode = "ab" if destination in streams else "wb"
                    open_files[destination] = self._target(destination).open(mode)
                streams[destination] = redact
                open_files[destination].write(redact(data))
        finally:
            for file in open_files.values():
                file.close()
        for destination, parts in documents.items():
            self._whole(b"".join(parts), relative, destination)

    def _line_redaction(self, kind: str) -> RedactLines | None:
        """How lines of a log are redacted; None for whole documents."""
        if kind in {"console", "rabbitmq_log"}:
            return self._redactor.text_stream()
        return self._redactor.json_lines if kind == "hits" else None

    def _target(self, destination: str) -> Path:
        path = self.target / destination
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _whole(self, data: bytes, relative: str, destination: str) -> None:
        """Redact and keep a list of objects or a document."""
        kind = file_kind(destination) or ""
        source = _SOURCES[kind]
        relative = shown_name(relative, source)
        if yaml := _YAML_NAME.match(destination):  # what is kept is JSON, whatever it was
            destination = f"{yaml['name']}.json"
        if kind == "kubernetes":
            plural = destination.rpartition("/")[2].split(".")[0]
            self._objects(data, relative, destination, source, lambda item: self._redactor.document(plural, item))
        elif kind in {"rabbitmq", "argocd"}:
            if kind == "rabbitmq" and not is_list_name(destination.rpartition("/")[2]):
                reason = "it is kept, but no answer is made from it: it is none of the lists that are read"
                self.context.gap(source, relative, reason, f"Those are {', '.join(LISTS)}.")
            self._objects(data, relative, destination, source, self._redactor.value)
        else:
            self._document(data, relative, destination, source)

    def _objects(self, data: bytes, relative: str, destination: str, source: str, redact: Callable[[Any], Any]) -> None:
        items = objects_of(data, relative, self.context, source)
        if items and source == "argocd" and not any(map(_of_argocd, items)):
            reason = "it is kept, but no answer is made from it: it holds no Application and no event about one"
            self.context.gap(source, relative, reason, "argocd app get NAME -o json")
        with _create(self._target(destination)) as output:
            output.write(b"[")
            for number, item in enumerate(items):
                output.write((b",\n" if number else b"\n") + orjson.dumps(redact(item), option=orjson.OPT_NON_STR_KEYS))
            output.write(b"\n]\n")

    def _document(self, data: bytes, relative: str, destination: str, source: str) -> None:
        if not data.strip():
            self.context.gap(source, relative, "the file is empty", "Collect it again.")
            return
        document = decode_json(data, relative, self.context, source, repair=file_kind(destination) == "answers")
        if document is None:
            return
        with _create(self._target(destination)) as output:
            output.write(orjson.dumps(self._redactor.value(document), option=orjson.OPT_NON_STR_KEYS))

    def _stream(self, path: Path, relative: str, destination: Path, source: str, redact: RedactLines) -> None:
        empty, marked = True, False
        blocks = whole_lines(self.readable_chunks(path, relative, source))
        with _create(destination) as output:
            for block, scanned in in_order(self._scanners, _scanned, blocks):
                empty = False
                redacted = redact(block, scanned)
                # To redact a line may decode its escapes, and a mark with them.
                decoded = redacted is not block and b"\\" in block
                marked = marked or scanned.also or (decoded and is_marked(redacted, ANY_MARK))
                output.write(redacted)
        if not marked:
            self.context.unmarked.add(destination.relative_to(self.target).as_posix())
        if empty and source != "console":  # an idle container's console is rightly empty
            self.context.gap(source, relative, "the file is empty", "Collect it again.")

    def readable_chunks(self, path: Path, relative: str, source: str) -> Iterator[bytes]:
        """UTF-8 chunks of a file; that the rest of a torn one is missing is a gap."""
        read = 0
        try:
            for chunk in utf8_chunks(read_chunks(path, _BLOCK)):
                read += len(chunk)
                yield chunk
        except (OSError, EOFError, zlib.error) as error:
            self.context.gap(
                source, relative, f"the file is torn or unreadable after {read} bytes: {error}", "Collect it again."
            )


def _of_argocd(item: Any) -> bool:
    return item.get("kind") in ("Application", "Event") or bool(mapping(item, "spec", "destination"))


def _scanned(block: bytes) -> tuple[bytes, Scan]:
    return block, scan(block, also=ANY_MARK)


def _create(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "wb", compresslevel=1))
    return path.open("wb")
