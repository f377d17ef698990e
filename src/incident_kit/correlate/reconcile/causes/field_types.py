"""Types of the captured mapping, by field and by index: what one index refuses another may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: Mapped type by dotted field name.
FieldTypes = dict[str, str]
#: A field that takes anything, or of which no one type is known.
LENIENT = "anything"


@dataclass(frozen=True, slots=True)
class Mappings:
    """Types by index.

    Attributes:
        by_index: of ``GET <index>/_mapping``; a mapping without index has the empty name.
        everywhere: of all indices together.
        differing: whether some field has other types in other indices.
    """

    by_index: dict[str, FieldTypes]
    everywhere: FieldTypes
    differing: bool

    @classmethod
    def read(cls, document: Any) -> Mappings:
        """From the captured answer; anything else maps nothing."""
        by_index: dict[str, FieldTypes] = {}
        for name, value in {"": document, **(document if isinstance(document, Mapping) else {})}.items():
            if isinstance(value, Mapping):
                inner = value.get("mappings", value if "properties" in value else None)
                if isinstance(inner, Mapping):
                    _collect(inner.get("properties"), "", by_index.setdefault(str(name), {}))
        everywhere = _together(by_index.values())
        return cls(
            by_index, everywhere, any(types[path] != everywhere[path] for types in by_index.values() for path in types)
        )

    def of(self, indices: Iterable[str]) -> FieldTypes:
        """Types where a container's documents stand; everywhere, when that is not known."""
        known = [self.by_index[name] for name in indices if name in self.by_index]
        return _together(known) if known else self.everywhere


def _together(several: Iterable[FieldTypes]) -> FieldTypes:
    """One mapping of several; where they differ, one of them may take what another refuses."""
    found: FieldTypes = {}
    for types in several:
        for path, kind in types.items():
            found[path] = kind if found.get(path, kind) == kind else LENIENT
    return found


def _collect(properties: Any, prefix: str, found: FieldTypes) -> None:
    if not isinstance(properties, Mapping):
        return
    for name, definition in properties.items():
        if not isinstance(definition, Mapping):
            continue
        path = f"{prefix}{name}"
        if "properties" in definition:
            found.setdefault(path, "object")
            _collect(definition["properties"], f"{path}.", found)
        elif isinstance(definition.get("type"), str):
            found.setdefault(path, LENIENT if definition.get("ignore_malformed") else definition["type"])
