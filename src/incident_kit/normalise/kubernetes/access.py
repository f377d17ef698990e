"""Reading of nested objects that may lack any part, or hold something else in its place."""

from __future__ import annotations

from typing import Any

from incident_kit.window import MAX_NS, MIN_NS, parse_rfc3339

Document = dict[str, Any]


def mapping(document: Any, *path: str) -> Document:
    """The object at a path; an empty one where there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def listed(document: Any, *path: str) -> list[Document]:
    """The objects of the list at a path; empty where there is none."""
    parent = mapping(document, *path[:-1])
    found = parent.get(path[-1])
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(document: Any, *path: str) -> str | None:
    """The text at a path; None where there is none or it is empty."""
    found = mapping(document, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) and found else None


def whole(document: Any, *path: str) -> int | None:
    """The whole number at a path; None where there is none, or it does not fit 64 bits."""
    found = mapping(document, *path[:-1]).get(path[-1])
    if not isinstance(found, int) or isinstance(found, bool) or not MIN_NS <= found <= MAX_NS:
        return None
    return found


def instant(document: Any, *path: str) -> int | None:
    """The RFC 3339 time at a path in ns; None where there is none or it does not fit."""
    found = text(document, *path)
    # The API writes the zero time for "never".
    if found is None or found.startswith("0001-"):
        return None
    return parse_rfc3339(found)
