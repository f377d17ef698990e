"""RawFolder: the raw layout of a bundle, read tolerantly.

The layout is a contract (see docs/bundle.md). A missing file is nothing found *and said so by the caller*; a
broken file becomes a gap that names file and line, and whatever of it can be read is used.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import orjson

from incident_kit.normalise.compression import decompressed
from incident_kit.normalise.context import Context
from incident_kit.normalise.torn_json import finite, integer, salvage
from incident_kit.normalise.yaml_documents import yaml_documents

#: A List object that is cut off is repaired up to this many bytes; beyond, the file is only reported.
_REPAIR_LIMIT = 256 * 1024 * 1024
#: How kubectl's YAML begins.
_YAML = re.compile(r"(?:---|#|apiVersion:|items:|kind:|metadata:|- apiVersion:)")
#: One escape of a JSON string: a whole surrogate pair, half of one, or any other.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
#: Stands in a path for a namespace or container of which nothing told the name; `normalise.logs.whose` asks once more.
UNKNOWN = "unknown"
#: Bodies that the kubelet or kubectl writes instead of a log, also with HTTP 200.
NOT_A_LOG = re.compile(
    r"^(?:unable to retrieve container logs|Error from server|error: |failed to (?:create|open|try|get)|rpc error:|previous terminated container|"
    r"container .* is (?:waiting|not valid)|The connection to the server|a container name must be specified|Defaulted container )",
    re.IGNORECASE,
)


class RawFolder:
    """The ``raw/`` folder of a bundle, or a folder somebody collected by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self, pattern: str) -> list[Path]:
        """Files below the folder that match a glob, sorted; never outside it, never through links."""
        return sorted(p for p in self.path.glob(pattern) if p.is_file() and not p.is_symlink())

    def find(self, relative: str) -> Path | None:
        """The file, plain or ``.gz``; None when there is neither."""
        for name in (relative, f"{relative}.gz"):
            path = self.path / name
            if path.is_file():
                return path
        return None

    def relative(self, path: Path) -> str:
        """Name of a file as gaps state it."""
        return path.relative_to(self.path).as_posix()

    def open(self, path: Path) -> IO[bytes]:
        """Bytes of a file, decompressed when it ends in ``.gz``."""
        return open_bytes(path)

    def bytes(self, path: Path, context: Context, source: str) -> bytes:
        """All bytes that can be read of a file; a torn compressed file is a gap and its beginning is used."""
        return read_bytes(path, self.relative(path), context, source)

    def json(self, relative: str, context: Context, source: str) -> Any | None:
        """The document in a file, or None when the file is missing or holds none (then with a gap)."""
        path = self.find(relative)
        if path is None:
            return None
        data = self.bytes(path, context, source)
        return decode_json(data, self.relative(path), context, source)

    def items(self, relative: str, context: Context, source: str) -> list[dict[str, Any]] | None:
        """Objects of a list file: a Kubernetes List, an array, pages, or newline-delimited documents.

        None means the file is missing; an empty list means it was there and held nothing.
        """
        path = self.find(relative)
        if path is None:
            return None
        return objects_of(self.bytes(path, context, source), self.relative(path), context, source)

    def kubernetes(self, plural: str, context: Context) -> list[dict[str, Any]] | None:
        """Objects of ``kubernetes/<plural>.json``; see `items`."""
        return self.items(f"kubernetes/{plural}.json", context, "kubernetes")


def objects_of(data: bytes, name: str, context: Context, source: str) -> list[dict[str, Any]]:
    """Objects in the bytes of a list file; see `RawFolder.items`."""
    if not data.strip():
        context.gap(source, name, "the file is empty", "Collect it again.")
        return []
    document = decode_json(data, name, context, source, repair=True)
    if document is None:
        return []
    return list(_objects(document, name, context, source))


