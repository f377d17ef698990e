"""Values of template slots in a plain text: the documents' templates tell where they stand.

A Serilog console shows ``Order 17 settled for N/A BTC``; the delivered documents' template ``Order {OrderId} settled
for {Amount} {Currency}`` says which value is the amount, so that the mapping can be asked about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from incident_kit.normalise.logs.formats.pairs import scalar

_HOLE = re.compile(r"\{([@$]?)([\w.]+)(?:,-?\d+)?(?::[^{}]+?)?\}")
_MOST_TEMPLATES = 500


def compile_templates(templates: Iterable[str]) -> list[tuple[re.Pattern[str], list[str]]]:
    """Each template as a regexp with the names of its slots; templates with more words first."""
    found = []
    for template in sorted(set(templates), key=lambda t: -len(_HOLE.sub("", t)))[:_MOST_TEMPLATES]:
        names = [m[2] for m in _HOLE.finditer(template)]
        literal = _HOLE.sub("", template)
        if not names or len(re.sub(r"\W", "", literal)) < 3:
            continue
        parts = [re.escape(part) for part in _HOLE.split(template)[::3]]
        found.append((re.compile("^" + "[\"']?(.*?)[\"']?".join(parts) + "$", re.DOTALL), names))
    return found


def slot_values(message: str, templates: list[tuple[re.Pattern[str], list[str]]]) -> dict[str, Any] | None:
    """Values by slot of the first template that the message fits."""
    for expression, names in templates:
        match = expression.match(message)
        if match is not None:
            return {name: scalar(value) for name, value in zip(names, match.groups(), strict=True)}
    return None
