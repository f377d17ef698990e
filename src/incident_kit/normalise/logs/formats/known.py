"""What the documents say, for look-ups by whole text or beginning while a console's layout is learnt.

Texts are looked up by the hashes of their normal forms, which the documents' table holds already, many at once: no
document is read for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags, Integers
from incident_kit.normalise.logs.normal_form import hash_texts, hashes, masks, normal_forms

_WORD_END = re.compile(r"(?=\W)|$")
#: A message shorter than this is found in too many texts by chance.
SHORTEST_MESSAGE = 3
#: A message shorter than this begins too many texts by chance.
_SHORTEST_BEGINNING = 8
_LONGEST_BEGINNING = 600
#: Beginnings that are looked up at once.
_AT_ONCE = 20_000


def inner_forms(lines: pa.Array) -> list[str]:
    """The form in which lines inside of entries are compared: normal, with their values masked."""
    return [str(form) for form in normal_forms(masks(lines)).to_pylist()]


def _no_hashes() -> Integers:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class HashedForms:
    """Normal forms by which texts are looked up.

    Attributes:
        hashes: of the forms; 0 where there is none.
        long_enough: which are no text that is found in too many by chance.
    """

    hashes: Integers
    long_enough: Flags

    @classmethod
    def of(cls, forms: pa.Array) -> HashedForms:
        """From the forms themselves."""
        long_enough = pc.fill_null(pc.greater_equal(pc.utf8_length(forms), SHORTEST_MESSAGE), False)
        return cls(hashes(forms), np.asarray(long_enough))

    def some(self, rows: Integers) -> HashedForms:
        """Those of some rows."""
        return HashedForms(self.hashes[rows], self.long_enough[rows])


@dataclass(slots=True)
class KnownMessages:
    """The first lines of documents' messages, with their levels.

    Attributes:
        hashes: hashes of their normal forms.
        levels: level of each, null where the document says none; of equal forms the first counts.
        inner: forms of the lines behind the first, and of exceptions' lines, as `inner_forms` makes them.
    """

    hashes: Integers = field(default_factory=_no_hashes)
    levels: pa.Array = field(default_factory=lambda: pa.nulls(0, pa.string()))
    inner: frozenset[str] = frozenset()
    _sorted: Integers = field(default_factory=_no_hashes, init=False)
    _order: Integers | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._sorted = np.sort(self.hashes)

    @classmethod
    def build(cls, messages: Iterable[tuple[str, str | None]], inner: Iterable[str] = ()) -> KnownMessages:
        """From (normal form of the message's first line, level) pairs."""
        pairs = list(messages)
        levels = pa.array([level for _, level in pairs], pa.string())
        return cls(hash_texts([form for form, _ in pairs]), levels, frozenset(inner))

    def __bool__(self) -> bool:
        return len(self.hashes) > 0

    def has(self, forms: pa.Array) -> Flags:
        """Which of these normal forms some document's first line has."""
        return self.has_hashed(HashedForms.of(forms)) if self and len(forms) else np.zeros(len(forms), dtype=bool)

    def has_hashed(self, forms: HashedForms) -> Flags:
        """The same of forms that were hashed already."""
        if not self:
            return np.zeros(len(forms.hashes), dtype=bool)
        places = np.searchsorted(self._sorted, forms.hashes).clip(max=len(self._sorted) - 1)
        found: Flags = (self._sorted[places] == forms.hashes) & forms.long_enough
        return found

    def levels_of(self, forms: Sequence[str]) -> list[str | None]:
        """Levels of known forms."""
        if self._order is None:
            self._order = np.argsort(self.hashes, kind="stable")
        firsts = self._order[np.searchsorted(self._sorted, hash_texts(list(forms)))]
        found: list[str | None] = self.levels.take(pa.array(firsts)).to_pylist()
        return found

    def beginnings_of(self, forms: Sequence[str]) -> list[str | None]:
        """For each form the longest known message that it begins with, at a word's end."""
        found: list[str | None] = [None] * len(forms)
        beginnings: list[str] = []
        rows: list[int] = []
        for row, form in enumerate(forms):
            ends = [
                end
                for match in _WORD_END.finditer(form[:_LONGEST_BEGINNING])
                if (end := match.start()) >= _SHORTEST_BEGINNING
            ]
            beginnings += [form[:end] for end in ends]
            rows += [row] * len(ends)
            if len(rows) > _AT_ONCE or row == len(forms) - 1:
                # From the shortest to the longest, so that the longest stays.
                for known in np.flatnonzero(self.has(pa.array(beginnings, pa.large_string()))).tolist():
                    found[rows[known]] = beginnings[known]
                beginnings, rows = [], []
        return found
