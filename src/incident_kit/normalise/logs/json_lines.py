"""JSON console entries: CLEF, ECS, logstash, .NET, pino, bunyan, zap, slog, zerolog ... by the same field roles as documents."""

from __future__ import annotations

import re
from typing import Any

import orjson

from incident_kit.normalise.logs.fields import FieldRoles, first_text, properties_of
from incident_kit.normalise.logs.times import time_value

_HOLE = re.compile(r"\{\{|\}\}|\{([@$]?)([\w.]+)(?:,(-?\d+))?(?::([^{}]+))?\}")


def json_entry(text: str, roles: FieldRoles) -> dict[str, Any] | None:
    """Message, level, logger, time, template, properties and exception of a JSON entry; None when it is none."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    raw = roles.value(document, "message")
    inner = raw if isinstance(raw, dict) else _told_as_text(raw, roles)
    spoken = inner or document
    template = roles.value(spoken, "template")
    message = first_text(roles.value(inner, "message")) if inner else first_text(raw)
    if isinstance(template, str) and (message is None or message == template):
        message = render(template, _values(spoken), spoken.get("@r"))
    if message is None:
        message = text  # an event of values only, as access logs are: it is compared by these
    level = roles.level(document) or (roles.level(inner) if inner else None)
    if level is None and ("@mt" in document or "@m" in document):
        level = "info"  # CLEF leaves Information out
    exception = roles.value(document, "exception")
    return {
        "message": message,
        "level": level,
        "logger": first_text(roles.value(document, "logger"))
        or (first_text(roles.value(inner, "logger")) if inner else None),
        "time": time_value(roles.value(document, "time")),
        "template": template if isinstance(template, str) else None,
        "properties": properties_of(inner if isinstance(raw, str) and inner else document, roles),
        "exception": exception if isinstance(exception, str) else None,
    }


def _told_as_text(raw: Any, roles: FieldRoles) -> dict[str, Any] | None:
    """The JSON object with a message of its own that a message is, written as a text; documents' are opened likewise."""
    if not isinstance(raw, str) or raw[:1] != "{":
        return None
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None  # prose that begins with a brace
    told = isinstance(found, dict) and (roles.value(found, "message") or roles.value(found, "template"))
    return found if isinstance(told, str) else None


def _values(document: dict[str, Any]) -> dict[str, Any]:
    for path in ("State", "Properties", "properties", "fields", "Fields"):
        if isinstance(document.get(path), dict):
            return {**document, **document[path]}
    return document


def render(template: str, values: dict[str, Any], renderings: Any = None) -> str:
    """A message template with its holes filled, as Serilog fills them but without quotes."""
    given = iter(renderings) if isinstance(renderings, list) else iter(())

    def fill(hole: re.Match[str]) -> str:
        if hole[2] is None:
            return hole[0][0]
        if hole[4]:
            rendered = next(given, None)
            if isinstance(rendered, str):
                return rendered
        if hole[2] not in values:
            return hole[0]
        shown = _formatted(values[hole[2]], hole[4])
        width = int(hole[3] or 0)
        return shown.rjust(width) if width > 0 else shown.ljust(-width)

    return _HOLE.sub(fill, template)


def _formatted(value: Any, spec: str | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    if spec and isinstance(value, int | float):
        decimals = re.fullmatch(r"[FfNn](\d)|0(?:\.(0+))?", spec)
        if decimals:
            digits = int(decimals[1]) if decimals[1] else len(decimals[2] or "")
            return f"{value:,.{digits}f}" if spec[0] in "Nn" else f"{value:.{digits}f}"
        padded = re.fullmatch(r"[Dd](\d+)|(0{2,})", spec)
        if padded and isinstance(value, int):
            return f"{value:0{int(padded[1]) if padded[1] else len(padded[2])}d}"
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return str(value)
