"""Normal forms of some rows' texts, read from disk only for what hashes could not pair."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import orjson

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.hidden_values import shown_parts
from incident_kit.correlate.reconcile.sides import Side
from incident_kit.normalise.logs.json_lines import render
from incident_kit.normalise.logs.normal_form import loose_form, normal_form

_HOLE = re.compile(r"\{[@$]?[A-Za-z_]\w*(?:[:,][^{}]*)?\}")


@dataclass(slots=True)
class Texts:
    """Normal forms of some rows of a side, by row."""

    message: dict[int, str] = field(default_factory=dict)
    whole: dict[int, str] = field(default_factory=dict)
    template: dict[int, str] = field(default_factory=dict)
    loose: dict[int, str] = field(default_factory=dict)
    first: dict[int, str] = field(default_factory=dict)
    line: dict[int, str] = field(default_factory=dict)
    opening: dict[int, str] = field(default_factory=dict)
    exception: dict[int, str] = field(default_factory=dict)
    shown: dict[int, list[str]] = field(default_factory=dict)

    def say(self, row: int, message: str | None) -> None:
        """Remember a row's message."""
        self.message[row] = normal_form(message or "")
        self.loose[row] = loose_form(message or "")
        parts = shown_parts(self.message[row])
        if parts is not None:
            self.shown[row] = parts


def entry_texts(side: Side, rows: Integers) -> Texts:
    """Texts of entries: message, its first line (folded), whole text and its first line, template."""
    table = side.text(["message", "text", "template"], rows)
    found = Texts()
    for row, message, text, template in zip(
        rows.tolist(), *(table[c].to_pylist() for c in ("message", "text", "template")), strict=True
    ):
        found.say(row, message)
        found.whole[row] = normal_form(text or "")
        first, more, _ = (text or "").partition("\n")
        found.opening[row] = normal_form(first) if more else found.whole[row]
        found.line[row] = normal_form((message or "").partition("\n")[0])
        found.first[row] = loose_form((message or "").partition("\n")[0])
        if template:
            found.template[row] = normal_form(template)
    return found


def document_texts(side: Side, rows: Integers) -> Texts:
    """Texts of documents; a message that is a template nobody rendered is rendered with the document's own values."""
    table = side.text(["message", "template", "exception", "properties"], rows)
    found = Texts()
    for row, message, template, exception, properties in zip(
        rows.tolist(),
        *(table[c].to_pylist() for c in ("message", "template", "exception", "properties")),
        strict=True,
    ):
        if exception:
            found.exception[row] = normal_form(exception)
        if message and not template and properties and _HOLE.search(message):
            values = {name.rpartition(".")[2]: value for name, value in orjson.loads(properties).items()}
            rendered = render(message, values)
            message, template = rendered, message if rendered != message else None
        found.say(row, message)
        if template:
            found.template[row] = template
    return found
