"""Reach: may a pod connect to a Service, now and before the policies last changed?

A policy remembers its present rules and when they were written, not what it said before. So "before" is known where the
last change made a policy (then it was not there), or from an earlier bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.writes import writes_of
from incident_kit.correlate.network_policy.endpoints import Endpoint, service_targets
from incident_kit.correlate.network_policy.evaluate import Decision, isolates, label, may_connect
from incident_kit.correlate.network_policy.servers import Server
from incident_kit.correlate.objects import Objects, created_at, name_of, namespace_of
from incident_kit.nested import Document, listing
from incident_kit.window import SECOND, format_ns

#: When policies were removed, and their names, by namespace.
Removals = dict[str, list[tuple[int, str]]]


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Whether a pod may connect to one port of a Service.

    Attributes:
        allowed: to one of the pods behind it at least, the pod itself not counted where there are others; None where an
            address that decides is not known.
        before: the same before the last change of a policy that concerns both; None where nothing tells.
        since: when that policy was last changed, or another removed since (ns); None where none concerns them.
        policies: policies that select the pod or what is behind the Service, ``namespace/name``.
        reason: one sentence.
    """

    allowed: bool | None
    before: bool | None
    since: int | None
    policies: tuple[str, ...]
    reason: str


def changed_at(policy: Document) -> int:
    """When the specification of a policy was last written, or when it was made (ns; 0 when neither is known)."""
    times = [w.time for w in writes_of(policy) if w.touches("f:spec") and w.time is not None]
    return max(times) if times else created_at(policy) or 0


def removed_at(changes: Iterable[Change]) -> Removals:
    """Times of policies that a sync pruned, with their names, by namespace: what they allowed nobody remembers."""
    found: Removals = {}
    for change in changes:
        if change.kind == "NetworkPolicy" and change.what in {"pruned", "deleted"} and change.time is not None:
            found.setdefault(str(change.namespace), []).append((change.time, f"{change.namespace}/{change.name}"))
    return found


def last_removed(source: Endpoint, server: Server, removed: Removals, after: int) -> tuple[int, str] | None:
    """The last policy removed since a time in a namespace of either side, which may have allowed what is denied now."""
    spaces = {str(source.namespace), *(str(t.namespace) for t, _ in server.targets)}
    return max((r for space in spaces for r in removed.get(space, []) if r[0] > after), default=None)


def allowed_before(
    source: Endpoint, server: Server, policies: list[Document], youngest: str, changed: dict[str, int]
) -> bool | None:
    """Whether it was allowed before the policy's last change; None when the policy's earlier rules are not known.

    Args:
        source: who connects.
        server: what it connects to.
        policies: every NetworkPolicy.
        youngest: ``namespace/name`` of the policy that was changed last.
        changed: time of the last change by policy.
    """
    policy = next(p for p in policies if label(p) == youngest)
    made = created_at(policy)
    if made is None or changed[youngest] > made + SECOND:
        return None
    others = [p for p in policies if changed[label(p)] < changed[youngest]]
    return any(d.allowed for d in decisions(source, server, others))


def decisions(source: Endpoint, server: Server, policies: Iterable[Document]) -> list[Decision]:
    """Whether the source may connect to each pod behind the Service; to itself only where nothing else is behind it."""
    beside = [t for t in server.targets if (t[0].namespace, t[0].name) != (source.namespace, source.name)]
    known = list(policies)
    return [may_connect(source, target, port, known, server.protocol) for target, port in beside or server.targets]


def reach(
    source: Endpoint,
    server: Server,
    policies: list[Document],
    earlier: Sequence[Document] | None = None,
    removed: Removals | None = None,
) -> Reach:
    """Whether a pod may connect, now and before.

    Args:
        source: the pod.
        server: the Service.
        policies: every NetworkPolicy of the cluster.
        earlier: the NetworkPolicies of an earlier bundle, where there is one.
        removed: policies that are gone.
    """
    now = decisions(source, server, policies)
    best = _best(now)
    open_to = sum(d.allowed is True for d in now)
    mine = [p for p in policies if _concerns(p, source, server)]
    changed = {label(p): changed_at(p) for p in policies}
    youngest = max((label(p) for p in mine), key=lambda name: (changed[name], name), default=None)
    since = changed[youngest] if youngest is not None else 0
    reason = f"{best.reason}; to {open_to} of {len(now)} behind it" if 0 < open_to < len(now) else best.reason
    gone = last_removed(source, server, removed or {}, since)
    if gone is not None and best.allowed is False:
        since = gone[0]
        reason += f"; {gone[1]} was removed at {(format_ns(since) or '')[:19]}Z, and what it allowed is not remembered"
    else:
        gone = None
    before: bool | None = None
    if earlier is not None:
        before = _best(decisions(source, server, earlier)).allowed
    elif youngest is not None and gone is None:
        before = allowed_before(source, server, policies, youngest, changed)
    return Reach(
        allowed=best.allowed,
        before=before,
        since=since or None,
        policies=tuple(sorted(label(p) for p in mine)),
        reason=reason,
    )


def _best(found: list[Decision]) -> Decision:
    """Allowed when one pod behind the Service may be reached; not known before denied."""
    nothing = Decision(allowed=None, reason="nothing is known to stand behind it")
    return max(found, key=lambda d: {True: 2, None: 1, False: 0}[d.allowed], default=nothing)


def _concerns(policy: Document, source: Endpoint, server: Server) -> bool:
    return isolates(policy, source, "egress") or any(isolates(policy, t, "ingress") for t, _ in server.targets)


def services_named(text: str, objects: Objects) -> Iterable[Server]:
    """Every port of the Services of a name, ``name`` or ``namespace/name``."""
    space, _, name = text.rpartition("/")
    for service in objects.of("Service"):
        if name_of(service) != name or (space and namespace_of(service) != space):
            continue
        for port in listing(service, "spec", "ports"):
            targets = tuple(service_targets(service, port, objects))
            place = f"{namespace_of(service)}/{name_of(service)}"
            protocol = str(port.get("protocol") or "TCP")
            number = f"port {port.get('port')}" + ("" if protocol == "TCP" else f" {protocol}")
            yield Server(system=number, service=place, targets=targets, protocol=protocol)
