"""Serilog, NLog and Microsoft.Extensions.Logging; no registry here has them, so these follow their documentation."""

from __future__ import annotations

import functools

from tests.corpus.model import Event, Format, JsonObject, local, rfc3339

from .rendering import compact, dotnet_value, fill, with_exception

LONG = {"debug": "Debug", "info": "Information", "warn": "Warning", "error": "Error", "fatal": "Fatal"}
SHORT = {"debug": "DBG", "info": "INF", "warn": "WRN", "error": "ERR", "fatal": "FTL"}
MICROSOFT = {"debug": "dbug", "info": "info", "warn": "warn", "error": "fail", "fatal": "crit"}
NLOG = {"debug": "DEBUG", "info": "INFO", "warn": "WARN", "error": "ERROR", "fatal": "FATAL"}
quoted = functools.partial(dotnet_value, quoted=True)
literal = lambda value: "null" if value is None else dotnet_value(value)  # noqa: E731  Serilog's :l knows no (null)


def serilog_console(event: Event, *, pattern: str = "%H:%M:%S", digits: int = 0, context: bool = False) -> str:
    """``[{Timestamp:HH:mm:ss} {Level:u3}] {Message:lj}{NewLine}{Exception}``, the console sink's default."""
    source = f" {event.logger}:" if context else ""
    return with_exception(
        f"[{local(event.time, pattern, digits)} {SHORT[event.level]}]{source} {fill(event, literal)}", event
    )


def serilog_dated(event: Event) -> str:
    """``{Timestamp:yyyy-MM-dd HH:mm:ss.fff zzz} [{Level:u3}] ({SourceContext}) {Message:lj}{NewLine}{Exception}``."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S.%f +01:00", 3, hours=1)
    return with_exception(f"{stamp} [{SHORT[event.level]}] ({event.logger}) {fill(event, literal)}", event)


def serilog_elastic(event: Event) -> JsonObject:
    """What Serilog.Sinks.Elasticsearch ships: strings in quotes, template and properties beside the text."""
    document: JsonObject = {
        "@timestamp": rfc3339(event.time, 7, "+00:00"),
        "level": LONG[event.level],
        "messageTemplate": event.template,
        "message": fill(event, quoted),
        "fields": {**event.properties, "SourceContext": event.logger, "ThreadId": 12},
    }
    if event.exception:
        kind, _, message = event.exception[0].partition(": ")
        document["exceptions"] = [
            {
                "Depth": 0,
                "ClassName": kind,
                "Message": message,
                "StackTraceString": "\n".join(event.exception[1:]),
                "HResult": -2146233079,
            }
        ]
    return document


def serilog_ecs(event: Event) -> JsonObject:
    """What Elastic.CommonSchema.Serilog ships: strings as labels, other values as metadata."""
    labels = {name: value for name, value in event.properties.items() if isinstance(value, str)}
    document: JsonObject = {
        "@timestamp": rfc3339(event.time, 7, "+00:00"),
        "log.level": LONG[event.level],
        "message": fill(event, quoted),
        "ecs.version": "8.11.0",
        "log": {"logger": event.logger},
        "labels": {"MessageTemplate": event.template, **labels},
        "metadata": {name: value for name, value in event.properties.items() if not isinstance(value, str)},
        "process": {"thread": {"id": 12}, "pid": 1, "name": "dotnet"},
    }
    if event.exception:
        kind, _, message = event.exception[0].partition(": ")
        document["error"] = {"type": kind, "message": message, "stack_trace": "\n".join(event.exception)}
    return document


def clef(event: Event) -> str:
    """Serilog's compact JSON: the template is there, the message is not; no level means Information."""
    row: JsonObject = {"@t": rfc3339(event.time, 7), "@mt": event.template}
    if event.level != "info":
        row["@l"] = LONG[event.level]
    if event.exception:
        row["@x"] = "\n".join(event.exception)
    return compact({**row, **event.properties, "SourceContext": event.logger})


def rendered_clef(event: Event) -> str:
    """Serilog's rendered compact JSON: the message is there, the template only as a hash."""
    row: JsonObject = {"@t": rfc3339(event.time, 7), "@m": fill(event, quoted), "@i": f"{hash_of(event.template):08x}"}
    if event.level != "info":
        row["@l"] = LONG[event.level]
    if event.exception:
        row["@x"] = "\n".join(event.exception)
    return compact({**row, **event.properties})


def hash_of(text: str) -> int:
    """A stable 32-bit number for a text, as event types have."""
    value = 0
    for character in text:
        value = (value * 1025 + ord(character)) & 0xFFFFFFFF
        value ^= value >> 6
    return value


def nlog_console(event: Event) -> str:
    """``${longdate}|${level:uppercase=true}|${logger}|${message:withexception=true}``, NLog's default layout."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S.%f", 4)
    return with_exception(f"{stamp}|{NLOG[event.level]}|{event.logger}|{fill(event, quoted)}", event)


def nlog_elastic(event: Event) -> JsonObject:
    """What NLog.Targets.ElasticSearch ships."""
    document: JsonObject = {
        "@timestamp": rfc3339(event.time, 7),
        "level": LONG[event.level].replace("Information", "Info").replace("Warning", "Warn"),
        "logger": event.logger,
        "message": fill(event, quoted),
        **event.properties,
    }
    if event.exception:
        document["exception"] = {
            "className": event.exception[0].split(":")[0],
            "stackTraceString": "\n".join(event.exception),
        }
    return document


def simple_console(event: Event) -> str:
    """The two-line console of Microsoft.Extensions.Logging."""
    message = fill(event, dotnet_value).replace("\n", "\n      ")
    return with_exception(f"{MICROSOFT[event.level]}: {event.logger}[0]\n      {message}", event, "      ")


def json_console(event: Event) -> str:
    """AddJsonConsole with a time and no scopes."""
    row: JsonObject = {
        "Timestamp": rfc3339(event.time, 3),
        "EventId": 0,
        "LogLevel": LONG[event.level].replace("Fatal", "Critical"),
        "Category": event.logger,
        "Message": fill(event, dotnet_value),
    }
    if event.exception:
        row["Exception"] = "\n".join(event.exception)
    row["State"] = {"Message": fill(event, dotnet_value), **event.properties, "{OriginalFormat}": event.template}
    return compact(row, ascii_only=True)


def extensions_elastic(event: Event) -> JsonObject:
    """What Elastic.Extensions.Logging ships."""
    document = serilog_ecs(event) | {"message": fill(event, dotnet_value)}
    document["labels"] = {
        key.replace("MessageTemplate", "OriginalFormat"): value for key, value in document["labels"].items()
    }
    return document


FORMATS = (
    Format("serilog", "dotnet", serilog_console, serilog_elastic),
    Format("serilog_ecs", "dotnet", functools.partial(serilog_console, context=True), serilog_ecs),
    Format("serilog_dated", "dotnet", serilog_dated, serilog_elastic),
    Format("clef", "dotnet", clef, serilog_elastic),
    Format("clef_rendered", "dotnet", rendered_clef, serilog_ecs),
    Format("nlog", "dotnet", nlog_console, nlog_elastic),
    Format("dotnet_simple", "dotnet", simple_console, extensions_elastic),
    Format("dotnet_json", "dotnet", json_console, extensions_elastic),
)
