"""The beginning of a collected file, from which it is told what the file is."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from incident_kit.normalise.raw import read_chunks, utf8_chunks

_HEAD = 64 << 10
_LINES = 200
#: What tools write above their answer: a console's request, a progress line, a warning.
_ABOVE = re.compile(r"(?:[ \t]*(?:#|//|GET |POST |Listing |Asking |Reporting |Warning: |W\d{4} )[^\n]*\n|[ \t\r]*\n)*")
_JSON = re.compile(r'\s*(?:\{\s*["}]|\[\s*[\[{"\]])')
_PLACES = ("console", "elasticsearch", "kubernetes", "rabbitmq", "argocd")


@dataclass(frozen=True)
class Sample:
    """The beginning of one file.

    Attributes:
        relative: path within the folder, as gaps state it.
        text: the first 64 KiB, unpacked, as text; never half a line unless the file has only one.
        is_binary: whether that is no text.
    """

    relative: str
    text: str
    is_binary: bool = False

    @cached_property
    def lines(self) -> list[str]:
        """Its first lines that are not blank; a bar of progress that returns to its beginning is one line."""
        lines = (line.rstrip("\r") for line in self.text.split("\n", _LINES)[:_LINES])
        return [line for line in lines if line.strip()]

    @cached_property
    def body(self) -> str:
        """Its text from the answer on, without what tools write above it."""
        above = _ABOVE.match(self.text)
        return self.text[above.end() :] if above else self.text

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON objects of its lines, where each line is one; else none."""
        found = []
        for line in self.lines:
            try:
                document = orjson.loads(line)
            except orjson.JSONDecodeError:
                return []
            if not isinstance(document, dict):
                return []
            found.append(document)
        return found

    @cached_property
    def is_json(self) -> bool:
        """Whether it begins as a JSON document, or as one a line."""
        return bool(_JSON.match(self.body))

    @property
    def is_log(self) -> bool:
        """Whether its name ends as a log's does."""
        return bool(re.search(r"\.log(?:[.-][\w.-]+)?$", self.relative, re.IGNORECASE))

    @property
    def stem(self) -> str:
        """Its name without endings, fit for a part of a path."""
        name = self.relative.rpartition("/")[2]
        stem = re.sub(
            r"(?:\.(?:log|txt|json|ya?ml|csv|gz|xz|bz2|zst|ndjson|jsonl|\d+))+$", "", name, flags=re.IGNORECASE
        )
        return "".join(c if c.isalnum() or c in "-_.@" else "-" for c in stem).strip(".") or "file"

    @cached_property
    def place(self) -> str | None:
        """The layout's folder that it stands in, wherever that stands; None where it is in none of them."""
        folders = [folder.lower() for folder in self.relative.split("/")[:-1]]
        return next((place for folder in folders for place in _PLACES if folder == place), None)

    def names(self, *keys: str) -> bool:
        """Whether its JSON names all of these keys."""
        return all(re.search(rf'"{re.escape(key)}"\s*:', self.text) for key in keys)


def sample_of(path: Path, relative: str) -> Sample:
    """The sample of a file; of one that cannot be read, what can be (whoever copies it says why)."""
    head = b""
    try:
        for chunk in utf8_chunks(read_chunks(path, _HEAD)):
            head += chunk
            if len(head) >= _HEAD:
                head = head[: head.rfind(b"\n", 0, _HEAD) + 1] or head[:_HEAD]
                break
    except (OSError, EOFError, zlib.error):
        pass  # of a torn file, its beginning
    text = head.decode("utf-8", errors="replace")
    # Consoles hold a zero byte or text of another encoding now and then.
    is_binary = text.count("\0") > len(text) // 100 or text.count("\ufffd") > len(text) // 4
    return Sample(relative, "" if is_binary else text, is_binary)
