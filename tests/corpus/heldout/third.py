"""Five further formats that were wrong when they were first met: each side says something that the other does not."""

from __future__ import annotations

from tests.corpus.formats.rendering import fill, java_value, with_exception
from tests.corpus.model import Event, Format, JsonObject, local, rfc3339

from .formats import LETTER, UPPER, plain_document, short_name

MARKS = {"debug": ".", "info": "*", "warn": "#", "error": "!", "fatal": "!"}


def marks(event: Event) -> str:
    """Redis: the level is a mark, and no document has the one of DEBUG."""
    stamp = local(event.time, "%d %b %Y %H:%M:%S.%f", 3)
    return with_exception(f"7:M {stamp} {MARKS[event.level]} {fill(event, java_value)}", event)


def logcat(event: Event) -> str:
    """Android's: the tag stands before the message, aligned."""
    stamp = local(event.time, "%m-%d %H:%M:%S.%f", 3)
    return f"{stamp}  1042  1077 {LETTER[event.level]} {short_name(event):<16}: {fill(event, java_value)}"


def logcat_document(event: Event) -> JsonObject:
    """The logger stands before the message."""
    return {
        "@timestamp": rfc3339(event.time, 3),
        "message": f"{event.logger} - {fill(event, java_value)}",
        "severity": UPPER[event.level],
    }


def aligned(event: Event) -> str:
    """Seconds since the start, aligned to the right: every line begins with blanks."""
    return f"{event.time % 10**13 / 10**9:13.6f} {LETTER[event.level]} {short_name(event)}: {fill(event, java_value)}"


def bracketed(event: Event) -> str:
    """Time and level in brackets, the class in parentheses."""
    stamp = local(event.time, "%Y-%m-%d %H:%M:%S.%f", 3)
    return with_exception(f"[{stamp} {UPPER[event.level]}] ({short_name(event)}) {fill(event, java_value)}", event)


def unrendered_document(event: Event) -> JsonObject:
    """The template as the message, and its values apart."""
    return {
        "@timestamp": rfc3339(event.time, 7),
        "level": UPPER[event.level],
        "message": event.template,
        "params": event.properties,
        **({"exception": "\n".join(event.exception)} if event.exception else {}),
    }


def full_document(event: Event) -> JsonObject:
    """GELF whose short message is short."""
    text = fill(event, java_value)
    return {
        "@timestamp": rfc3339(event.time, 3),
        "short_message": text[:40],
        "full_message": with_exception(text, event),
        "Severity": UPPER[event.level],
    }


THIRD = {
    one.name: one
    for one in (
        Format("unrendered", "java", bracketed, unrendered_document),
        Format("marks", "go", marks, plain_document),
        Format("logcat", "go", logcat, logcat_document),
        Format("aligned", "go", aligned, plain_document),
        Format("full_message", "java", bracketed, full_document),
    )
}
