"""Reading decoded documents that may lack any part, or hold something else in its place.

Objects come from API servers, from files that people trimmed by hand and from torn files: nothing promised is
there for certain, and no reader may end over it.
"""

from __future__ import annotations

from typing import Any

from incident_kit.window import MAX_NS, MIN_NS, parse_rfc3339

Document = dict[str, Any]


def field(document: Any, *path: str) -> Any:
    """The value at a path; None where any step is absent."""
    for key in path:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def mapping(document: Any, *path: str) -> Document:
    """The object at a path; an empty one where there is none."""
    found = field(document, *path)
    return found if isinstance(found, dict) else {}


def listing(document: Any, *path: str) -> list[Document]:
    """The objects of the list at a path; empty where there is none."""
    found = field(document, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(document: Any, *path: str) -> str | None:
    """The text at a path; None where there is none or it is empty."""
    found = field(document, *path)
    return found if isinstance(found, str) and found else None


def texts(document: Any, *path: str) -> list[str]:
    """The texts of the list at a path; empty where there is none."""
    found = field(document, *path)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def whole(document: Any, *path: str) -> int | None:
    """The whole number at a path; None where there is none, or it does not fit 64 bits."""
    found = field(document, *path)
    if not isinstance(found, int) or isinstance(found, bool) or not MIN_NS <= found <= MAX_NS:
        return None
    return found


def instant(document: Any, *path: str) -> int | None:
    """The RFC 3339 time at a path in ns; None where there is none, or it does not fit: the zero time means "never"."""
    found = field(document, *path)
    moment = parse_rfc3339(found) if isinstance(found, str) else None
    # The epoch is the zero time of runtimes that count from it: containerd's "1970-01-01T00:00:00Z" of a start that failed.
    return moment or None
