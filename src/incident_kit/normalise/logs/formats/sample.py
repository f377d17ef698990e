"""Lines from all over a container's console, by which its layout is found.

To ask one line of an expression costs as much as to ask a thousand, since Arrow compiles it each time. So the samples of
several small consoles lie in one column, and what a second of them asks is asked of all: consoles write alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags, Integers
from incident_kit.normalise.logs.formats.extract import extract
from incident_kit.normalise.logs.formats.known import HashedForms
from incident_kit.normalise.logs.formats.pairs import cut_heads
from incident_kit.normalise.logs.normal_form import normal_forms


@dataclass(frozen=True, slots=True)
class Messages:
    """Lines as one expression takes them: of equal length, in the order of the lines.

    Attributes:
        fits: lines that it fits.
        texts: their messages, null where it does not fit.
        forms: the messages' normal forms; ``heads``: those of the messages without what follows them.
    """

    fits: Flags
    texts: pa.Array
    forms: HashedForms
    heads: HashedForms

    @classmethod
    def of(cls, lines: pa.Array, expression: str) -> Messages:
        """What an expression with the group ``message`` takes of some lines."""
        extracted = extract(lines, expression)
        texts = extracted.field("message")
        forms, heads = normal_forms(texts), normal_forms(cut_heads(texts))
        hashed = HashedForms.of(forms)
        return cls(
            np.asarray(extracted.is_valid()), texts, hashed, hashed if heads.equals(forms) else HashedForms.of(heads)
        )

    def some(self, rows: Integers) -> Messages:
        """Those of some lines."""
        forms = self.forms.some(rows)
        heads = forms if self.heads is self.forms else self.heads.some(rows)
        return Messages(self.fits[rows], self.texts.take(pa.array(rows)), forms, heads)


@dataclass(slots=True)
class _Column:
    """The lines of several samples, and what they were asked."""

    lines: pa.Array
    _once: set[tuple[str, str]] = field(default_factory=set)
    _fits: dict[str, Flags] = field(default_factory=dict)
    _messages: dict[str, Messages] = field(default_factory=dict)

    def fits(self, expression: str) -> Flags | None:
        """Which lines an expression fits; None when it is asked for the first time, and may be one container's own."""
        if expression not in self._fits and self._asked_before("fits", expression):
            self._fits[expression] = np.asarray(pc.match_substring_regex(self.lines, expression))
        return self._fits.get(expression)

    def messages(self, expression: str) -> Messages | None:
        """What an expression takes of the lines; None when it is asked for the first time."""
        if expression not in self._messages and self._asked_before("messages", expression):
            self._messages[expression] = Messages.of(self.lines, expression)
        return self._messages.get(expression)

    def _asked_before(self, what: str, expression: str) -> bool:
        before = (what, expression) in self._once
        self._once.add((what, expression))
        return before


@dataclass(frozen=True, slots=True)
class Sample:
    """One container's lines, alone or in a column with those of others.

    Attributes:
        lines: its own lines.
    """

    lines: pa.Array
    _column: _Column | None = None
    _rows: Integers | None = None

    def __len__(self) -> int:
        return len(self.lines)

    def fits(self, expression: str) -> Flags:
        """Which lines an expression fits."""
        shared = self._column.fits(expression) if self._column is not None else None
        return np.asarray(pc.match_substring_regex(self.lines, expression)) if shared is None else shared[self._rows]

    def messages(self, expression: str) -> Messages:
        """What an expression with the group ``message`` takes of the lines."""
        shared = self._column.messages(expression) if self._column is not None else None
        if shared is None or self._rows is None:
            return Messages.of(self.lines, expression)
        return shared.some(self._rows)

    def some(self, rows: Integers) -> Sample:
        """Some of the lines."""
        if len(rows) == len(self):
            return self
        return Sample(self.lines.take(pa.array(rows)), self._column, None if self._rows is None else self._rows[rows])


def samples_of(lines: Sequence[pa.Array]) -> list[Sample]:
    """A sample of each container's lines."""
    if len(lines) == 1:
        return [Sample(lines[0])]
    column = _Column(pa.concat_arrays(lines))
    ends = np.cumsum([0, *map(len, lines)])
    return [Sample(own, column, np.arange(ends[i], ends[i + 1])) for i, own in enumerate(lines)]
