"""Normal forms of some rows' texts, read from disk only for what hashes could not pair."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.hidden_values import shown_parts
from incident_kit.correlate.reconcile.replaced_characters import read_anew
from incident_kit.correlate.reconcile.sides import Side
from incident_kit.normalise.logs.formats.pairs import cut_heads
from incident_kit.normalise.logs.json_lines import render
from incident_kit.normalise.logs.normal_form import loose_form, normal_form

#: A hole of a template; one that names its value and says nothing of how to write it.
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PLAIN_HOLE = re.compile(r"\{([A-Za-z_]\w*)\}")
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
    head: dict[int, str] = field(default_factory=dict)
    opening: dict[int, str] = field(default_factory=dict)
    exception: dict[int, str] = field(default_factory=dict)
    filled: dict[int, list[str]] = field(default_factory=dict)
    rendered: set[int] = field(default_factory=set)
    shown: dict[int, list[str]] = field(default_factory=dict)

    def say(self, row: int, message: str | None) -> None:
        """Remember a row's message."""
        self.message[row] = normal_form(message or "")
        self.loose[row] = loose_form(message or "")
        parts = shown_parts(self.message[row])
        if parts is not None:
            self.shown[row] = parts


def entry_texts(side: Side, rows: Integers) -> Texts:
    """Texts of entries: message, its first line (folded, and without what follows it), whole text and its first line, template."""
    table = side.text(["message", "text", "template"], rows)
    found, firsts = Texts(), list[str]()
    for row, message, text, template in zip(
        rows.tolist(), *(table[c].to_pylist() for c in ("message", "text", "template")), strict=True
    ):
        found.say(row, message)
        found.whole[row] = normal_form(text or "")
        first, more, _ = (text or "").partition("\n")
        found.opening[row] = normal_form(first) if more else found.whole[row]
        first = (message or "").partition("\n")[0]
        found.line[row] = normal_form(first)
        found.first[row] = loose_form(first)
        firsts.append(first)
        if template:
            found.template[row] = normal_form(template)
    heads = cut_heads(pa.array(firsts, pa.large_string())).to_pylist()
    found.head = {row: normal_form(head) for row, head in zip(rows.tolist(), heads, strict=True)}
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
        message = read_anew(message) if message and not message.isascii() else message
        values = _values(properties) if properties and _HOLE.search(template or message or "") else {}
        if message and not template and values:
            rendered = render(message, values)
            found.rendered.add(row)
            # Where a value is missing, the template is all that there is to go by.
            message, template = rendered, message if _HOLE.search(rendered) and rendered != message else None
        found.say(row, message)
        first, more, _ = (message or "").partition("\n")
        found.opening[row] = normal_form(first) if more else found.message[row]
        if template:
            found.template[row] = template
            found.filled[row] = _filled(template, values)
    return found


def _values(properties: str) -> dict[str, Any]:
    """Values by the last part of their name, as a template names them."""
    return {name.rpartition(".")[2]: value for name, value in orjson.loads(properties).items()}


def _filled(template: str, values: Mapping[str, Any]) -> list[str]:
    """What fills the template's holes, folded: numbers and words, which all write alike, and no dates or truth values."""
    said = (values.get(name) for name in _PLAIN_HOLE.findall(template))
    told = [str(one) for one in said if isinstance(one, str | int | float) and not isinstance(one, bool)]
    return [form for one in told if not _DATE.match(one) and (form := loose_form(one))]
