"""What every shape is: how it is told, and how its files become files of the layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.normalise.context import Context

if TYPE_CHECKING:
    from incident_kit.importing.known_pods import KnownPods
    from incident_kit.importing.sample import Sample


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a shape, and what its conversion may ask.

    Attributes:
        relative: the file, as gaps state it.
        destination: where the layout has such a file, by its path; None where that does not tell.
        number: its number among the collected files; no other file writes to a destination with this number.
        blocks: its text from the beginning, UTF-8, in blocks of whole lines.
        sample: its beginning.
        known: pods of the collected objects; only shapes that come last may ask.
        context: window, when it was captured, and where gaps go.
    """

    relative: str
    destination: str | None
    number: int
    blocks: Iterator[bytes]
    sample: Sample
    known: KnownPods
    context: Context

    def lines(self) -> Iterator[str]:
        """Its lines, without their ends; what is no UTF-8 is shown as such."""
        for block in self.blocks:
            for line in block.decode("utf-8", errors="replace").split("\n")[: None if block[-1:] != b"\n" else -1]:
                yield line.removesuffix("\r")

    def data(self) -> bytes:
        """All of it."""
        return b"".join(self.blocks)


#: Destination within the layout, and bytes of it: whole lines of a log, or a whole document.
Pieces = Iterator[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Shape:
    """One way in which people bring something.

    Attributes:
        name: what it is, in the words of who brings it.
        fits: whether a file is one, by its beginning and its path.
        convert: the file as files of the layout.
        system: the system that it tells of, as gaps name their source.
        by_name: whether its path alone tells whose it is.
        needs_pods: whether it asks the collected pods for what it does not say; every console does.
    """

    name: str
    fits: Callable[[Sample], bool]
    convert: Callable[[Source], Pieces]
    system: str
    by_name: bool = False

    needs_pods: bool = False
