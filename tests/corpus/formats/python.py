"""Python's logging, structlog, python-json-logger and loguru."""

from __future__ import annotations

import json
from typing import Any

from tests.corpus.model import Event, Format, JsonObject, local, rfc3339

from .rendering import constant, fill, with_exception

NAMES = {"debug": "DEBUG", "info": "INFO", "warn": "WARNING", "error": "ERROR", "fatal": "CRITICAL"}


def stdlib(event: Event) -> str:
    """``%(asctime)s %(levelname)s %(name)s: %(message)s``: local time, comma before the milliseconds."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S,%f", 3, hours=-6)
    return with_exception(f"{stamp} {NAMES[event.level]} {event.logger}: {fill(event, str)}", event)


def basic(event: Event) -> str:
    """``logging.basicConfig()``: no time at all."""
    return with_exception(f"{NAMES[event.level]}:{event.logger}:{fill(event, str)}", event)


def ecs(event: Event) -> JsonObject:
    """What ecs-logging makes."""
    document: JsonObject = {
        "@timestamp": rfc3339(event.time, 3),
        "log.level": NAMES[event.level].lower(),
        "message": fill(event, str),
        "ecs": {"version": "1.6.0"},
        "log": {"logger": event.logger, "original": fill(event, str)},
        "process": {"name": "MainProcess", "pid": 1, "thread": {"name": "MainThread"}},
    }
    if event.exception:
        kind, _, message = event.exception[-1].partition(": ")
        document["error"] = {"type": kind, "message": message, "stack_trace": "\n".join(event.exception)}
    return document


def structlog(event: Event) -> str:
    """structlog's ConsoleRenderer in colours: the event is padded, then come sorted key=value pairs."""

    def shown(value: Any) -> str:
        return value if isinstance(value, str) and value and not set(value) & set(" \t=\"'\n{}") else repr(value)

    pairs = " ".join(
        f"\x1b[36m{key}\x1b[0m=\x1b[35m{shown(value)}\x1b[0m" for key, value in sorted(event.properties.items())
    )
    level = f"[\x1b[32m\x1b[1m{NAMES[event.level].lower():<9}\x1b[0m]"
    head = f"\x1b[2m{rfc3339(event.time, 6)}\x1b[0m {level} \x1b[1m{constant(event):<30}\x1b[0m"
    return with_exception(f"{head} [\x1b[0m\x1b[1m\x1b[34m{event.logger}\x1b[0m]\x1b[0m {pairs}", event)


def structlog_json(event: Event) -> JsonObject:
    """structlog's JSONRenderer."""
    document: JsonObject = {
        **event.properties,
        "event": constant(event),
        "logger": event.logger,
        "level": NAMES[event.level].lower(),
        "timestamp": rfc3339(event.time, 6),
        "@timestamp": rfc3339(event.time, 6),
    }
    return document | ({"exception": "\n".join(event.exception)} if event.exception else {})


def json_logger(event: Event) -> JsonObject:
    """python-json-logger with the usual fields."""
    document: JsonObject = {
        "asctime": local(event.time, "%Y-%m-%d %H:%M:%S,%f", 3),
        "levelname": NAMES[event.level],
        "name": event.logger,
        "message": fill(event, str),
    }
    return document | ({"exc_info": "\n".join(event.exception)} if event.exception else {})


def loguru(event: Event) -> str:
    """loguru's default: ``{time} | {level: <8} | {name}:{function}:{line} - {message}``."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S.%f", 3)
    return with_exception(
        f"{stamp} | {NAMES[event.level]:<8} | {event.logger.lower()}:run:{len(event.template)} - {fill(event, str)}",
        event,
    )


FORMATS = (
    Format("python_stdlib", "python", stdlib, ecs, "stderr"),
    Format("python_basic", "python", basic, ecs, "stderr"),
    Format("structlog", "python", structlog, structlog_json),
    Format(
        "python_json",
        "python",
        lambda event: json.dumps(json_logger(event)),
        lambda event: json_logger(event) | {"@timestamp": rfc3339(event.time, 6)},
        "stderr",
    ),
    Format("loguru", "python", loguru, ecs, "stderr"),
)
