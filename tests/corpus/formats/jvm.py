"""Logback, log4j2 and Spring Boot consoles, with the documents of the logstash and ECS encoders."""

from __future__ import annotations

import functools

from tests.corpus.model import Event, Format, JsonObject, local, rfc3339

from .rendering import compact, fill, java_value, with_exception

NAMES = {"debug": "DEBUG", "info": "INFO", "warn": "WARN", "error": "ERROR", "fatal": "ERROR"}
COLOURS = {"debug": "32", "info": "32", "warn": "33", "error": "31", "fatal": "31"}
VALUES = {"debug": 10000, "info": 20000, "warn": 30000, "error": 40000, "fatal": 40000}


def _class(event: Event) -> str:
    return "com.example." + event.logger.lower().rpartition(".")[0] + "." + event.logger.rpartition(".")[2]


def _abbreviated(name: str, length: int) -> str:
    """The logger's name as ``%logger{length}`` cuts it: packages to one letter, from the left, until it fits."""
    parts = name.split(".")
    for position in range(len(parts) - 1):
        if len(".".join(parts)) <= length:
            break
        parts[position] = parts[position][0]
    return ".".join(parts)


def logback(event: Event) -> str:
    """``%d{HH:mm:ss.SSS} [%thread] %-5level %logger{36} - %msg%n``, logback's own default."""
    stamp = local(event.time, "%H:%M:%S.%f", 3)
    name = _abbreviated(_class(event), 36)
    return with_exception(f"{stamp} [{event.thread}] {NAMES[event.level]:<5} {name} - {fill(event, java_value)}", event)


def spring(event: Event, *, coloured: bool = False) -> str:
    """Spring Boot's console, coloured when it thinks that it has a terminal."""
    stamp = local(event.time, "%Y-%m-%dT%H:%M:%S.%f", 3) + "Z"
    name = f"{_abbreviated(_class(event), 39):<40.40}"
    level = f"{NAMES[event.level]:>5}"
    if coloured:
        dim, end = "\x1b[2m", "\x1b[0;39m"
        head = f"{dim}{stamp}{end} \x1b[{COLOURS[event.level]}m{level}{end} \x1b[35m1{end} {dim}---{end} {dim}[{event.thread:>15}]{end}"
        return with_exception(f"{head} \x1b[36m{name}{end} {dim}:{end} {fill(event, java_value)}", event)
    return with_exception(f"{stamp} {level} 1 --- [{event.thread:>15}] {name} : {fill(event, java_value)}", event)


def spring_traced(event: Event) -> str:
    """Spring Boot with Micrometer tracing: application, trace and span in brackets."""
    stamp = local(event.time, "%Y-%m-%dT%H:%M:%S.%f", 3) + "Z"
    trace = f"{event.time * 2654435761 % (1 << 64):016x}"
    name = f"{_abbreviated(_class(event), 39):<40.40}"
    head = f"{stamp} {NAMES[event.level]:>5} 1 --- [orders] [{event.thread:>15}] [{trace}{trace[::-1]}-{trace[:16]}] {name}"
    return with_exception(f"{head} : {fill(event, java_value)}", event)


def log4j(event: Event) -> str:
    """``%d{ISO8601} [%t] %-5p %c{1} - %m%n``: a comma before the milliseconds, no zone."""
    stamp = local(event.time, "%Y-%m-%dT%H:%M:%S,%f", 3, hours=2)
    return with_exception(
        f"{stamp} [{event.thread}] {NAMES[event.level]:<5} {event.logger.rpartition('.')[2]} - {fill(event, java_value)}",
        event,
    )


def logstash(event: Event) -> JsonObject:
    """What logstash-logback-encoder makes."""
    document: JsonObject = {
        "@timestamp": rfc3339(event.time, 9),
        "@version": "1",
        "message": fill(event, java_value),
        "logger_name": _class(event),
        "thread_name": event.thread,
        "level": NAMES[event.level],
        "level_value": VALUES[event.level],
    }
    if event.exception:
        document["stack_trace"] = "\n".join(event.exception) + "\n"
    return document


def ecs(event: Event) -> JsonObject:
    """What the ECS encoders of logback and log4j2 make: dotted names, the trace in a field."""
    document: JsonObject = {
        "@timestamp": rfc3339(event.time, 3),
        "log.level": NAMES[event.level],
        "message": fill(event, java_value),
        "ecs.version": "1.2.0",
        "service.name": "shop",
        "process.thread.name": event.thread,
        "log.logger": _class(event),
    }
    if event.exception:
        kind, _, message = event.exception[0].partition(": ")
        document |= {
            "error.type": kind,
            "error.message": message,
            "error.stack_trace": "\n".join(event.exception) + "\n",
        }
    return document


FORMATS = (
    Format("logback", "java", logback, logstash),
    Format("spring", "java", spring, ecs),
    Format("spring_coloured", "java", functools.partial(spring, coloured=True), logstash),
    Format("spring_traced", "java", spring_traced, ecs),
    Format("log4j2", "java", log4j, ecs),
    Format("logback_json", "java", lambda event: compact(logstash(event)), logstash),
    Format("logback_ecs_json", "java", lambda event: compact(ecs(event)), ecs),
)
