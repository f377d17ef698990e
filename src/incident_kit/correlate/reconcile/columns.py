"""Columns of a bucket that the signatures of causes ask for: read once, when the first of them asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from incident_kit.arrays import Flags, Integers
from incident_kit.correlate.reconcile.files import LogFiles, text_lengths
from incident_kit.correlate.reconcile.sides import as_integers, without_nulls

Codes = np.ndarray[Any, np.dtype[np.int32]]


class EntryColumns:
    """Columns of all entries of a bucket; of texts those of lost entries alone."""

    def __init__(self, files: LogFiles, lost: Integers) -> None:
        self._files, self._lost = files, lost
        self._read: dict[str, Any] = {}

    def integers(self, name: str) -> Integers:
        """A column of counts or hashes; 0 where null."""
        found: Integers = self._once(name, lambda: as_integers(self._files.read([name])[name]))
        return found

    def lengths(self) -> Integers:
        """Characters of each text."""
        found: Integers = self._once("text_length", lambda: as_integers(text_lengths(self._files)))
        return found

    def present(self, name: str) -> Flags:
        """Which entries have a value."""
        found: Flags = self._once(f"has {name}", lambda: self.words(name)[0] >= 0)
        return found

    def words(self, name: str) -> tuple[Codes, list[str]]:
        """A column of few words: code of each entry's, -1 where null; and the words."""
        found: tuple[Codes, list[str]] = self._once(name, lambda: words_of(self._files, name))
        return found

    def lost_text(self, name: str, row: int) -> str | None:
        """A text of a lost entry."""
        texts: dict[int, str | None] = self._once(
            name,
            lambda: dict(zip(self._lost.tolist(), self._files.take([name], self._lost)[name].to_pylist(), strict=True)),
        )
        return texts[row]

    def _once(self, name: str, make: Any) -> Any:
        if name not in self._read:
            self._read[name] = make()
        return self._read[name]


def words_of(files: LogFiles, name: str) -> tuple[Codes, list[str]]:
    """A column of few words as codes, -1 where null; and the words."""
    values = files.read([name], coded=[name])[name].unify_dictionaries().combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks)
    return np.asarray(without_nulls(values.indices, -1), np.int32), values.dictionary.to_pylist()
