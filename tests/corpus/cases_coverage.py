"""What was not read: here absence proves nothing, and the answer is unknown."""

from __future__ import annotations

from . import faults
from .model import MINUTE, SECOND, Case, rfc3339
from .services import KUBERNETES, Shipping, deploy, run


def no_elasticsearch(case: Case) -> None:
    """No Elasticsearch file in the folder."""
    case.with_elasticsearch = False
    container = run(case, deploy(case, "orders-service", "spring"), None)
    faults.unknown(container.entries, why="nothing was read from Elasticsearch")


def other_pods_only(case: Case) -> None:
    """Documents of another workload's pod only, and nobody says what was asked."""
    run(case, deploy(case, "quotes-api", "spring"), KUBERNETES)
    container = run(case, deploy(case, "orders-service", "spring"), None)
    faults.unknown(container.entries, why="no document of the pod, none of its siblings, no query.json")


def asked_for_others(case: Case) -> None:
    """query.json names one pod; a sibling was not asked for."""
    first = run(case, deploy(case, "orders-service", "spring"), KUBERNETES)
    faults.lose_at_random(case, first, 0.03)
    second = run(case, deploy(case, "orders-service", "spring"), None)
    faults.unknown(second.entries, why="query.json does not name the pod")
    case.query = {
        "indices": ["shop-logs-*"],
        "pods": [first.owner.name],
        "from": rfc3339(case.start, 0),
        "to": rfc3339(case.end, 0),
    }


def asked_for_less(case: Case) -> None:
    """The query covers ten minutes in the middle."""
    begin, end = case.start + 8 * MINUTE, case.start + 18 * MINUTE
    container = run(case, deploy(case, "orders-service", "serilog"), Shipping())
    case.query = {
        "indices": ["shop-logs-*"],
        "pods": [container.owner.name],
        "from": rfc3339(begin, 0),
        "to": rfc3339(end, 0),
    }
    faults.lose_at_random(case, container, 0.03)
    for entry in container.entries:
        assert entry.event is not None
        near_an_edge = min(abs(entry.time - begin), abs(entry.time - end)) < SECOND
        if not begin <= entry.event.time < end:
            case.drop(entry.document)
            entry.document = None
            faults.unknown(
                [entry], why="outside what the query asked for", also=("console_only",) if near_an_edge else ()
            )


def hits_below_total(case: Case) -> None:
    """The answer holds fewer hits than it counts."""
    container = run(case, deploy(case, "orders-service", "serilog"), Shipping())
    counted = len(case.documents)
    lost = faults.lose_at_random(case, container, 0.05)
    faults.unknown(lost, why="hits are fewer than total")
    case.total = {"value": counted, "relation": "eq"}


def total_is_a_bound(case: Case) -> None:
    """The relation is gte: nobody knows how many there are."""
    container = run(case, deploy(case, "orders-service", "logback"), Shipping())
    faults.unknown(faults.lose_at_random(case, container, 0.05), why="total is a lower bound")
    case.total = {"value": len(case.documents), "relation": "gte"}


def total_is_met(case: Case) -> None:
    """A whole answer as the search gave it: what is missing is missing."""
    container = run(case, deploy(case, "orders-service", "logback"), Shipping())
    faults.lose_at_random(case, container, 0.05)
    case.total = {"value": len(case.documents), "relation": "eq"}


def shards_failed(case: Case) -> None:
    """One shard of five did not answer."""
    container = run(case, deploy(case, "orders-service", "logback"), Shipping())
    faults.unknown(faults.lose_at_random(case, container, 0.1), why="a shard failed")
    case.shards_failed = 1


def within_the_lag(case: Case) -> None:
    """Captured while the last documents were still on their way."""
    container = run(case, deploy(case, "orders-service", "spring"), KUBERNETES, minutes=20, per_minute=60)
    case.captured_at = (container.entries[-1].time // SECOND + 1) * SECOND
    faults.lose_at_random(case, container, 0.02)
    for entry in faults.shipped(container):
        assert entry.document is not None
        assert entry.document.arrived is not None
        if entry.document.arrived > case.captured_at:
            case.drop(entry.document)
            entry.document = None
            old = case.captured_at - entry.time > 5 * SECOND
            faults.unknown([entry], why="within the usual ingest lag at capture", also=("console_only",) if old else ())


def rotated_away(case: Case) -> None:
    """The console's first ten minutes are gone; their documents prove nothing."""
    container = run(case, deploy(case, "orders-service", "spring"), KUBERNETES)
    container.started -= 60 * MINUTE
    faults.rotate_away(case, container, case.start + 10 * MINUTE)
    faults.lose_at_random(case, container, 0.0)


def unreadable_console(case: Case) -> None:
    """The kubelet's answer is no log: no entry, and the pod's documents are unknown."""
    container = run(case, deploy(case, "orders-service", "spring"), KUBERNETES)
    container.unreadable = "unable to retrieve container logs for containerd://5f1c0e9d7b2a"
    other = run(case, deploy(case, "orders-service", "spring"), KUBERNETES)
    faults.lose_at_random(case, other, 0.03)


def deleted_pod(case: Case) -> None:
    """Documents of a pod that is gone, console and all."""
    gone = run(case, deploy(case, "orders-service", "spring"), KUBERNETES)
    gone.unreadable, gone.owner.listed = "", False
    other = run(case, deploy(case, "orders-service", "spring"), KUBERNETES)
    faults.lose_at_random(case, other, 0.03)


def without_pod_objects(case: Case) -> None:
    """Only kubectl logs and hits: no pods.json."""
    case.with_pods_json = False
    for _ in range(2):
        container = run(case, deploy(case, "orders-service", "serilog"), Shipping())
        faults.lose_at_random(case, container, 0.03)


def no_hits(case: Case) -> None:
    """The hits' file is empty, and nobody says what was asked."""
    container = run(case, deploy(case, "orders-service", "spring"), None)
    faults.unknown(container.entries, why="no document at all, no query.json")


def no_hits_though_asked(case: Case) -> None:
    """query.json names the pod and the whole window; the answer was empty."""
    container = run(case, deploy(case, "orders-service", "spring"), None)
    case.query = {
        "indices": ["shop-logs-*"],
        "pods": [container.owner.name],
        "from": rfc3339(case.start, 0),
        "to": rfc3339(case.end, 0),
    }
    for entry in container.entries:
        entry.lost("pod_absent", "shipping_outage", "unexplained", why="asked for, and nothing found")


def torn_line(case: Case) -> None:
    """One line of the hits is torn: a gap; all others are used."""
    container = run(case, deploy(case, "orders-service", "logback"), Shipping())
    faults.unknown(
        faults.lose_at_random(case, container, 0.03), why="lost, or in the torn line", also=("console_only",)
    )
    case.torn = True


def margin_around_window(case: Case) -> None:
    """Entries and documents outside the window are kept and searched, but not judged."""
    container = run(case, deploy(case, "orders-service", "serilog"), Shipping(), minutes=28)
    faults.lose_at_random(case, container, 0.05)
    case.start, case.end = case.start + 8 * MINUTE, case.start + 20 * MINUTE


CASES = {
    make.__name__: make
    for make in (
        no_elasticsearch,
        other_pods_only,
        asked_for_others,
        asked_for_less,
        hits_below_total,
        total_is_a_bound,
        total_is_met,
        shards_failed,
        no_hits,
        no_hits_though_asked,
        torn_line,
        within_the_lag,
        rotated_away,
        unreadable_console,
        deleted_pod,
        without_pod_objects,
        margin_around_window,
    )
}
