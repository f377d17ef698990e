"""Pipelines that change the shape of what they ship, and consoles whose entries are blocks of lines: found by blind rounds."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace

from . import faults
from .formats.rendering import fill, java_value
from .model import SECOND, Case, Container, Event, Format, JsonObject, rfc3339
from .services import KUBERNETES, Shipping, deploy, run, say

#: What the runtime cuts a line at, and a shipper that does not join it again makes documents of.
PART = 16_384
NAMES = {"debug": "Debug", "info": "Info", "warn": "Warn", "error": "Error", "fatal": "Fatal"}


def escaped(case: Case) -> None:
    """A pipeline escapes messages for HTML."""
    container = run(case, deploy(case, "orders-service", "logback"), Shipping())
    for document in case.documents:
        document.source["message"] = html.escape(document.source["message"])
    faults.lose_at_random(case, container, 0.03)


def hidden(case: Case) -> None:
    """A pipeline hides numbers of four digits and more."""
    container = run(case, deploy(case, "orders-service", "logback"), Shipping())
    for document in case.documents:
        document.source["message"] = re.sub(r"(?<![\w.])\d{4,}(?![\w.])", "[ID]", document.source["message"])
    faults.lose_at_random(case, container, 0.03)


def joined(case: Case) -> None:
    """A shipper appends lines without a date to the document of the line before; its documents are whole lines."""
    container = run(case, deploy(case, "orders-service", "logback"), KUBERNETES)
    for entry in container.entries:
        assert entry.document is not None
        entry.document.source["message"] = entry.text
        entry.document.source.pop("error.stack_trace", None)
    faults.lose_at_random(case, container, 0.03)
    followers = dict(zip(container.entries, container.entries[1:], strict=False))
    alone = [one for one in faults.shipped(container)[20:-20] if followers[one].time - one.time > SECOND]
    for number, before in enumerate(alone[::8]):
        assert before.document is not None
        text = f"pool statistics: {number} of 20 connections in use"
        before.document.source["message"] += f"\n{text}"
        last = before.time + (before.text.count("\n") + 1) * 5_000
        entry = say(case, container, text, last + 300_000_000, causes=(), why="joined to the document before")
        entry.told("matched", why="joined to the document before")


def parts(case: Case) -> None:
    """Lines longer than the runtime's limit are documents for each part."""
    container = run(case, deploy(case, "orders-service", "logback"), KUBERNETES, exceptions=0.0)
    for number, entry in enumerate(container.entries):
        assert entry.document is not None
        if number % 25 == 7:
            entry.text += " payload " + case.rng.randbytes(20_000).hex()
        first = entry.document
        first.source["message"] = entry.text[:PART]
        for begin in range(PART, len(entry.text), PART):
            source = {**first.source, "message": entry.text[begin : begin + PART]}
            entry.parts.append(replace(first, source=source, identifier=f"{first.identifier}-{begin}"))
        case.documents += entry.parts
    faults.lose(
        case, [one for one in faults.shipped(container)[11::60] if not one.parts], "unexplained", why="single losses"
    )


def _exporter_console(event: Event) -> str:
    lines = [
        f"LogRecord.Timestamp:               {rfc3339(event.time, 7)}",
        f"LogRecord.CategoryName:            {event.logger}",
        f"LogRecord.Severity:                {NAMES[event.level]}",
        f"LogRecord.Body:                    {fill(event, java_value)}",
    ]
    return "\n".join([*lines, *(event.exception or [])])


def _event_console(event: Event) -> str:
    head = f'<log4j:event logger="{event.logger}" level="{event.level.upper()}" thread="{event.thread}">'
    trace = [f"<log4j:throwable><![CDATA[{line}]]></log4j:throwable>" for line in (event.exception or [])[:1]]
    message = f"<log4j:message><![CDATA[{fill(event, java_value)}]]></log4j:message>"
    return "\n".join([head, message, *trace, "</log4j:event>"])


def _document(event: Event) -> JsonObject:
    return {"@timestamp": rfc3339(event.time, 6), "message": fill(event, java_value), "level": event.level}


def _blocks(name: str, console: Callable[[Event], str]) -> Callable[[Case], None]:
    def make(case: Case) -> None:
        container = deploy(case, "orders-service", "logback")
        blocks = Format(name, "java", console, _document)
        container.owner.containers[0] = container = Container(
            "app", blocks, started=container.started, pod=container.owner
        )
        run(case, container, Shipping())
        faults.lose_at_random(case, container, 0.03)

    return make


CASES: dict[str, Callable[[Case], None]] = {
    f"pipeline_{make.__name__}": make for make in (escaped, hidden, joined, parts)
} | {
    "blocks_exporter": _blocks("exporter", _exporter_console),
    "blocks_xml": _blocks("xml", _event_console),
}
