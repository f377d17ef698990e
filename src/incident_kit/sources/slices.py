"""Slices of a point in time, read side by side, and what they notice about their completeness."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from incident_kit.errors import SourceError, SourceIncomplete
from incident_kit.sources.pages import Page, read_page

KEEP_ALIVE = "5m"


class PointInTimeLost(SourceIncomplete):
    """The server no longer knows the point in time: it expired, its node was restarted, or somebody closed it."""


@dataclass(kw_only=True)
class Reading:
    """How complete one reading was.

    Attributes:
        expected: documents that the point in time counts.
        fetched: documents that came.
        problems: why the reading may lack documents; empty when it is whole.
        opened_at: when the point in time was opened (ns): later documents are not in it.
        stopping: set when the user interrupts.
        lost: set when the server no longer knows the point in time.
    """

    expected: int = 0
    fetched: int = 0
    problems: list[str] = field(default_factory=list)
    opened_at: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    lost: threading.Event = field(default_factory=threading.Event)

    def note(self, problem: str) -> None:
        """Remember a problem once."""
        if problem not in self.problems:
            self.problems.append(problem)


def page_body(pit: str, query: dict[str, Any], size: int, number: int, slices: int) -> dict[str, Any]:
    """The search for the first page of one slice."""
    return {
        "size": size,
        "query": query,
        "pit": {"id": pit, "keep_alive": KEEP_ALIVE},
        "sort": ["_shard_doc"],  # the cheapest total order of a point in time
        "track_total_hits": True,
        **({"slice": {"id": number, "max": slices}} if slices > 1 else {}),
    }


class Slice:
    """One reader of a sliced point in time.

    Args:
        ask: sends a search, gives its bytes.
        body: the search for the first page.
        number: which slice it is.
        reading: where problems are noted.
        limit: stop after so many documents.
    """

    def __init__(
        self,
        ask: Callable[[dict[str, Any]], bytes],
        body: dict[str, Any],
        number: int,
        reading: Reading,
        limit: int | None,
    ) -> None:
        self._ask, self._body, self.reading, self._limit = ask, body, reading, limit
        self.number = number
        self.expected = self.fetched = 0

    def pages(self) -> Iterator[Page]:
        """Pages until the last; problems go to the reading."""
        body = dict(self._body)
        size = int(body["size"])
        while not (self.reading.stopping.is_set() or self.reading.lost.is_set()):
            page = read_page(self._ask(body), size)
            self._check(page)
            if page.total is not None:
                self.expected = page.total
            self.fetched += page.count
            yield page
            if page.count < size or page.last_sort is None:
                return
            if self._limit is not None and self.fetched >= self._limit:
                if self.fetched < self.expected:
                    self.reading.note(f"stopped at the limit; slice {self.number} has {self.expected} documents")
                return
            body["search_after"] = page.last_sort
            body["track_total_hits"] = False
            body["pit"] = {"id": page.pit_id or body["pit"]["id"], "keep_alive": KEEP_ALIVE}

    def _check(self, page: Page) -> None:
        if page.timed_out:
            self.reading.note("the search timed out and answered with what it had")
        shards = page.shards
        if shards.get("failed"):
            reasons = {str((f.get("reason") or {}).get("reason")) for f in shards.get("failures") or []}
            told = f": {'; '.join(sorted(reasons))[:300]}" if reasons else ""
            self.reading.note(f"{shards['failed']} of {shards.get('total')} shards failed{told}")
        if shards.get("total") == 0:
            self.reading.note("no index matches, or none that this user may read")


def drain(reader: Slice, write: Callable[[int, bytes], None]) -> None:
    """Read a slice to its end; a server that dies in the middle ends it with a problem, and what came is kept.

    A point in time that the server forgot ends all slices of it: the reading as a whole begins anew.
    """
    try:
        for page in reader.pages():
            if page.lines:
                write(reader.number, page.lines)
    except PointInTimeLost:
        reader.reading.lost.set()
    except SourceError as error:
        expected = reader.expected or "unknown"
        reader.reading.note(f"broke off after {reader.fetched} of {expected} documents: {error.reason}")
