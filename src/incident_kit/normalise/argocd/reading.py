"""Reading fields of documents that may hold anything: absent, null, or of another type than the API promises."""

from __future__ import annotations

from typing import Any

from incident_kit.window import parse_rfc3339


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """The object at a path below a document; empty when there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def listing(value: Any, *path: str) -> list[dict[str, Any]]:
    """The objects of a list at a path below a document; empty when there is none."""
    parent = mapping(value, *path[:-1]) if path else {}
    found = parent.get(path[-1]) if path else value
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(value: Any) -> str | None:
    """A string with content, or None."""
    return value if isinstance(value, str) and value else None


def texts(value: Any) -> list[str]:
    """The strings of a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def instant(value: Any) -> int | None:
    """Nanoseconds of an RFC 3339 time, or None."""
    return parse_rfc3339(value) if isinstance(value, str) else None
