"""The message field of JSON console lines, where a shop named it itself: the one whose values documents know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import orjson

from incident_kit.normalise.logs.candidates import CANDIDATES
from incident_kit.normalise.logs.fields import FieldRoles, first_text, flatten, level_fields
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.normal_form import normal_form

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
    hits: Counter[str] = Counter()
    usual_hits = 0
    levels: dict[str, dict[Any, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for document in documents:
        usual = first_text(roles.value(document, "message"))
        usual_hits += usual is not None and normal_form(usual.partition("\n")[0]) in known.levels
        _vote(list(flatten(document)), known, hits, levels)
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


def _vote(
    leaves: list[tuple[str, Any]], known: KnownMessages, hits: Counter[str], levels: dict[str, dict[Any, Counter[str]]]
) -> None:
    """Which leaves of one line are some document's message, and which words stand beside that document's level."""
    level = None
    for path, value in leaves:
        if isinstance(value, str) and len(value) > 2:
            form = normal_form(value.partition("\n")[0])
            if form in known.levels:
                hits[path] += 1
                level = known.levels[form] or level
    if level is not None:
        for path, value in leaves:
            if isinstance(value, str | int) and len(str(value)) <= 12:
                levels[path][value][level] += 1


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
