"""One connection interval: when it was open, between whom, and as far as which sources tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection interval; times in ns.

    Attributes are those of the table CONNECTIONS; ``source`` joins several sources with ``+``.
    """

    connection: str
    rabbit_node: str | None = None
    peer_host: str | None = None
    peer_port: int | None = None
    connected_at: int | None = None
    closed_at: int | None = None
    first_seen_at: int | None = None
    last_seen_at: int | None = None
    user_provided_name: str | None = None
    vhost: str | None = None
    user: str | None = None
    state: str | None = None
    channel_count: int | None = None
    close_reason: str | None = None
    observed: bool = True
    zone_known: bool = True
    source: str = "management_api"

    @property
    def begin(self) -> int | None:
        """Opened, else first seen."""
        return self.connected_at if self.connected_at is not None else self.first_seen_at

    @property
    def latest(self) -> int | None:
        """Latest instant at which it is known to have existed."""
        known = [t for t in (self.last_seen_at, self.first_seen_at, self.connected_at) if t is not None]
        return max(known) if known else None

    def overlaps(self, start: int, end: int) -> bool:
        """Whether it may have been open at some instant of ``[start, end)``."""
        began = self._began_before_it_was_seen or (self.begin or 0) < end
        return began and (self.closed_at is None or self.closed_at > start)

    def open_at(self, moment: int) -> bool:
        """Whether it may have been open then."""
        began = self._began_before_it_was_seen or (self.begin or 0) <= moment
        return began and (self.closed_at is None or moment < self.closed_at)

    @property
    def _began_before_it_was_seen(self) -> bool:
        """Whether nobody told when it was opened, only that it was open.

        A list that leaves out when a connection was opened was read of one that was open before, and a broker's log that
        has only its end began later than it. Metricbeat sees a new one within its period.
        """
        return self.begin is None or (self.connected_at is None and "metricbeat" not in self.source)

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts by opening; of two that are not equal one is always before the other."""
        begin = self.begin if self.begin is not None else -1
        return (begin, self.connection, *(str(getattr(self, name)) for name in Connection.__slots__))
