"""never_arrives: the captured mapping refuses the entry's value, or its template is wholly missing."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.causes.field_types import LENIENT, FieldTypes
from incident_kit.correlate.reconcile.causes.view import ContainerView, Losses
from incident_kit.correlate.reconcile.match import is_among
from incident_kit.normalise.logs.times import time_value

_LIMITS = {"byte": 2**7, "short": 2**15, "integer": 2**31, "long": 2**63}
_NUMBERS = {*_LIMITS, "float", "double", "half_float", "scaled_float", "unsigned_long"}
_WITH_FIELDS = ("object", "nested", "flattened")
_LEAST_MISSING = 3
#: Where many of all entries are lost, some small template is among them wholly; with more than this chance that tells nothing.
_BY_CHANCE = 0.01
#: From which share of mapped names on a container's properties are known to become fields.
_MOSTLY_MAPPED = 0.8
#: A shop's own holder has so many of the names of a container's properties at least, and this share of them.
_LEAST_HELD, _MOSTLY_HELD = 3, 0.5


def refusal(kind: str, value: Any) -> bool:
    """Whether Elasticsearch refuses a value for a mapped type (``coerce`` on, ``ignore_malformed`` off)."""
    if value is None:
        return False
    if isinstance(value, list):
        return any(refusal(kind, one) for one in value)
    if kind == "object":
        return not isinstance(value, dict)
    if isinstance(value, dict):
        return kind not in (*_WITH_FIELDS, "geo_point", "geo_shape", "range", "join", LENIENT)
    if kind in _NUMBERS:
        return _refuses_number(kind, value)
    if kind == "boolean":
        return not (isinstance(value, bool) or value in ("true", "false", ""))
    if kind in ("date", "date_nanos"):
        return _refuses_date(value)
    if kind == "ip":
        try:
            ipaddress.ip_address(str(value))
        except ValueError:
            return True
    return False


def _refuses_number(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return True
    try:
        number = float(value)
    except (TypeError, ValueError):
        return True
    if number != number or number in (float("inf"), float("-inf")):
        return True
    limit = _LIMITS.get(kind)
    return limit is not None and not -limit <= number < limit


def _refuses_date(value: Any) -> bool:
    if isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return False
    text = str(value)
    return not (
        re.fullmatch(r"\d{4}(?:-\d\d(?:-\d\d)?)?", text)
        or re.fullmatch(r"-?\d+", text)
        or ("T" in text and time_value(text) is not None)
    )


#: Objects in which one side keeps an application's values and the other does not.
_HOLDERS = ("fields", "labels", "metadata", "properties", "Properties", "attributes", "context", "data", "attr", "json")


def _paths(name: str, types: FieldTypes, holders: Sequence[str] = _HOLDERS) -> list[str]:
    """Mapped fields that a console's value may have become: under one of the holders, or freed from one."""
    holder, _, inner = name.partition(".")
    names = [name, inner] if inner and holder in holders else [name]
    return [path for one in names for path in (one, *(f"{h}.{one}" for h in holders)) if path in types]


def _holders(view: ContainerView, types: FieldTypes) -> tuple[str, ...]:
    """The usual holders, and those below which the mapping has most of what delivered entries carry."""
    known = view.delivered_names()
    found = Counter(
        path[:place]
        for path in types
        for place, character in enumerate(path)
        if character == "." and path[place + 1 :] in known
    )
    own = [holder for holder, count in found.items() if count >= max(_LEAST_HELD, _MOSTLY_HELD * len(known))]
    return (*_HOLDERS, *(holder for holder in own if holder not in _HOLDERS))


def refused_by_mapping(
    view: ContainerView, losses: Losses, types: FieldTypes, hints: Mapping[int, Mapping[str, Any]]
) -> None:
    """Entries with a value that the mapping refuses; the proof names field, type and value."""
    if not types:
        return
    open_rows = np.flatnonzero(losses.open()).tolist()
    holders = _holders(view, types) if open_rows else ()
    for row in open_rows:
        proof = _proof(_values(view.properties(row), hints.get(row)), types, holders)
        if proof is not None:
            path, value = proof
            losses.give(
                np.array([row]), "never_arrives", 0.95, f"the mapping has {path} as {types[path]} and refuses {value!r}"
            )


def unmapped_field(view: ContainerView, losses: Losses, types: FieldTypes) -> None:
    """Entries with a property that has no field, where the properties of delivered entries have theirs.

    Had one of them been taken, the mapping would know the field: the index takes no new ones (its limit of fields is
    reached, or its mapping is strict) and refuses such documents.
    """
    open_rows = np.flatnonzero(losses.open()).tolist()
    if not types or not open_rows:
        return
    known = view.delivered_names()
    holders = _holders(view, types)
    mapped = {name for name in known if _paths(name, types, holders)}
    if not mapped or len(mapped) < _MOSTLY_MAPPED * len(known):
        return
    for row in open_rows:
        values = _values(view.properties(row), None)
        fresh = [name for name in values if name not in known and not _paths(name, types, holders)]
        if fresh:
            losses.give(
                np.array([row]),
                "never_arrives",
                0.8,
                f"the mapping has no field {fresh[0]}, as it would had the document been taken: the index takes no new fields",
            )


def _values(properties: str | None, hint: Mapping[str, Any] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if properties:
        document = orjson.loads(properties)
        if isinstance(document, dict):
            found.update(document)
    if hint:
        found.update(hint)
    return found


def _proof(values: Mapping[str, Any], types: FieldTypes, holders: Sequence[str]) -> tuple[str, Any] | None:
    for name, value in values.items():
        for path in _paths(name, types, holders):
            if refusal(types[path], value):
                return path, value
        # A value below a field that is no object.
        parent = name.rpartition(".")[0]
        while parent:
            for path in _paths(parent, types, holders):
                if types[path] not in (*_WITH_FIELDS, LENIENT):
                    return path, {name: value}
            parent = parent.rpartition(".")[0]
    return None


def template_missing(view: ContainerView, losses: Losses, limit: int) -> None:
    """Templates of which nothing arrives although their neighbours do; what is longer than a limit is lost for that."""
    # Text without the logger's prefix is told before; what is left of it is a container's whose logger writes none.
    open_rows = np.flatnonzero(losses.open() & (view.length <= limit))
    if not len(open_rows) or not view.delivered.any():
        return
    mine = view.mask[open_rows]
    missing = np.unique(mine[~is_among(mine, view.mask[view.delivered])])
    usual = _lost_of_others(view, losses, missing)
    positions = np.flatnonzero(view.delivered)
    first, last = int(positions[0]), int(positions[-1])
    for mask in missing.tolist():
        rows = open_rows[mine == mask]
        among = rows[(rows > first) & (rows < last)]
        if len(among) >= _LEAST_MISSING and usual ** len(among) * len(missing) <= _BY_CHANCE:
            confidence = min(0.8, 0.5 + 0.05 * len(among))
            losses.give(
                rows,
                "never_arrives",
                confidence,
                f"none of the {len(rows)} entries of this template arrived, while others between them did",
            )


def _lost_of_others(view: ContainerView, losses: Losses, missing: Integers) -> float:
    """The share of entries without a cause among those of templates that do arrive."""
    open_rows = losses.open()
    others = (open_rows | view.delivered) & ~is_among(view.mask, missing)
    return float(open_rows[others].mean()) if others.any() else 0.0
