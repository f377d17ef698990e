"""One pod over several bundles of one cluster: instances and connections, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from incident_kit.correlate.pods.holdings import holdings_of
from incident_kit.correlate.pods.identity import PodIdentity, lifetimes, lives_of
from incident_kit.correlate.pods.instances import ContainerInstance, container_instances
from incident_kit.correlate.pods.ledger import Ledger, ip_ledger
from incident_kit.correlate.pods.lifetimes import Lifetime, merge_lifetimes
from incident_kit.correlate.pods.presence import learn_presence
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.connections import connection_intervals
from incident_kit.correlate.rabbitmq.listed import end_unlisted
from incident_kit.correlate.rabbitmq.merging import merge_connections
from incident_kit.correlate.rabbitmq.owners import Matched, match_connections, matched_connections
from incident_kit.correlate.rabbitmq.rows import NextConnections, could_not_look, none_row, rabbit_row, why_none
from incident_kit.tables import Row

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: What a container's status tells of an end: of one instance it all comes from one bundle.
_END = ("state", "finished_at", "reason", "exit_code", "signal", "message")


def instances_of(identity: PodIdentity, evidences: Sequence[Evidence]) -> list[ContainerInstance]:
    """The pod's container instances; what one bundle knows only by count, another may have seen."""
    merged: dict[tuple[str | None, str, int], ContainerInstance] = {}
    for evidence in sorted(evidences, key=lambda one: one.captured_at or one.window.end):
        for instance in container_instances(evidence):
            if instance.pod != identity.pod or (
                identity.namespace is not None and instance.namespace != identity.namespace
            ):
                continue
            key = (instance.pod_uid, instance.container, instance.restart_count)
            merged[key] = _fuller(merged[key], instance) if key in merged else instance
    return list(merged.values())


def _fuller(one: ContainerInstance, other: ContainerInstance) -> ContainerInstance:
    """Both bundles' knowledge; the later one's state and end, and the image of whoever observed it."""
    base, extra = (other, one) if other.observed or not one.observed else (one, other)
    unknown = {name: known for name, known in extra.row().items() if getattr(base, name) is None}
    ended = one if one.finished_at is not None else other
    end = {name: getattr(ended, name) for name in _END} if ended.finished_at is not None else {}
    sources = dict.fromkeys([*base.source.split("+"), *extra.source.split("+")])
    told = {**unknown, **end, "observed": one.observed or other.observed, "source": "+".join(sources)}
    return replace(base, **told)


def rabbit_rows_of(identity: PodIdentity, evidences: Sequence[Evidence]) -> list[Row]:
    """RABBIT rows of the pod that overlap any of the windows."""
    newest = max(evidences, key=lambda one: one.captured_at or one.window.end)
    matched = matched_connections(newest) if len(evidences) == 1 else several_matched(evidences)
    following = NextConnections(matched)
    windows = [one.window for one in evidences]
    overlapping = [item for item in matched if any(item.connection.overlaps(w.start, w.end) for w in windows)]
    rows = [
        rabbit_row(item, newest, following=following.after(item))
        for item in overlapping
        if item.match.concerns(identity.namespace, identity.pod)
    ]
    if rows:
        return rows
    blind = [reason for one in evidences if (reason := could_not_look(one))]
    lives = lives_of(identity, *evidences)
    reason = blind[0] if len(blind) == len(evidences) else why_none(lives, overlapping, "overlaps the window")
    uid = identity.pod_uids[0] if len(identity.pod_uids) == 1 else None
    return [none_row(reason, namespace=identity.namespace, pod=identity.pod, pod_uid=uid)]


def several_matched(evidences: Sequence[Evidence]) -> list[Matched]:
    """Every connection of several bundles with whose it is."""
    return match_connections(several_connections(evidences), several_lives(evidences), several_ledger(evidences))


def several_lives(evidences: Sequence[Evidence]) -> list[Lifetime]:
    """Every life of every pod, and until when, or by when, a list of pods had it or not."""
    return list(learn_presence(merge_lifetimes(lifetimes(one) for one in evidences), evidences))


def several_ledger(evidences: Sequence[Evidence]) -> Ledger:
    """Who had which address, over all bundles."""
    ledgers = [ip_ledger(one) for one in evidences]
    nodes = {ip: name for ledger in ledgers for ip, name in ledger.nodes.items()}
    services = {ip: name for ledger in ledgers for ip, name in ledger.services.items()}
    ranges = dict.fromkeys(pair for ledger in ledgers for pair in ledger.pod_ranges)
    return Ledger(holdings_of(several_lives(evidences)), nodes, services, ranges)


def several_connections(evidences: Sequence[Evidence]) -> list[Connection]:
    """Every connection once; what a later whole list has no more was closed by then."""
    return end_unlisted(merge_connections(row for one in evidences for row in connection_intervals(one)), evidences)
