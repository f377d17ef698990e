"""A block of JSON objects as columns: its fields by path, and what each role's fields say in which rows.

Which fields a role may come from is worked out once for a block's schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags
from incident_kit.normalise.logs.documents.properties import Leaf, properties_column
from incident_kit.normalise.logs.documents.shape import field_of
from incident_kit.normalise.logs.fields import SPOKEN, FieldRoles
from incident_kit.normalise.logs.levels import fold_level
from incident_kit.normalise.logs.pod_identities import PodIdentities
from incident_kit.normalise.logs.times import time_value

Path = tuple[str, ...]

_RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$"


@dataclass(slots=True)
class Node:
    """One field of a block: its values, and where it has one."""

    values: pa.Array
    valid: Flags

    @property
    def kind(self) -> str:
        """``text``, ``number``, ``flag``, ``list``, ``object`` or ``nothing``."""
        for kind, tell in _KINDS:
            if tell(self.values.type):
                return kind
        return "nothing"


_KINDS: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
    ("text", pa.types.is_string),
    ("number", lambda kind: pa.types.is_integer(kind) or pa.types.is_floating(kind)),
    ("flag", pa.types.is_boolean),
    ("list", pa.types.is_list),
    ("object", pa.types.is_struct),
)


@dataclass(slots=True)
class Block:
    """A block's sources by path, and the rows that columns say nothing about."""

    size: int
    nodes: dict[Path, Node]
    roles: FieldRoles
    doubtful: Flags
    _paths: dict[str, list[Node]] = field(default_factory=dict)

    def doubt(self, rows: Flags) -> None:
        """Leave these rows to the reader of single documents."""
        self.doubtful |= rows

    def at(self, path: str) -> list[Node]:
        """Fields that a path may mean, nested or dotted, in the order in which `fields.lookup` tries them."""
        found = self._paths.get(path)
        if found is None:
            found = self._paths[path] = [self.nodes[p] for p in _spellings(path) if p in self.nodes]
            if path in self.roles.identifying:
                found[:] = [_naming(node, self.roles.identities) for node in found if node.kind == "text"]
        return found

    def values(self, role: str) -> Iterator[tuple[Flags, Node]]:
        """For each field that gives a role's value somewhere: in which rows, and the field."""
        open_rows = np.ones(self.size, dtype=bool)
        for path in self.roles.paths[role]:
            undecided = open_rows.copy()
            for node in self.at(path):
                valid = node.valid & undecided
                undecided &= ~valid
                accepted = self._accepted(role, path, node, valid)
                if accepted.any():
                    open_rows &= ~accepted
                    yield accepted, node
            if not open_rows.any():
                return

    def _accepted(self, role: str, path: str, node: Node, valid: Flags) -> Flags:
        kind = node.kind
        if role == "message" and kind == "object" and not self._speaks(path):
            return np.zeros(self.size, dtype=bool)
        if role == "pod" and path in self.roles.tagged:
            self.doubt(valid)
            return np.zeros(self.size, dtype=bool)
        if role == "pod" and kind not in ("text", "list"):
            return np.zeros(self.size, dtype=bool)
        if kind == "text":
            valid = valid & ~flags(pc.equal(node.values, ""))
        if role == "level":
            folds: Flags = valid & np.asarray(_folded(node).is_valid())
            return folds
        if role == "pod" and path in self.roles.proved_only:
            if kind != "text":
                return np.zeros(self.size, dtype=bool)
            known = pa.array(sorted(self.roles.known_pods), pa.string())
            valid = valid & flags(pc.is_in(node.values, value_set=known))
        return valid

    def _speaks(self, path: str) -> bool:
        return any((*spelling, name) in self.nodes for spelling in _spellings(path) for name in SPOKEN)


def _naming(node: Node, identities: PodIdentities) -> Node:
    """The field with the names of the pods that its values identify."""
    encoded = node.values.dictionary_encode()
    pods = pa.array(map(identities.pod_of, encoded.dictionary.to_pylist()), pa.string()).take(encoded.indices)
    return Node(pods, np.asarray(pods.is_valid()))


