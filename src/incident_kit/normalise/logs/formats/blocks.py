"""Entries of several unindented lines, all written alike: XML events, exporters that print one property a line."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BEGINNING = re.compile(r"^(?:[^\w\s]* ?[^\W\d][\w.:/-]*|[^\w\s]{3,}$)")


@dataclass(frozen=True, slots=True)
class Blocks:
    """How a container's blocks look.

    Attributes:
        first: what the first line begins with.
        inner: what the other lines begin with.
        before, behind: what stands around the message on its line; both empty where its place is not known.
    """

    first: str
    inner: frozenset[str]
    before: str = ""
    behind: str = ""

    def continues(self, line: str) -> bool:
        """Whether a line looks like one behind the first."""
        return not line.startswith(self.first) and beginning(line) in self.inner

    def message(self, lines: list[str]) -> str | None:
        """The message of a block, from the lines behind its first."""
        if self.before:
            for line in lines:
                if line.startswith(self.before) and line.endswith(self.behind):
                    return line[len(self.before) : len(line) - len(self.behind)]
        return None


def beginning(line: str) -> str:
    """A line's first word with the marks before it, or the marks that it is; empty where a number or a blank comes first."""
    found = _BEGINNING.match(line)
    return found[0] if found else ""
