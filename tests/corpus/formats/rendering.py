"""How each language turns a template and its values into text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.corpus.model import Event, JsonObject

_SLOT = re.compile(r"\{(\w+)\}")


def fill(event: Event, render: Callable[[Any], str]) -> str:
    """The event's message with each slot rendered."""
    return _SLOT.sub(
        lambda slot: render(event.properties[slot[1]]) if slot[1] in event.properties else slot[0], event.template
    )


def with_exception(head: str, event: Event, indent: str = "") -> str:
    """The entry's first lines with those of its exception behind them."""
    return "\n".join([head, *(indent + line for line in event.exception or [])])


def constant(event: Event) -> str:
    """The message as libraries with key-value pairs have it: the template's words without its slots."""
    return (
        re.sub(r"\s+", " ", re.sub(r"[('\[#]*\{\w+\}[)'\]]*(ms\b)?", "", event.template)).strip(" ,:") or event.template
    )


def compact(document: JsonObject, *, ascii_only: bool = False) -> str:
    """JSON without spaces, as most loggers write it."""
    return json.dumps(document, ensure_ascii=ascii_only, separators=(",", ":"))


def dotnet_value(value: Any, *, quoted: bool = False) -> str:
    """A value as .NET's invariant culture prints it; strings in quotes if asked, as Serilog's plain renderer does."""
    if value is None:
        return "null" if quoted else "(null)"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}" if value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, str) and quoted:
        return '"' + value.replace('"', '\\"') + '"'
    return str(value)


def java_value(value: Any) -> str:
    """A value as String.valueOf prints it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def go_value(value: Any) -> str:
    """A value as fmt prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def go_quoted(value: Any) -> str:
    """A value as slog's text handler prints it: in quotes only where it has to be."""
    text = go_value(value)
    if isinstance(value, str) and (not text or any(c in ' "=\t\n{}\\' or ord(c) < 32 for c in text)):
        return json.dumps(text, ensure_ascii=False)
    return text