def open_bytes(path: Path) -> IO[bytes]:
    """Bytes of a file, decompressed when it ends in ``.gz``."""
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def read_chunks(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    """Chunks of a file, unpacked where it is compressed; of a torn one, all that unpacks.

    `gzip.open` loses up to a buffer before the tear, which for a small file is everything.

    Raises:
        OSError, EOFError, zlib.error: the file is torn or unreadable, after the last good chunk.
    """
    with path.open("rb") as stream:
        yield from decompressed(stream, size)


def utf8_chunks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text as UTF-8 without byte order mark: PowerShell's redirection writes UTF-16."""
    decoder: codecs.IncrementalDecoder | None = None
    for number, chunk in enumerate(chunks):
        if number == 0 and chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        elif number == 0:
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        if text := decoder.decode(chunk).encode() if decoder else chunk:
            yield text


def read_bytes(path: Path, name: str, context: Context, source: str) -> bytes:
    """All bytes that can be read of a file; the unreadable rest is a gap."""
    gathered = io.BytesIO()  # to join chunks would hold a large file twice
    try:
        for chunk in read_chunks(path):
            gathered.write(chunk)
    except (OSError, EOFError, zlib.error) as error:
        read = gathered.tell()
        context.gap(source, name, f"the file is torn or unreadable after {read} bytes: {error}", "Collect it again.")
    return gathered.getvalue()


def decode_json(data: bytes, name: str, context: Context, source: str, *, repair: bool = False) -> Any | None:
    """The JSON document in some bytes; None, with a gap that names file and line, when there is none.

    With ``repair``, the complete elements of a list that was cut off or broken in one place are the answer.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # PowerShell's redirection writes UTF-16
        data = data.decode("utf-16", errors="replace").encode()
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        strict = error
    mended = _without_half_pairs(_as_utf8(data))
    if mended != data and (document := _loads(mended)) is not None:
        context.gap(source, name, "the file is not UTF-8; what cannot be decoded is shown as \\xNN or \ufffd")
        return document
    found, whole = salvage(mended.decode()) if repair and len(data) <= _REPAIR_LIMIT else ([], False)
    if whole:  # several answers one after another (>>), or one document a line
        return found
    salvaged = found or None
    if not salvaged and repair and _YAML.match(_beginning(data)):
        documents, wrong = yaml_documents(mended.decode())
        if wrong:
            used = "what stands before it is used" if documents else "nothing of it is used"
            context.gap(source, name, f"{wrong}; {used}", "Collect it again with -o json.")
        return documents or None
    if not salvaged and (other := _what_else(data)):
        context.gap(source, name, *other)
        return None
    line = data[: strict.pos].count(b"\n") + 1
    used = f"; {len(salvaged)} complete objects of it are used" if salvaged else "; nothing of it is used"
    context.gap(source, f"{name} line {line}", f"broken JSON: {strict.msg}{used}", "Collect it again.")
    return salvaged


def _beginning(data: bytes) -> str:
    return data[:65536].decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")


def _what_else(data: bytes) -> tuple[str, str] | None:
    """What a file that holds no JSON at all holds, and what to do; None where it looks like JSON that is broken."""
    text = _beginning(data)
    if text[:1] in {"", "{", "["}:
        return None
    first = "".join(c for c in text.splitlines()[0][:200] if c.isprintable())
    if first.startswith("<"):
        return (
            f"an HTML or XML page, not JSON; it begins: {first}",
            "Log in (or go round the proxy) and collect it again.",
        )
    if _YAML.match(first):
        return f"YAML, not JSON; it begins: {first}", "Collect it again with -o json."
    if re.search(r"forbidden|unauthori[sz]ed|not authori[sz]ed|denied", first, re.IGNORECASE):
        return f"an error, not JSON: {first}", "Get the permission that it names, then collect it again."
    return f"not JSON; it begins: {first}", "Collect it again with -o json, errors and warnings apart (2>errors.txt)."


def lenient_json(data: bytes) -> Any:
    """The JSON document in some bytes, also where it holds bytes that are no UTF-8, half a surrogate pair, NaN or raw tabs.

    Numbers that are none (NaN, beyond a float) are null.

    Raises:
        ValueError: it is broken.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as strict:
        mended = _without_half_pairs(data.decode("utf-8", errors="replace").encode())
        try:
            return json.loads(
                mended, strict=False, parse_int=integer, parse_float=finite, parse_constant=lambda _: None
            )
        except (ValueError, RecursionError):
            raise strict from None


def _loads(data: bytes) -> Any | None:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _as_utf8(data: bytes) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", errors="backslashreplace").replace("\\x", "\\\\x").encode()
    return data


def _without_half_pairs(data: bytes) -> bytes:
    """The same JSON with every lone half of a surrogate pair, which is no character, replaced."""
    return _ESCAPE.sub(lambda escape: b"\\ufffd" if escape["half"] else escape[0], data)


def _objects(document: Any, name: str, context: Context, source: str) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        items = document.get("items")
        if isinstance(items, list):
            kind = str(document.get("kind", ""))
            item_kind = kind.removesuffix("List") if kind.endswith("List") and kind != "List" else ""
            metadata = document.get("metadata")
            if isinstance(metadata, dict) and metadata.get("continue"):
                left = metadata.get("remainingItemCount")
                more = f"{left} more objects" if isinstance(left, int) else "more objects"
                context.gap(
                    source, name, f"the list is one page (limit); {more} follow it", "Collect it without limit."
                )
            for item in items:
                if isinstance(item, dict) and item_kind and "kind" not in item:
                    # The API server leaves kind and apiVersion out of the items of a typed list.
                    item = {"kind": item_kind, "apiVersion": document.get("apiVersion"), **item}
                yield from _object(item, name, context, source)
            return
        if document.get("kind") == "Status" and document.get("status") == "Failure":
            context.gap(source, name, f"the server answered: {document.get('message')}", "Collect it again.")
            return
        if set(document) <= {"error", "reason"} and "error" in document:  # RabbitMQ's error body
            context.gap(source, name, f"the server answered: {document}", "Collect it again.")
            return
        yield document
        return
    if isinstance(document, list):
        for item in document:
            if isinstance(item, list) or (isinstance(item, dict) and isinstance(item.get("items"), list)):
                yield from _objects(item, name, context, source)
            else:
                yield from _object(item, name, context, source)
        return
    context.gap(source, name, f"expected a list of objects, found {type(document).__name__}", "Collect it again.")


def _object(item: Any, name: str, context: Context, source: str) -> Iterator[dict[str, Any]]:
    if isinstance(item, dict):
        yield item
    elif item is not None:
        context.gap(source, name, f"an element is a {type(item).__name__}, not an object; it is left out", "")
