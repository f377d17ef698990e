"""zap, slog, zerolog and klog."""

from __future__ import annotations

import json
from typing import Any

from tests.corpus.model import SECOND, Event, Format, JsonObject, local, rfc3339

from .rendering import compact, constant, go_quoted

SHORT = {"debug": "DBG", "info": "INF", "warn": "WRN", "error": "ERR", "fatal": "FTL"}
SLOG = {"debug": "DEBUG", "info": "INFO", "warn": "WARN", "error": "ERROR", "fatal": "ERROR"}
KLOG = {"debug": "I", "info": "I", "warn": "W", "error": "E", "fatal": "F"}


def _snake(properties: JsonObject) -> JsonObject:
    return {name[0].lower() + name[1:]: value for name, value in properties.items()}


def zap_console(event: Event) -> str:
    """zap's development console: tabs, and the fields as JSON at the end."""
    fields = f"\t{json.dumps(_snake(event.properties), ensure_ascii=False)}" if event.properties else ""
    stamp = local(event.time, "%Y-%m-%dT%H:%M:%S.%f", 3, hours=1) + "+0100"
    caller = f"orders/service.go:{len(event.template)}"
    return "\n".join(
        [
            f"{stamp}\t{event.level.upper()}\t{event.logger.lower()}\t{caller}\t{constant(event)}{fields}",
            *(event.exception or []),
        ]
    )


def zap_json(event: Event) -> JsonObject:
    """zap's production encoder: the time as float seconds."""
    document: JsonObject = {
        "level": event.level,
        "ts": event.time // 100 / (SECOND // 100),
        "logger": event.logger.lower(),
        "caller": f"orders/service.go:{len(event.template)}",
        "msg": constant(event),
        **_snake(event.properties),
    }
    return document | ({"stacktrace": "\n".join(event.exception)} if event.exception else {})


def zap_ecs(event: Event) -> JsonObject:
    """The same through ecszap."""
    document: JsonObject = {
        "log.level": event.level,
        "@timestamp": rfc3339(event.time, 3),
        "log.logger": event.logger.lower(),
        "message": constant(event),
        "ecs.version": "1.6.0",
        **_snake(event.properties),
    }
    return document | ({"log.origin.stack_trace": "\n".join(event.exception)} if event.exception else {})


def slog_text(event: Event) -> str:
    """slog's TextHandler."""
    pairs = "".join(f" {name}={go_quoted(value)}" for name, value in _snake(event.properties).items())
    error = f" err={go_quoted(event.exception[0])}" if event.exception else ""
    return f"time={rfc3339(event.time, 3)} level={SLOG[event.level]} msg={go_quoted(constant(event))}{pairs}{error}"


def slog_json(event: Event) -> JsonObject:
    """slog's JSONHandler, with the time renamed as users do to ship it."""
    document: JsonObject = {
        "@timestamp": rfc3339(event.time, 9),
        "level": SLOG[event.level],
        "msg": constant(event),
        **_snake(event.properties),
    }
    return document | ({"err": event.exception[0]} if event.exception else {})


def zerolog_console(event: Event) -> str:
    """zerolog's ConsoleWriter in colours."""
    pairs = "".join(
        f" \x1b[36m{name}=\x1b[0m{go_quoted(value)}" for name, value in sorted(_snake(event.properties).items())
    )
    stamp = local(event.time, "%Y-%m-%dT%H:%M:%SZ", 0)
    return f"\x1b[90m{stamp}\x1b[0m \x1b[32m{SHORT[event.level]}\x1b[0m \x1b[1m{constant(event)}\x1b[0m{pairs}"


def zerolog_json(event: Event) -> JsonObject:
    """zerolog's own JSON with the fields that ship."""
    return {
        "level": event.level,
        **_snake(event.properties),
        "time": rfc3339(event.time, 0),
        "message": constant(event),
    }


def klog(event: Event) -> str:
    """klog's structured text: no year, no zone, the message and the values in quotes."""
    stamp = local(event.time, "%m%d %H:%M:%S.%f", 6)

    def shown(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else go_quoted(value)

    pairs = "".join(f" {name}={shown(value)}" for name, value in _snake(event.properties).items())
    return f"{KLOG[event.level]}{stamp}       1 service.go:{len(event.template)}] {json.dumps(constant(event), ensure_ascii=False)}{pairs}"


def klog_json(event: Event) -> JsonObject:
    """The JSON format of Kubernetes' components."""
    return {
        "ts": event.time / 1e6,
        "@timestamp": rfc3339(event.time, 6),
        "caller": f"shop/service.go:{len(event.template)}",
        "msg": constant(event),
        "v": 0,
        **_snake(event.properties),
    }


FORMATS = (
    Format("zap_console", "go", zap_console, zap_ecs, "stderr"),
    Format("zap_json", "go", lambda event: compact(zap_json(event)), zap_ecs, "stderr"),
    Format("slog_text", "go", slog_text, slog_json),
    Format("slog_json", "go", lambda event: compact(slog_json(event)).replace('"@timestamp"', '"time"'), slog_json),
    Format(
        "zerolog_console",
        "go",
        zerolog_console,
        lambda event: zerolog_json(event) | {"@timestamp": rfc3339(event.time, 3)},
        "stderr",
    ),
    Format(
        "zerolog_json",
        "go",
        lambda event: compact(zerolog_json(event)),
        lambda event: zerolog_json(event) | {"@timestamp": rfc3339(event.time, 3)},
    ),
    Format("klog", "go", klog, klog_json, "stderr"),
)
