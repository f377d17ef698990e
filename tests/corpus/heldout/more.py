"""Ten further formats, held out a second time: written after the matcher had answered the first ten."""

from __future__ import annotations

from tests.corpus.formats.dotnet import LONG, MICROSOFT, extensions_elastic
from tests.corpus.formats.rendering import compact, dotnet_value, fill, java_value, with_exception
from tests.corpus.model import Event, Format, JsonObject, local, rfc3339

from .formats import UPPER, correlation, plain_document, short_name

POSTGRES = {"debug": "DEBUG", "info": "LOG", "warn": "WARNING", "error": "ERROR", "fatal": "FATAL"}
APACHE = {"debug": "debug", "info": "notice", "warn": "warn", "error": "error", "fatal": "crit"}


def angled(event: Event) -> str:
    """The time in angle brackets, the class between carets."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S,%f", 3)
    return with_exception(f"<{stamp}> {UPPER[event.level]} ^{short_name(event)}^ {fill(event, java_value)}", event)


def columns(event: Event) -> str:
    """Columns of fixed width, a compact time."""
    stamp = local(event.time, "%Y%m%dT%H%M%S.%fZ", 3)
    return with_exception(f"{stamp:<22}{UPPER[event.level]:<8}{short_name(event):<26}{fill(event, java_value)}", event)


def scoped(event: Event) -> str:
    """Microsoft's console with scopes: a line of them between the head and the message."""
    scopes = f"=> SpanId:{correlation(event)}, TraceId:{correlation(event) * 2}, ParentId:0000000000000000 => RequestPath:/api/orders RequestId:0HN{correlation(event)[:8]}:01"
    return with_exception(
        f"{MICROSOFT[event.level]}: {event.logger}[17]\n      {scopes}\n      {fill(event, dotnet_value)}",
        event,
        "      ",
    )


def single_line(event: Event) -> str:
    """Microsoft's console in one line, with a time; exceptions are in the line too."""
    trace = "".join(f" {line}" for line in event.exception or [])
    return f"{local(event.time, '%H:%M:%S ', 0)}{MICROSOFT[event.level]}: {event.logger}[0] {fill(event, dotnet_value)}{trace}"


def erlang(event: Event) -> str:
    """Erlang's logger as RabbitMQ sets it."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S.%f+00:00", 6)
    level = {"warn": "warning"}.get(event.level, event.level)
    return f"{stamp} [{level}] <0.{event.time % 900}.0> {fill(event, java_value)}"


def postgres(event: Event) -> str:
    """PostgreSQL's prefix: a zone's name, a pid, and two spaces behind the severity."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S.%f UTC", 3)
    return f"{stamp} [{event.time % 97}] {POSTGRES[event.level]}:  {fill(event, java_value)}"


def apache(event: Event) -> str:
    """Apache's error log: the year behind the time."""
    stamp = local(event.time, "%a %b %d %H:%M:%S.%f %Y", 6)
    return f"[{stamp}] [core:{APACHE[event.level]}] [pid 1:tid {event.time % 99999}] AH00094: {fill(event, java_value)}"


def quarkus(event: Event) -> str:
    """Quarkus's default console."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S,%f", 3)
    return with_exception(
        f"{stamp} {UPPER[event.level]:<5} [com.exa.{short_name(event)}] ({event.thread}) {fill(event, java_value)}",
        event,
    )


def quarkus_document(event: Event) -> JsonObject:
    """Quarkus's JSON."""
    document: JsonObject = {
        "timestamp": rfc3339(event.time, 9),
        "@timestamp": rfc3339(event.time, 3),
        "sequence": event.time % 100_000,
        "loggerClassName": "org.jboss.logging.Logger",
        "loggerName": f"com.exa.{short_name(event)}",
        "level": UPPER[event.level],
        "message": fill(event, java_value),
        "threadName": event.thread,
    }
    return document | ({"stackTrace": "\n".join(event.exception)} if event.exception else {})


def cloud_json(event: Event) -> str:
    """JSON as a cloud's agent wants it: severity, the message within an object, everything else beside it."""
    return compact(
        {
            "severity": UPPER[event.level],
            "time": rfc3339(event.time, 6),
            "jsonPayload": {"message": fill(event, java_value), "labels": event.properties},
            "logging.googleapis.com/trace": correlation(event),
        }
    )


def comma_separated(event: Event) -> str:
    """Quoted columns; quotes inside are doubled."""
    cells = (local(event.time, "%Y-%m-%d %H:%M:%S", 0), UPPER[event.level], short_name(event), fill(event, java_value))
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


def upper_document(event: Event) -> JsonObject:
    """A .NET shop's own casing."""
    return {
        "@timestamp": rfc3339(event.time, 7),
        "Level": LONG[event.level],
        "RenderedMessage": fill(event, java_value),
        "Properties": event.properties,
    }


MORE = {
    one.name: one
    for one in (
        Format("angled", "java", angled, plain_document),
        Format("columns", "java", columns, plain_document),
        Format("scoped", "dotnet", scoped, extensions_elastic),
        Format("single_line", "dotnet", single_line, extensions_elastic),
        Format("erlang", "go", erlang, plain_document),
        Format("postgres", "go", postgres, upper_document),
        Format("apache", "go", apache, plain_document),
        Format("quarkus", "java", quarkus, quarkus_document),
        Format("cloud_json", "go", cloud_json, plain_document),
        Format("comma_separated", "go", comma_separated, upper_document),
    )
}
