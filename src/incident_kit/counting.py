"""Counted things in words: ``1 restart``, ``12,345 restarts``."""

from __future__ import annotations


def plural(count: int, singular: str, several: str | None = None) -> str:
    """A number, its thousands separated, and the noun that goes with it.

    Args:
        count: how many.
        singular: the noun for one.
        several: the noun for any other number; with an ``s`` by default.
    """
    return f"{count:,} {singular if count == 1 else several or singular + 's'}"
