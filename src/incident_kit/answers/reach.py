"""reach: may a pod reach RabbitMQ, Elasticsearch or a Service, as the NetworkPolicies say, now and before they changed?"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.table import joined_changes
from incident_kit.correlate.frames import records
from incident_kit.correlate.network_policy.endpoints import endpoint_of_pod
from incident_kit.correlate.network_policy.reach import reach as reach_of
from incident_kit.correlate.network_policy.reach import removed_at, services_named
from incident_kit.correlate.network_policy.servers import Server, servers
from incident_kit.correlate.objects import Objects, name_of, namespace_of, read_objects
from incident_kit.correlate.pods.identity import resolve_pod
from incident_kit.errors import NotFoundError, UsageError
from incident_kit.nested import Document
from incident_kit.rules.rule import not_captured
from incident_kit.tables.answers import REACH
from incident_kit.tables.rabbitmq import CONNECTIONS

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence


#: Names of Services told where the one that was asked for is not there.
_NEAR = 5


def reach(pod: str, evidence: Evidence, to: str | None = None, earlier: Evidence | None = None) -> pd.DataFrame:
    """One row a port of a server: whether the NetworkPolicies let the pod connect to it.

    Args:
        pod: name or ``namespace/name`` of a pod that was captured.
        evidence: an opened bundle.
        to: a Service, ``name`` or ``namespace/name``; RabbitMQ and Elasticsearch by default, wherever the evidence places them.
        earlier: an earlier bundle of the same cluster, for what the policies said then.

    Returns:
        A frame of `tables.answers.REACH`. Whether the network enforces the policies no object tells.

    Raises:
        UsageError: the pod's object was not captured, or the bundles are of different clusters.
        NotFoundError: no such pod or Service is known; carries near names.
    """
    if earlier is not None and earlier.cluster != evidence.cluster:
        raise UsageError(f"The bundles are of different clusters: {earlier.cluster} and {evidence.cluster}.")
    objects = read_objects(evidence)
    source = endpoint_of_pod(_object(pod, evidence, objects), objects)
    policies, unread = objects.of("NetworkPolicy"), not_captured(evidence, "networkpolicies")
    past = read_objects(earlier).of("NetworkPolicy") if earlier is not None else None
    removed = removed_at(joined_changes(evidence))
    rows = []
    for server in _servers(to, evidence, objects):
        found = reach_of(source, server, policies, past, removed)
        rows.append(
            {
                "namespace": source.namespace,
                "pod": source.name,
                "to": server.service,
                "system": server.system,
                "allowed": None if unread else found.allowed,
                "before": found.before,
                "since": found.since,
                "policies": list(found.policies),
                "reason": unread[0].because if unread else found.reason,
            }
        )
    return REACH.frame(rows)


def _object(pod: str, evidence: Evidence, objects: Objects) -> Document:
    identity = resolve_pod(pod, evidence)
    found = [d for d in objects.of("Pod") if name_of(d) == identity.pod and namespace_of(d) == identity.namespace]
    if not found:
        raise UsageError(
            f"The object of {pod} was not captured, so nobody knows its labels. Ask for a sibling of its workload."
        )
    return found[0]


def _servers(to: str | None, evidence: Evidence, objects: Objects) -> Sequence[Server]:
    if to is None:
        connections = [str(c["connection"]) for c in records(evidence.table(CONNECTIONS)) if c["connection"]]
        return servers(objects, connections)
    found = list(services_named(to, objects))
    if not found:
        known = {name_of(service): f"{namespace_of(service)}/{name_of(service)}" for service in objects.of("Service")}
        if not known:
            raise NotFoundError(f"No Service {to!r} was captured, nor any other: collect kubernetes/services.json.")
        near = get_close_matches(to.rpartition("/")[2], known, _NEAR, 0.4) or list(known)[:_NEAR]
        raise NotFoundError(f"No Service {to!r} was captured.", [known[name] for name in near])
    return found
