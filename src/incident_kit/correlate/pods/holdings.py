"""Holdings: which pod had which address from when to when, as far as somebody saw it; and when it only may have had it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

from incident_kit.correlate.pods.lifetimes import THERE, Fact, Lifetime
from incident_kit.normalise.rabbitmq.endpoints import plain_address
from incident_kit.window import MAX_NS, SECOND, format_ns

#: A pod that is told to end keeps its address for its grace period, which nobody recorded for a pod that is gone.
_GRACE = 60 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One pod's hold of one address.

    Attributes:
        ip: the address in its shortest spelling.
        life: the pod.
        begin: earliest instant it is known to have had the address (ns); None where unknown.
        end: first instant at which it is not known to have it any more; None while it has it.
        possible_from: earlier instant from which it may have had it: its sandbox was made anew at ``begin``, or the pod is
            gone and was there before anybody saw it.
        possible_to: later instant until which it may have had it: the pod is gone, and nobody recorded when it ended.
        host_network: whether it shares its node's address.
        source: what the interval rests on.
        open_ended: whether nobody knows when it ended (a pod that is gone).
    """

    ip: str
    life: Lifetime
    begin: int | None
    end: int | None
    host_network: bool
    source: str
    open_ended: bool = False
    possible_from: int | None = None
    possible_to: int | None = None

    def covers(self, instant: int) -> bool:
        """Whether the pod may have had the address then."""
        return (self.begin is None or self.begin <= instant) and (self.end is None or instant < self.end)

    def overlaps(self, start: int, end: int) -> bool:
        """Whether the pod may have had the address at some instant of ``[start, end)``."""
        return (self.begin is None or self.begin < end) and (self.end is None or self.end > start)

    def possibly_covers(self, instant: int) -> bool:
        """Whether it may have had the address then, though nothing says so."""
        before = (
            self.possible_from is not None and self.begin is not None and self.possible_from <= instant < self.begin
        )
        after = self.possible_to is not None and self.end is not None and self.end <= instant < self.possible_to
        return before or after

    def why_not_known(self, instant: int) -> str:
        """What stands against the pod at an instant at which it only may have had the address."""
        if self.end is not None and instant >= self.end:
            return f"the pod was last seen about {format_ns(self.end)}, and nobody recorded when it ended"
        if self.life.value("sandbox_at") is not None:
            return (
                f"it has it since its sandbox was made anew at {format_ns(self.begin)}; before, it may have had another"
            )
        return f"the pod was first seen at {format_ns(self.begin)}, and nobody recorded when it began"


def holdings_of(lives: Iterable[Lifetime]) -> list[Holding]:
    """What each life had: from the kubelet's start of the pod to the end of its last container.

    A finished pod goes on showing its address, which another pod may own by then, so its hold ends with the second
    in which its last container ended (the API's times are whole seconds).
    """
    found: list[Holding] = []
    for life in lives:
        found += _held_before(life)
        fact = life.facts.get("pod_ips")
        host_network = life.value("host_network") is True
        if fact is None and host_network and life.value("host_ip"):
            fact = Fact([life.value("host_ip")], True, "its node's address (hostNetwork)")
        if fact is None:
            continue
        source = fact.source if fact.observed else f"{fact.source} (inferred)"
        span = _span(life)
        if host_network:
            span = replace(span, begin=_started(life), possible_from=None)
        for address in filter(None, map(plain_address, fact.value)):
            found.append(
                Holding(
                    ip=address,
                    life=life,
                    begin=span.begin,
                    end=span.end,
                    host_network=host_network,
                    source=source,
                    open_ended=span.open_ended,
                    possible_from=span.possible_from,
                    possible_to=span.possible_to,
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class _Span:
    """From when to when a life has its addresses; as `Holding` says."""

    begin: int | None
    end: int | None
    open_ended: bool
    possible_from: int | None = None
    possible_to: int | None = None


def _started(life: Lifetime) -> int | None:
    begin = life.value("started_at") or life.value("scheduled_at") or life.begin
    return int(begin) if begin is not None else None


def _span(life: Lifetime) -> _Span:
    begin, end, sandbox_at, absent_at = _started(life), life.end, life.value("sandbox_at"), life.value("absent_at")
    possible_from = None
    if sandbox_at is not None and (begin is None or begin < sandbox_at) and (end is None or sandbox_at < end):
        possible_from, begin = begin, int(sandbox_at)
    elif not life.captured and begin is not None and _began_unseen(life):
        possible_from = 0
    if end is not None:
        # The API's times are whole seconds.
        end = end - end % SECOND + SECOND + (0 if life.captured else _GRACE)
        return _Span(begin, end, not life.captured, possible_from)
    if absent_at is not None:
        return _Span(begin, int(absent_at), True, possible_from)
    # Of a pod that was there at a capture, a later bundle may tell no more: what comes after that nobody saw.
    unseen_since = not life.captured or any(source in THERE for _, source in life.seen)
    if life.last_seen is None or not unseen_since:
        return _Span(begin, None, not life.captured, possible_from)
    return _Span(begin, life.last_seen[0] + _GRACE, not life.captured, possible_from, MAX_NS)


def _began_unseen(life: Lifetime) -> bool:
    """Whether a pod that is gone was only seen, so that it may have been there before."""
    return life.value("created_at") is None and life.value("started_at") is None


def _held_before(life: Lifetime) -> list[Holding]:
    """Addresses of the pod's earlier sandboxes."""
    return [
        Holding(
            ip=address,
            life=life,
            begin=held.begin,
            end=held.end,
            host_network=life.value("host_network") is True,
            source=held.source,
        )
        for held in life.held
        for ip in held.pod_ips
        if (address := plain_address(ip)) is not None
    ]


def ended_when_taken(holdings: list[Holding]) -> list[Holding]:
    """Holds of which nobody recorded the end, ended where the next pod took the address after the pod was last seen.

    Two pods never have one address at once. The hold of a pod that was seen after that is never cut, so a true clash stays
    visible as several.
    """
    begins: dict[str, list[int]] = {}
    for holding in holdings:
        if holding.begin is not None and not holding.host_network:
            begins.setdefault(holding.ip, []).append(holding.begin)
    for starts in begins.values():
        starts.sort()
    cut: list[Holding] = []
    for holding in holdings:
        starts = begins.get(holding.ip, [])
        position = bisect_right(starts, holding.begin or 0)
        unsure = holding.open_ended or holding.possible_to is not None
        if unsure and not holding.host_network and position < len(starts):
            last = holding.life.last_seen[0] if holding.life.last_seen else None
            taken = starts[position]
            if (last is None or last < taken) and (holding.possible_to or holding.end or MAX_NS) > taken:
                holding = replace(
                    holding,
                    end=min(holding.end or MAX_NS, taken),
                    possible_to=taken if holding.possible_to is not None else None,
                    source=f"{holding.source}; ended when the address was taken",
                )
        cut.append(holding)
    return cut
