"""pino, winston and bunyan."""

from __future__ import annotations

import json

from tests.corpus.model import Event, Format, JsonObject, local, rfc3339

from .rendering import compact, constant, fill, go_value, with_exception

LEVELS = {"debug": 20, "info": 30, "warn": 40, "error": 50, "fatal": 60}


def pino(event: Event) -> str:
    """pino's JSON: numeric level, time as epoch milliseconds, the fields before the message."""
    row: JsonObject = {
        "level": LEVELS[event.level],
        "time": event.time // 1_000_000,
        "pid": 1,
        "hostname": "shop",
        **event.properties,
    }
    if event.exception:
        row["err"] = {
            "type": "TypeError",
            "message": event.exception[0].partition(": ")[2],
            "stack": "\n".join(event.exception),
        }
    return compact({**row, "msg": constant(event)})


def pino_pretty(event: Event) -> str:
    """pino-pretty: the fields on lines of their own, indented."""
    stamp = local(event.time, "%H:%M:%S.%f", 3)
    lines = [f"[{stamp}] {event.level.upper()} (1): {constant(event)}"]
    for name, value in event.properties.items():
        lines.append(f"    {name}: {json.dumps(value, ensure_ascii=False)}")
    if event.exception:
        lines += [
            "    err: {",
            '      "type": "TypeError",',
            f'      "message": {json.dumps(event.exception[0].partition(": ")[2])},',
            '      "stack":',
        ]
        lines += [f"          {line}" for line in event.exception] + ["    }"]
    return "\n".join(lines)


def ecs(event: Event) -> JsonObject:
    """What the ECS formats of pino and winston make, where the message has no slots."""
    document: JsonObject = {
        "@timestamp": rfc3339(event.time, 3),
        "log.level": event.level,
        "message": constant(event),
        "ecs.version": "8.10.0",
        "process.pid": 1,
        "host.hostname": "shop",
        **event.properties,
    }
    if event.exception:
        document["error"] = {
            "type": "TypeError",
            "message": event.exception[0].partition(": ")[2],
            "stack_trace": "\n".join(event.exception),
        }
    return document


def winston(event: Event) -> str:
    """winston's usual printf: time, level, message."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S", 0)
    return with_exception(f"{stamp} [{event.level}]: {fill(event, go_value)}", event)


def winston_elastic(event: Event) -> JsonObject:
    """What winston-elasticsearch ships."""
    fields: JsonObject = {**event.properties, **({"stack": "\n".join(event.exception)} if event.exception else {})}
    return {
        "@timestamp": rfc3339(event.time, 3),
        "message": fill(event, go_value),
        "severity": event.level,
        "fields": fields,
    }


def bunyan(event: Event) -> str:
    """bunyan's JSON."""
    row: JsonObject = {"name": "shop", "hostname": "shop", "pid": 1, "level": LEVELS[event.level], **event.properties}
    if event.exception:
        row["err"] = {
            "message": event.exception[0].partition(": ")[2],
            "name": "TypeError",
            "stack": "\n".join(event.exception),
        }
    return compact({**row, "msg": constant(event), "time": rfc3339(event.time, 3), "v": 0})


FORMATS = (
    Format("pino", "node", pino, ecs),
    Format("pino_pretty", "node", pino_pretty, ecs),
    Format("winston", "node", winston, winston_elastic),
    Format("bunyan", "node", bunyan, ecs),
    Format("pretty_json", "node", lambda event: json.dumps(ecs(event), indent=2, ensure_ascii=False), ecs),
)
