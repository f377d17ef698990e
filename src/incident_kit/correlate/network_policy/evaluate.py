"""May this pod connect to that one: the rules of https://kubernetes.io/docs/concepts/services-networking/network-policies/.

- A pod that no policy selects for a direction is not isolated in it: everything is allowed.
- An isolated pod may do what any of the policies that select it allows; policies only add up.
- A connection needs the source's egress *and* the target's ingress; replies are always allowed.
- ``podSelector`` alone means the policy's own namespace; with ``namespaceSelector`` both must hold.
- No ``from``/``to`` means every peer, no ``ports`` every port. A named port is one of the target's containers'.
- A pod can always reach itself. Pods on the host's network are not selected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from incident_kit.correlate.network_policy.endpoints import Endpoint, in_block
from incident_kit.correlate.network_policy.selectors import selects
from incident_kit.correlate.objects import name_of, namespace_of
from incident_kit.nested import Document, field, listing, mapping


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a connection is allowed, and which policies made it so.

    Attributes:
        allowed: None when an address that would decide is not known.
        denied_side: egress or ingress, whichever said no first; None when allowed.
        isolating: policies that isolate the denied side, ``namespace/name``.
        allowing: policies that allow it, by side.
        reason: one sentence.
    """

    allowed: bool | None
    denied_side: str | None = None
    isolating: tuple[str, ...] = ()
    allowing: tuple[str, ...] = ()
    reason: str = ""


def may_connect(
    source: Endpoint, target: Endpoint, port: int, policies: Iterable[Document], protocol: str = "TCP"
) -> Decision:
    """Whether the source may open a connection to a port of the target.

    Args:
        source: who connects.
        target: what the connection ends at: a pod behind a Service, not the Service.
        port: the target's port.
        policies: every NetworkPolicy of the cluster.
        protocol: TCP, UDP or SCTP.
    """
    if source.is_pod and (source.namespace, source.name) == (target.namespace, target.name):
        return Decision(allowed=True, reason="a pod can always reach itself")
    known = list(policies)
    egress = _side("egress", source, target, target, port, protocol, known)
    if egress.allowed is False:
        return egress
    ingress = _side("ingress", target, source, target, port, protocol, known)
    if ingress.allowed is False:
        return ingress
    allowed = None if None in (egress.allowed, ingress.allowed) else True
    return Decision(
        allowed=allowed,
        allowing=(*egress.allowing, *ingress.allowing),
        reason="; ".join(r for r in (egress.reason, ingress.reason) if r),
    )


def _side(
    side: str,
    subject: Endpoint,
    peer: Endpoint,
    target: Endpoint,
    port: int,
    protocol: str,
    policies: Sequence[Document],
) -> Decision:
    """One direction: what isolates the subject, and whether any of it allows the peer."""
    isolating = [p for p in policies if isolates(p, subject, side)]
    if not isolating:
        return Decision(allowed=True, reason=f"no policy isolates the {side} of {subject.name}")
    answers = [(p, _allows(p, side, peer, target, port, protocol)) for p in isolating]
    names = tuple(sorted(label(p) for p in isolating))
    allowing = tuple(sorted(f"{side}: {label(p)}" for p, answer in answers if answer))
    if allowing:
        return Decision(allowed=True, allowing=allowing, reason=f"allowed by {', '.join(allowing)}")
    if any(answer is None for _, answer in answers):
        return Decision(allowed=None, isolating=names, reason=f"a rule depends on where the other side is: {peer.name}")
    return Decision(
        allowed=False,
        denied_side=side,
        isolating=names,
        reason=f"{', '.join(names)} isolate{'s' if len(names) == 1 else ''} the {side} of {subject.name}, and none allows {peer.name} on {protocol} {port}",
    )


def label(policy: Document) -> str:
    """``namespace/name`` of a policy."""
    return f"{namespace_of(policy)}/{name_of(policy)}"


def isolates(policy: Document, endpoint: Endpoint, side: str) -> bool:
    """Whether a policy selects a pod for a direction."""
    if not endpoint.is_pod or namespace_of(policy) != endpoint.namespace or side not in policy_types(policy):
        return False
    return selects(mapping(policy, "spec", "podSelector"), endpoint.labels)


def policy_types(policy: Document) -> set[str]:
    """Directions of a policy, lower case; without policyTypes: ingress, and egress when it has egress rules."""
    given = field(policy, "spec", "policyTypes")
    if isinstance(given, list) and given:
        return {str(t).lower() for t in given}
    return {"ingress", "egress"} if listing(policy, "spec", "egress") else {"ingress"}


def _allows(policy: Document, side: str, peer: Endpoint, target: Endpoint, port: int, protocol: str) -> bool | None:
    """Whether any rule allows it; None when only an unknown address stands between."""
    answers = [
        _peer_matches(rule.get("from" if side == "ingress" else "to"), peer, policy)
        for rule in listing(policy, "spec", side)
        if _port_matches(rule.get("ports"), target, port, protocol)
    ]
    if True in answers:
        return True
    return None if None in answers else False


def _port_matches(ports: Any, target: Endpoint, port: int, protocol: str) -> bool:
    if not ports:
        return True
    return any(_one_port(entry, target, port, protocol) for entry in ports if isinstance(entry, dict))


def _one_port(entry: Document, target: Endpoint, port: int, protocol: str) -> bool:
    if str(entry.get("protocol") or "TCP") != protocol:
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str) and not wanted.isdecimal():
        return target.named_ports.get((wanted, protocol)) == port
    first = int(wanted)
    last = entry.get("endPort")
    return first <= port <= (int(last) if last is not None else first)


def _peer_matches(peers: Any, peer: Endpoint, policy: Document) -> bool | None:
    if not peers:
        return True
    answers = [_one_peer(entry, peer, policy) for entry in peers if isinstance(entry, dict)]
    if True in answers:
        return True
    return None if None in answers else False


def _one_peer(entry: Document, peer: Endpoint, policy: Document) -> bool | None:
    if peer.unknown:
        return None
    if "ipBlock" in entry and entry["ipBlock"] is not None:
        if not peer.addresses:
            return None
        return any(in_block(address, mapping(entry, "ipBlock")) for address in peer.addresses)
    if not peer.is_pod:
        return False
    namespaces = entry.get("namespaceSelector")
    pods = entry.get("podSelector")
    if namespaces is None and pods is None:
        return False
    if namespaces is None:
        if namespace_of(policy) != peer.namespace:
            return False
    elif not selects(namespaces, peer.namespace_labels):
        return False
    return pods is None or selects(pods, peer.labels)
