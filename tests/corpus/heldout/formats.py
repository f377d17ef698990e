"""House formats and the consoles of languages that no other case has, each with the document that its appender ships."""

from __future__ import annotations

import json

from tests.corpus.formats.rendering import compact, constant, dotnet_value, fill, go_value, java_value, with_exception
from tests.corpus.model import Event, Format, JsonObject, local, rfc3339

UPPER = {"debug": "DEBUG", "info": "INFO", "warn": "WARN", "error": "ERROR", "fatal": "FATAL"}
LETTER = {"debug": "D", "info": "I", "warn": "W", "error": "E", "fatal": "F"}
GERMAN = {"debug": "DIAGNOSE", "info": "HINWEIS", "warn": "WARNUNG", "error": "FEHLER", "fatal": "ABBRUCH"}
SYSLOG = {"debug": 7, "info": 6, "warn": 4, "error": 3, "fatal": 2}
OTEL = {"debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}


def correlation(event: Event) -> str:
    """A correlation id that only this event has."""
    return f"{event.time * 2654435761 % (1 << 64):016x}"


def short_name(event: Event) -> str:
    """The last part of the logger's name."""
    return event.logger.rpartition(".")[2]


def _trace(event: Event, name: str) -> JsonObject:
    return {name: "\n".join(event.exception)} if event.exception else {}


def pipes(event: Event) -> str:
    """``time|service|LEVEL|correlation|class|message``."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S.%f", 3)
    return with_exception(
        f"{stamp}|orders|{UPPER[event.level]}|{correlation(event)}|{short_name(event)}|{fill(event, java_value)}",
        event,
    )


def pipes_document(event: Event) -> JsonObject:
    """Flat, with names of the house's own."""
    return {
        "@timestamp": rfc3339(event.time, 3),
        "svc": "orders",
        "severity": UPPER[event.level],
        "corr": correlation(event),
        "text": fill(event, java_value),
        **_trace(event, "trace"),
    }


def thread_first(event: Event) -> str:
    """``HH:mm:ss,SSS (thread) [LEVEL] Class :: message``."""
    stamp = local(event.time, "%H:%M:%S,%f", 3, hours=3)
    return with_exception(
        f"{stamp} ({event.thread}) [{UPPER[event.level]}] {short_name(event)} :: {fill(event, java_value)}",
        event,
    )


def plain_document(event: Event) -> JsonObject:
    """ECS with little in it."""
    return {
        "@timestamp": rfc3339(event.time, 3),
        "message": fill(event, java_value),
        "log": {"level": event.level},
        **_trace(event, "error.stack_trace"),
    }


def prefixed_logfmt(event: Event) -> str:
    """logfmt after a prefix as syslog daemons write it."""
    pairs = "".join(
        f" {name.lower()}={json.dumps(value, ensure_ascii=False) if isinstance(value, str) else go_value(value)}"
        for name, value in event.properties.items()
    )
    message = json.dumps(fill(event, go_value), ensure_ascii=False)
    return (
        f"orders[1]: ts={rfc3339(event.time, 6)} lvl={event.level} msg={message}{pairs} span={correlation(event)[:8]}"
    )


def logfmt_document(event: Event) -> JsonObject:
    """The same as JSON."""
    return {
        "@timestamp": rfc3339(event.time, 6),
        "lvl": event.level,
        "msg": fill(event, go_value),
        **{name.lower(): value for name, value in event.properties.items()},
        "span": correlation(event)[:8],
    }


def epoch(event: Event) -> str:
    """Milliseconds since the epoch, one letter for the level."""
    return with_exception(
        f"{event.time // 1_000_000} {LETTER[event.level]} {short_name(event)}: {fill(event, str)}", event
    )


def gelf(event: Event) -> JsonObject:
    """GELF: syslog's numeric levels, the trace only in the full message."""
    short = fill(event, str)
    return {
        "@timestamp": rfc3339(event.time, 3),
        "version": "1.1",
        "host": "orders",
        "short_message": short,
        "level": SYSLOG[event.level],
        "full_message": with_exception(short, event),
        "_logger": event.logger,
    }


def tailed(event: Event) -> str:
    """Go's log package, the fields behind a bar; warnings and errors say so in the text's front."""
    level = {"info": "", "debug": "[debug] "}.get(event.level, f"[{event.level}] ")
    tail = " ".join(
        f"{name}={go_value(value)!r}" if isinstance(value, str) else f"{name}={go_value(value)}"
        for name, value in event.properties.items()
    )
    stamp = local(event.time, "%Y/%m/%d %H:%M:%S.%f", 6)
    return with_exception(
        f"{stamp} service.go:{len(event.template)}: {level}{fill(event, go_value)} | trace={correlation(event)[:12]} {tail}".rstrip(),
        event,
    )


def tailed_document(event: Event) -> JsonObject:
    """The message alone, the rest in an object."""
    return {
        "@timestamp": rfc3339(event.time, 6),
        "level": event.level,
        "message": fill(event, go_value),
        "ctx": {**event.properties, "trace": correlation(event)[:12]},
        **_trace(event, "stack"),
    }


def tracing(event: Event) -> str:
    """Rust's tracing-subscriber, uncoloured."""
    pairs = "".join(
        f" {name.lower()}={json.dumps(value, ensure_ascii=False) if isinstance(value, str) else java_value(value)}"
        for name, value in event.properties.items()
    )
    return f"{rfc3339(event.time, 6)} {UPPER[event.level]:>5} {event.logger.lower().replace('.', '::')}: {constant(event)}{pairs}"


def tracing_document(event: Event) -> JsonObject:
    """tracing-subscriber's JSON: the message is among the fields."""
    return {
        "timestamp": rfc3339(event.time, 6),
        "@timestamp": rfc3339(event.time, 3),
        "level": UPPER[event.level],
        "target": event.logger.lower().replace(".", "::"),
        "fields": {"message": constant(event), **{name.lower(): value for name, value in event.properties.items()}},
    }


def monolog(event: Event) -> str:
    """PHP's monolog line formatter."""
    stamp = rfc3339(event.time, 6, "+00:00")
    context = compact(event.properties) if event.properties else "[]"
    return f"[{stamp}] app.{UPPER[event.level].replace('WARN', 'WARNING')}: {fill(event, str)} {context} []"


def monolog_document(event: Event) -> JsonObject:
    """monolog's Logstash formatter."""
    return {
        "@timestamp": rfc3339(event.time, 6, "+00:00"),
        "@version": 1,
        "type": "shop",
        "channel": "app",
        "level": UPPER[event.level].replace("WARN", "WARNING"),
        "monolog_level": 200,
        "message": fill(event, str),
        "context": event.properties or [],
    }


def ruby(event: Event) -> str:
    """Ruby's Logger."""
    return f"{LETTER[event.level]}, [{rfc3339(event.time, 6, '')} #1] {UPPER[event.level]:>5} -- {event.logger}: {fill(event, java_value)}"


def german(event: Event) -> str:
    """Day first, comma, levels in German, local time."""
    stamp = local(event.time, "%d.%m.%Y %H:%M:%S,%f", 3, hours=1)
    return with_exception(
        f"{stamp} {GERMAN[event.level]:<8} <{event.thread}> {short_name(event)} – {fill(event, dotnet_value)}",
        event,
    )


def german_document(event: Event) -> JsonObject:
    """The same words as fields."""
    return {
        "@timestamp": rfc3339(event.time, 3),
        "Stufe": GERMAN[event.level],
        "Meldung": fill(event, dotnet_value),
        **_trace(event, "Ausnahme"),
    }


def traced(event: Event) -> str:
    """Level, trace and span in front, no time."""
    return with_exception(
        f"[{UPPER[event.level]}] [trace_id={correlation(event)} span_id={correlation(event)[:8]}] {fill(event, java_value)}",
        event,
    )


def otel(event: Event) -> JsonObject:
    """An OpenTelemetry log record as its exporter maps it."""
    return {
        "@timestamp": rfc3339(event.time, 9),
        "body": {"text": fill(event, java_value)},
        "severity_text": UPPER[event.level],
        "severity_number": OTEL[event.level],
        "attributes": {
            **event.properties,
            **({"exception.stacktrace": "\n".join(event.exception)} if event.exception else {}),
        },
        "trace_id": correlation(event),
        "scope": {"name": event.logger},
    }


FORMATS = {
    one.name: one
    for one in (
        Format("pipes", "java", pipes, pipes_document),
        Format("thread_first", "java", thread_first, plain_document),
        Format("prefixed_logfmt", "go", prefixed_logfmt, logfmt_document),
        Format("epoch_gelf", "python", epoch, gelf),
        Format("key_value_tail", "go", tailed, tailed_document, "stderr"),
        Format("rust_tracing", "go", tracing, tracing_document),
        Format("monolog", "python", monolog, monolog_document),
        Format("ruby", "python", ruby, plain_document),
        Format("german", "dotnet", german, german_document),
        Format("traced_otel", "java", traced, otel),
    )
}