def nodes_of(array: pa.StructArray, above: Path) -> Iterator[tuple[Path, Node]]:
    """Every field of an object and of the objects in it, by its path."""
    for position in range(array.type.num_fields):
        path = (*above, array.type.field(position).name)
        values = field_of(array, position)
        node = Node(values, np.asarray(values.is_valid()))
        if node.kind == "nothing":
            continue
        yield path, node
        if node.kind == "object":
            yield from nodes_of(values, path)


@lru_cache(maxsize=4096)
def _spellings(path: str) -> tuple[Path, ...]:
    """Every split of a dotted path, in the order of `fields.lookup`."""
    found: list[Path] = [(path,)]
    position = path.find(".")
    while position > 0:
        found += ((path[:position], *rest) for rest in _spellings(path[position + 1 :]))
        position = path.find(".", position + 1)
    return tuple(found)


def flags(values: pa.Array) -> Flags:
    """Which values are true; null is not."""
    return np.asarray(pc.fill_null(values, False))


def not_finite(array: pa.Array, size: int) -> Flags:
    """NaN and infinity are no JSON, though the columns' decoder takes them."""
    if not pa.types.is_floating(array.type):
        return np.zeros(size, dtype=bool)
    return ~flags(pc.fill_null(pc.is_finite(array), True))


def _filled(column: pa.Array, rows: Flags, values: pa.Array) -> pa.Array:
    """The column with a field's values in some rows."""
    return values if rows.all() else pc.if_else(pa.array(rows), values, column)


def text_of(block: Block, role: str, doubt: tuple[str, ...] = ()) -> pa.Array:
    """Texts of a role; other values are none, and kinds in ``doubt`` are left to the reader of single documents."""
    found = pa.nulls(block.size, pa.string())
    for rows, node in block.values(role):
        if node.kind == "text":
            found = _filled(found, rows, node.values)
        elif node.kind in doubt:
            block.doubt(rows)
    return found


def level_of(block: Block) -> pa.Array:
    """Folded levels."""
    found = pa.nulls(block.size, pa.string())
    for rows, node in block.values("level"):
        found = _filled(found, rows, _folded(node))
    return found


def _folded(node: Node) -> pa.Array:
    """Folded level of each value; null where a value is none, so that the next path is asked."""
    if node.kind not in ("text", "number"):
        return pa.nulls(len(node.values), pa.string())
    encoded = node.values.dictionary_encode()
    words = [fold_level(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(encoded.indices)


def time_of(block: Block, role: str) -> pa.Array:
    """Times of a role, int64 ns."""
    found = pa.nulls(block.size, pa.int64())
    for rows, node in block.values(role):
        if node.kind == "text":
            found = _filled(found, rows, _instants(node.values))
        elif node.kind == "number":
            found = _filled(found, rows, pa.array(map(time_value, node.values.to_pylist()), pa.int64()))
        elif node.kind in ("list", "object"):
            block.doubt(rows)
    return found


def _instants(texts: pa.Array) -> pa.Array:
    """`time_value` of each text; RFC 3339 is read all at once."""
    plain = pc.fill_null(pc.match_substring_regex(texts, _RFC3339), False)
    usual = pc.if_else(plain, texts, pa.scalar(None, pa.string()))
    try:
        found = usual.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
    except pa.ArrowInvalid:  # a leap second, a year that does not fit
        found = pa.nulls(len(texts), pa.int64())
    rows = pc.and_(found.is_null(), texts.is_valid())
    if not pc.any(rows).as_py():
        return found
    return pc.replace_with_mask(found, rows, pa.array(map(time_value, texts.filter(rows).to_pylist()), pa.int64()))


def properties_of(block: Block) -> pa.Array:
    """JSON objects of the application's values."""
    leaves = [Leaf(".".join(path), node.values) for path, node in block.nodes.items() if node.kind != "object"]
    found, doubtful = properties_column(leaves, block.size, block.roles)
    block.doubt(doubtful)
    return found
