"""netpol-denies: a NetworkPolicy keeps a pod from RabbitMQ or Elasticsearch, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.changes.table import joined_changes
from incident_kit.correlate.frames import rows
from incident_kit.correlate.network_policy.endpoints import endpoint_of_pod
from incident_kit.correlate.network_policy.evaluate import Decision, label
from incident_kit.correlate.network_policy.reach import (
    Removals,
    allowed_before,
    changed_at,
    decisions,
    last_removed,
    removed_at,
)
from incident_kit.correlate.network_policy.servers import Server, servers, uses
from incident_kit.correlate.objects import Objects, created_at, name_of, read_objects
from incident_kit.correlate.pods.logged import pods_in_logs
from incident_kit.nested import Document, field, listing
from incident_kit.rules.rule import Finding, Outcome, Rule, at, is_near, not_captured
from incident_kit.tables.kubernetes import OBJECTS
from incident_kit.tables.rabbitmq import CONNECTIONS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


#: Documents that end so near a policy's change, and this long before the window does, may have ended with it.
_SHIPPING = 300 * SECOND


@dataclass(frozen=True, kw_only=True)
class _Denied:
    pod: str
    server: Server
    decision: Decision
    before: bool | None
    use: str | None
    removed: tuple[int, str] | None = None


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    policies = objects.of("NetworkPolicy")
    if not policies:
        return not_captured(evidence, "networkpolicies")
    connections = list(rows(evidence.table(CONNECTIONS)))
    known = servers(objects, [str(c["connection"]) for c in connections if c["connection"]])
    changed = {label(p): changed_at(p) for p in policies}
    removed = removed_at(joined_changes(evidence))
    until = evidence.window.end - _SHIPPING
    shipped = {r.pod: r.last for r in pods_in_logs(evidence) if r.side == "elastic" and r.last and r.last < until}
    denied: dict[str, list[_Denied]] = defaultdict(list)
    for pod in objects.of("Pod"):
        if field(pod, "status", "phase") not in {"Running", "Pending"}:
            continue
        for server in known:
            found = _denied(pod, server, policies, objects, changed, _was_connected(pod, connections), shipped, removed)
            # That it was allowed once speaks only of a change that this incident can have felt.
            if found is not None and (
                found.use or is_near(changed[_youngest(found.decision.isolating, changed)], evidence)
            ):
                denied[_youngest(found.decision.isolating, changed)].append(found)
    return [_finding(policy, cases, changed) for policy, cases in sorted(denied.items())]


def _was_connected(pod: Document, connections: list[dict[str, Any]]) -> int | None:
    """When the pod last opened a connection to RabbitMQ, by its name or address; None when no connection is known."""
    addresses = {str(ip.get("ip")) for ip in listing(pod, "status", "podIPs")} | {str(field(pod, "status", "podIP"))}
    made = created_at(pod) or 0
    times = [
        c["connected_at"] or 0
        for c in connections
        if c["user_provided_name"] == name_of(pod)
        or (c["peer_host"] in addresses and (c["connected_at"] is None or c["connected_at"] >= made))
    ]
    return max(times, default=None)


def _youngest(names: Sequence[str], changed: dict[str, int]) -> str:
    return max(names, key=lambda name: (changed.get(name, 0), name))


def _denied(
    pod: Document,
    server: Server,
    policies: list[Document],
    objects: Objects,
    changed: dict[str, int],
    connected: int | None,
    shipped: dict[str, int],
    removed: Removals,
) -> _Denied | None:
    """The case of one pod and one server, when no pod of the server can be reached and there is a reason to reach it."""
    source = endpoint_of_pod(pod, objects)
    if any(source.namespace == t.namespace and source.name == t.name for t, _ in server.targets):
        return None
    now = decisions(source, server, policies)
    if not now or any(d.allowed is not False for d in now):
        return None
    youngest = _youngest(now[0].isolating, changed)
    use = uses(pod, server.system, objects)
    gone = last_removed(source, server, removed, changed[youngest])
    since = gone[0] if gone else changed[youngest]
    if server.system == "RabbitMQ" and connected is not None:
        if connected > since:
            return None  # it connected all the same: the network does not enforce the policy
        use = f"it was connected at {at(connected)}"
    last = shipped.get(name_of(pod))
    if server.system == "Elasticsearch" and last is not None and abs(last - since) < _SHIPPING:
        use = use or f"its documents end at {at(last)}"
    before = allowed_before(source, server, policies, youngest, changed)
    if use is None and (before is not True or not server.certain):
        return None  # it was never allowed, and nothing says that the pod wants to
    return _Denied(pod=name_of(pod), server=server, decision=now[0], before=before, use=use, removed=gone)


def _finding(policy: str, cases: list[_Denied], changed: dict[str, int]) -> Finding:
    namespace, name = policy.split("/", 1)
    since = changed.get(policy) or None
    gone = max((c.removed for c in cases if c.removed), default=None)
    since = gone[0] if gone else since
    systems = " and ".join(sorted({c.server.system for c in cases}))
    pods = sorted({c.pod for c in cases})
    shown = ", ".join(pods[:3]) + (f" and {len(pods) - 3} more" if len(pods) > 3 else "")
    evidence = [f"{c.pod} -> {c.server.service} ({c.server.system}): {c.decision.reason}" for c in cases[:10]]
    evidence += [f"{c.pod} uses {c.server.system}: {c.use}" for c in cases[:10] if c.use]
    if gone:
        evidence.append(f"NetworkPolicy {gone[1]} was removed at {at(gone[0])}; what it allowed is not remembered")
    elif any(c.before for c in cases):
        evidence.append("without the policies of that change it was allowed")
    elif all(c.before is None for c in cases):
        evidence.append("what the policy said before its last change is not known")
    confidence = 0.95 if any(c.use for c in cases) else 0.6
    return RULE.finding(
        f"NetworkPolicy {name} keeps {shown} from {systems} since {at(since)}",
        time=since,
        kind="NetworkPolicy",
        namespace=namespace,
        name=name,
        evidence=list(dict.fromkeys(evidence)),
        confidence=confidence,
        next_step="Allow the connection (egress of the pods and ingress of the server both count), or take the policy back. "
        "Connections that were open before may live on until they close.",
    )


RULE = Rule(
    name="netpol-denies",
    question="Which NetworkPolicies keep pods from RabbitMQ or Elasticsearch?",
    severity="critical",
    needs=(OBJECTS,),
    refuted_by="A network plug-in that does not enforce NetworkPolicies, or connections opened after the change.",
    judge=_judge,
)
