"""The message field of JSON console lines, where a shop named it itself: the one whose values documents know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from incident_kit.normalise.logs.candidates import CANDIDATES
from incident_kit.normalise.logs.fields import FieldRoles, first_text, flatten, level_fields
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.normal_form import normal_forms

_MOST_LINES = 400


def json_roles(lines: Iterable[str], known: KnownMessages) -> FieldRoles:
    """Roles of a container's JSON lines: the usual candidates, behind what the documents teach.

    Args:
        lines: a sample of the console's lines.
        known: messages of the pod's documents with their levels.
    """
    documents = _documents(lines)
    roles = FieldRoles()
    own = level_fields(documents, roles)
    if own:
        roles = FieldRoles(paths={**roles.paths, "level": (*roles.paths["level"], *own)})
    if not documents or not known:
        return roles
    usual = [first_text(roles.value(document, "message")) for document in documents]
    usual_hits = sum(level is not None for level in _said([text for text in usual if text is not None], known))
    hits, levels = _votes([list(flatten(document)) for document in documents], known)
    paths = dict(roles.paths)
    best = hits.most_common(1)
    if best and best[0][1] > 2 * usual_hits and best[0][0] not in CANDIDATES["message"][:1]:
        paths["message"] = (best[0][0], *paths["message"])
    found = FieldRoles(paths=paths)
    if any(found.level(document) for document in documents[:50]):
        return found
    words = _level_words(levels, found)
    return FieldRoles(paths=found.paths, level_words=words)


def _documents(lines: Iterable[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in lines:
        if line.lstrip()[:1] == "{" and len(found) < _MOST_LINES:
            try:
                document = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(document, dict):
                found.append(document)
    return found


def _said(texts: Sequence[str], known: KnownMessages) -> list[str | None]:
    """For each text the level of the document whose first line it has: empty where that says none; None without one."""
    forms = normal_forms(pa.array([text.partition("\n")[0] for text in texts], pa.large_string()))
    rows = np.flatnonzero(known.has(forms))
    found: list[str | None] = [None] * len(texts)
    for row, level in zip(rows.tolist(), known.levels_of(forms.take(pa.array(rows)).to_pylist()), strict=True):
        found[row] = level or ""
    return found


def _votes(
    leaves: list[list[tuple[str, Any]]], known: KnownMessages
) -> tuple[Counter[str], dict[str, dict[Any, Counter[str]]]]:
    """How often the leaf of each path is some document's message, and which words stand beside that document's level."""
    texts = [
        (line, path, value)
        for line, own in enumerate(leaves)
        for path, value in own
        if isinstance(value, str) and len(value) > 2
    ]
    hits: Counter[str] = Counter()
    told: dict[int, str] = {}
    for (line, path, _), level in zip(texts, _said([value for _, _, value in texts], known), strict=True):
        if level is not None:
            hits[path] += 1
            if level:
                told[line] = level
    levels: dict[str, dict[Any, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for line, level in told.items():
        for path, value in leaves[line]:
            if isinstance(value, str | int) and len(str(value)) <= 12:
                levels[path][value][level] += 1
    return hits, levels


def _level_words(levels: dict[str, dict[Any, Counter[str]]], roles: FieldRoles) -> dict[Any, str]:
    """Words of the field whose values agree with the documents' levels; that field becomes the level's first path."""
    for path, words in sorted(levels.items(), key=lambda item: -sum(sum(c.values()) for c in item[1].values())):
        total = sum(sum(counter.values()) for counter in words.values())
        agree = sum(counter.most_common(1)[0][1] for counter in words.values())
        distinct = {counter.most_common(1)[0][0] for counter in words.values()}
        if 2 <= len(words) <= 8 and len(distinct) >= 2 and agree > 0.95 * total:
            roles.paths["level"] = (path, *roles.paths["level"])
            return {word: counter.most_common(1)[0][0] for word, counter in words.items()}
    return {}
