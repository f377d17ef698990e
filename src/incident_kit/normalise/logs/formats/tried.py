"""A container's sample, and what expressions make of it: each is asked once, however often the choice comes back to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from incident_kit.arrays import Flags, Integers
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.sample import Sample
from incident_kit.normalise.logs.text_bytes import bytes_of

#: Lines of a sample that are tried against the documents.
_TRIED = 1_200
#: So many of them say of a pattern how many of its messages the documents know; of one that fits fewer, all lines are asked.
_ENOUGH = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """Lines as one expression takes them: arrays of equal length.

    Attributes:
        fits: lines that it fits.
        messages: their messages, null where it does not fit.
        known: lines of which some document has the message, whole or without what follows it.
    """

    fits: Flags
    messages: pa.Array
    known: Flags


@dataclass(slots=True)
class Tried:
    """A sample's lines, of which not more than 1,200 from all over are held against the documents.

    Attributes:
        sample: the lines.
        documents: messages of the pod's documents.
    """

    sample: Sample
    documents: KnownMessages
    _bytes: bytes = field(init=False)
    _rows: Integers = field(init=False)
    _tried: Sample = field(init=False)
    _fits: dict[str, Flags] = field(default_factory=dict, init=False)
    _taken: dict[str, Taken] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._bytes = bytes_of(self.sample.lines)
        self._rows = np.arange(0, len(self.sample), max(1, -(-len(self.sample) // _TRIED)))
        self._tried = self.sample.some(self._rows)

    @property
    def lines(self) -> pa.Array:
        """The lines that are tried."""
        return self._tried.lines

    def fits(self, expression: str, needs: str = "") -> Flags:
        """Which lines of the sample an expression fits.

        Args:
            expression: first-line regexp.
            needs: what stands in every line that it fits.
        """
        found = self._fits.get(expression)
        if found is None:
            if needs.encode() in self._bytes:
                found = self.sample.fits(expression)
            else:
                found = np.zeros(len(self.sample), dtype=bool)
            self._fits[expression] = found
        return found

    def taken(self, expression: str) -> Taken:
        """What an expression makes of the lines that are tried."""
        found = self._taken.get(expression)
        if found is None:
            found = self._taken[expression] = _take(self._tried, expression, self.documents)
        return found

    def known_share(self, expression: str, among: Flags) -> float:
        """The share of the messages that some document has, of those lines of the sample that the expression fits.

        Args:
            expression: first-line regexp.
            among: lines of the sample, each of which it fits.
        """
        own = among[self._rows]
        if own.sum() >= _ENOUGH or len(own) == len(among):
            return float(self.taken(expression).known[own].mean())
        rows = np.flatnonzero(among)[:_TRIED]
        return float(_take(self.sample.some(rows), expression, self.documents).known.mean())


def _take(lines: Sample, expression: str, documents: KnownMessages) -> Taken:
    taken = lines.messages(expression)
    known = documents.has_hashed(taken.forms)
    if taken.heads is not taken.forms:
        known = known | documents.has_hashed(taken.heads)
    return Taken(taken.fits, taken.texts, known)
