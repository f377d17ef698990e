"""Upstream: which workloads publish to what a workload consumes, as far as the broker tells.

Measured on RabbitMQ 3.10: with the default rates mode ``basic`` a channel tells how much it published and not where to;
with ``detailed`` each exchange names its publishing channels. An exchange that is bound to the queue, itself or through
other exchanges, makes its publishers upstream; routing keys are not compared, so some of their messages may go elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.correlate.frames import plain, records
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.rabbitmq.owners import matched_connections
from incident_kit.tables.rabbitmq import BINDINGS, CHANNELS, CONSUMERS, PUBLISHES

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: kind, namespace, name of a workload; of a pod where it has none.
Subject = tuple[str, str | None, str]
#: virtual host, name of an exchange or queue.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Upstream:
    """One workload that publishes, seen from one that consumes.

    Attributes:
        publisher: who publishes.
        consumer: who consumes.
        bound: whether the exchange it publishes to is known and bound to the queue; else only the virtual host is shared.
        reason: the path in words, with its exchange and queue.
    """

    publisher: Subject
    consumer: Subject
    bound: bool
    reason: str


def upstreams(evidence: Evidence) -> list[Upstream]:
    """Every pair of a publishing and a consuming workload of one virtual host, surest first.

    Only connections that are open at capture and known to be one pod's count. Nobody is upstream of itself, and nothing
    leads from one virtual host to another.
    """
    return evidence.memo("upstreams", lambda: _upstreams(evidence))


def _upstreams(evidence: Evidence) -> list[Upstream]:
    owners = _owners(evidence)
    consumed: dict[Place, set[Subject]] = {}
    for row in records(evidence.table(CONSUMERS)):
        owner, vhost, queue = owners.get(str(row["connection"])), plain(row["vhost"]), plain(row["queue"])
        if owner is not None and vhost is not None and queue is not None:
            consumed.setdefault((vhost, queue), set()).add(owner)
    published, untold = _published(evidence, owners)
    found: dict[tuple[Subject, Subject], Upstream] = {}
    routes = _routes(evidence)
    for (vhost, queue), consumers in sorted(consumed.items(), key=lambda item: item[0]):
        for exchange in sorted(_leading_to(queue, vhost, routes)):
            reason = f"publishes to exchange {exchange}, bound to queue {queue} of virtual host {vhost}"
            _add(found, published.get((vhost, exchange), set()), consumers, reason, bound=True)
    for (vhost, consumer), queue in _one_queue(consumed).items():
        shared = f"publishes to virtual host {vhost} of queue {queue}"
        through = f"{shared} through the default exchange, to which queue is not known"
        _add(found, published.get((vhost, ""), set()), {consumer}, through, bound=False)
        _add(found, untold.get(vhost, set()), {consumer}, f"{shared}, to which exchange is not known", bound=False)
    return sorted(found.values(), key=lambda upstream: not upstream.bound)


def _one_queue(consumed: dict[Place, set[Subject]]) -> dict[tuple[str, Subject], str]:
    """A queue that each consumer has in each virtual host, to name one where all are equally likely."""
    found: dict[tuple[str, Subject], str] = {}
    for (vhost, queue), consumers in sorted(consumed.items(), key=lambda item: item[0]):
        for consumer in consumers:
            found.setdefault((vhost, consumer), queue)
    return found


def _add(
    found: dict[tuple[Subject, Subject], Upstream],
    publishers: Iterable[Subject],
    consumers: Iterable[Subject],
    reason: str,
    *,
    bound: bool,
) -> None:
    for publisher in publishers:
        for consumer in consumers:
            if publisher != consumer:
                upstream = Upstream(publisher, consumer, bound, reason)
                found.setdefault((publisher, consumer), upstream)


def _owners(evidence: Evidence) -> dict[str, Subject]:
    """Whose each connection is, by its name: of those open at capture, the ones the management API tells of."""
    return {
        matched.connection.connection: subject_of(matched.match.lives[0])
        for matched in matched_connections(evidence)
        if matched.match.single
        and matched.connection.closed_at is None
        and "management_api" in matched.connection.source
    }


def subject_of(life: Lifetime) -> Subject:
    """The workload of a pod; the pod itself where it has none."""
    kind, workload = life.value("workload_kind"), life.value("workload")
    return (str(kind), life.namespace, str(workload)) if kind and workload else ("Pod", life.namespace, life.pod)


def _published(
    evidence: Evidence, owners: dict[str, Subject]
) -> tuple[dict[Place, set[Subject]], dict[str, set[Subject]]]:
    """Who publishes to which exchange; and by virtual host who publishes on channels of which that is not known."""
    published: dict[Place, set[Subject]] = {}
    told: set[str] = set()
    for row in records(evidence.table(PUBLISHES)):
        connection, vhost = str(row["connection"]), plain(row["vhost"])
        told.add(str(row["channel"]))
        if connection in owners and vhost is not None:
            published.setdefault((vhost, str(row["exchange"])), set()).add(owners[connection])
    untold: dict[str, set[Subject]] = {}
    for row in records(evidence.table(CHANNELS)):
        connection, vhost = str(row["connection"]), plain(row["vhost"])
        name = f"{connection} ({plain(row['number'])})"
        if connection in owners and vhost is not None and plain(row["published"]) and name not in told:
            untold.setdefault(vhost, set()).add(owners[connection])
    return published, untold


def _routes(evidence: Evidence) -> dict[tuple[str, str, str], set[str]]:
    """Exchanges that are bound to each (virtual host, type, name)."""
    routes: dict[tuple[str, str, str], set[str]] = {}
    for row in records(evidence.table(BINDINGS)):
        target = (str(row["vhost"]), str(row["destination_type"]), str(row["destination"]))
        routes.setdefault(target, set()).add(str(row["exchange"]))
    return routes


def _leading_to(queue: str, vhost: str, routes: dict[tuple[str, str, str], set[str]]) -> set[str]:
    """Exchanges from which a message may reach the queue, through bindings between exchanges too."""
    found: set[str] = set()
    ahead = list(routes.get((vhost, "queue", queue), ()))
    while ahead:
        exchange = ahead.pop()
        if exchange not in found:
            found.add(exchange)
            ahead += routes.get((vhost, "exchange", exchange), ())
    return found
