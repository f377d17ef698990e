"""Normal forms of some rows' texts, read from disk only for what hashes could not pair."""

from __future__ import annotations

from dataclasses import dataclass, field

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.hidden_values import shown_parts
from incident_kit.correlate.reconcile.sides import Side
from incident_kit.normalise.logs.normal_form import loose_form, normal_form


@dataclass(slots=True)
class Texts:
    """Normal forms of some rows of a side, by row."""

    message: dict[int, str] = field(default_factory=dict)
    whole: dict[int, str] = field(default_factory=dict)
    template: dict[int, str] = field(default_factory=dict)
    loose: dict[int, str] = field(default_factory=dict)
    first: dict[int, str] = field(default_factory=dict)
    line: dict[int, str] = field(default_factory=dict)
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
    """Texts of entries: message, its first line (folded), whole text, template."""
    table = side.text(["message", "text", "template"], rows)
    found = Texts()
    for row, message, text, template in zip(
        rows.tolist(), *(table[c].to_pylist() for c in ("message", "text", "template")), strict=True
    ):
        found.say(row, message)
        found.whole[row] = normal_form(text or "")
        found.line[row] = normal_form((message or "").partition("\n")[0])
        found.first[row] = loose_form((message or "").partition("\n")[0])
        if template:
            found.template[row] = normal_form(template)
    return found


def document_texts(side: Side, rows: Integers) -> Texts:
    """Texts of documents."""
    table = side.text(["message", "template", "exception"], rows)
    found = Texts()
    for row, message, template, exception in zip(
        rows.tolist(), *(table[c].to_pylist() for c in ("message", "template", "exception")), strict=True
    ):
        if exception:
            found.exception[row] = normal_form(exception)
        found.say(row, message)
        if template:
            found.template[row] = template
    return found
