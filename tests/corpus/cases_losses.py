"""Documents that never arrived, one cause a case."""

from __future__ import annotations

from dataclasses import replace

from . import faults
from .model import MINUTE, SECOND, Case, Container, Event
from .services import KUBERNETES, Shipping, deploy, log, run
from .vocabulary import slots, value_of

WITH_DEBUG = (0.66, 0.09, 0.05, 0.2)


def outage_dropped(case: Case) -> None:
    """Two workloads lose all of four minutes, with edges of their own; a third, on another index, loses nothing."""
    begin = case.start + 12 * MINUTE
    for format_name, lead, tail in (("serilog", -4, 9), ("logback", 3, 40)):
        container = run(case, deploy(case, f"bank-{format_name}", format_name))
        faults.outage(case, container, begin + lead * SECOND, begin + 4 * MINUTE + tail * SECOND)
    run(case, deploy(case, "quotes-api", "pino"))


def outage_quiet(case: Case) -> None:
    """A service that says little loses three minutes."""
    container = run(case, deploy(case, "ledger-service", "nlog"), KUBERNETES, per_minute=2)
    faults.outage(case, container, case.start + 10 * MINUTE, case.start + 13 * MINUTE)


def outage_queued(case: Case) -> None:
    """The queue's part is shipped late; what did not fit is lost, beyond the time when Elasticsearch is back."""
    begin = case.start + 11 * MINUTE
    container = run(case, deploy(case, "orders-api", "spring"), KUBERNETES)
    faults.outage(case, container, begin, begin + 5 * MINUTE, kept=0.5, lag_after=20 * SECOND)


def outage_with_levels(case: Case) -> None:
    """Within an outage, what is below the sink's level stays below the level."""
    container = run(case, deploy(case, "orders-api", "serilog_dated"), Shipping(), weights=WITH_DEBUG)
    faults.below_level(case, container, "debug")
    faults.outage(case, container, case.start + 9 * MINUTE, case.start + 12 * MINUTE)


def burst(case: Case) -> None:
    """A storm fills the sink's queue; innocent entries beside the storm are lost as well."""
    container = run(case, deploy(case, "quotes-service", "serilog_ecs"), KUBERNETES)
    _storm(case, container, case.start + 12 * MINUTE, KUBERNETES)


def burst_zap(case: Case) -> None:
    """The same with an appender whose consoles are JSON."""
    container = run(case, deploy(case, "quotes-service", "zap_json"), Shipping())
    _storm(case, container, case.start + 14 * MINUTE, Shipping())


def _storm(case: Case, container: Container, begin: int, shipping: Shipping) -> None:
    existing, container.entries = container.entries, [one for one in container.entries if one.time < begin]
    template = "Could not reach {Service} at {Url}"
    storm = [
        Event(
            begin + n * 6_000_000 + case.rng.randrange(3_000_000),
            "warn",
            "Bank.Bitso.Consumers.WithdrawalConsumer",
            template,
            {slot: value_of(slot, case.rng) for slot in slots(template)},
        )
        for n in range(1500)
    ]
    before = len(container.entries)
    for event in storm:
        log(case, container, event, shipping)
    stormy = container.entries[before:]
    container.entries = sorted([*existing, *stormy], key=lambda one: one.time)
    inside = [one for one in container.entries if stormy[0].time <= one.time <= stormy[-1].time]
    dropped = [
        one for number, one in enumerate(inside) if number > 400 and (700 < number < 800 or case.rng.random() < 0.75)
    ]
    faults.lose(case, dropped, "burst", why="the sink's queue was full")


def refused_proven(case: Case) -> None:
    """The mapping refuses one value of a field; other entries of the template arrive."""
    case.mappings = mapping(
        {
            "fields": {"properties": {"StatusCode": {"type": "long"}, "User": {"type": "keyword"}}},
            "message": {"type": "text"},
        }
    )
    container = run(case, deploy(case, "orders-api", "serilog"), Shipping(), templates=12)
    _planted(case, container, "Unexpected status {StatusCode} from {Service}", "warn", 40, Shipping())
    faults.refuse(
        case, container, "Unexpected status {StatusCode} from {Service}", "StatusCode", "N/A", share=0.3, proven=True
    )


def refused_json(case: Case) -> None:
    """The same where the console shows the field itself."""
    case.mappings = mapping({"Amount": {"type": "float"}, "message": {"type": "text"}})
    container = run(case, deploy(case, "quotes-api", "pino"), Shipping(), templates=12)
    _planted(case, container, "Order {OrderId} priced at {Amount}", "info", 40, Shipping())
    faults.refuse(case, container, "Order {OrderId} priced at {Amount}", "Amount", "unbounded", share=0.4, proven=True)


def refused_slog(case: Case) -> None:
    """The same with key=value text."""
    case.mappings = mapping({"elapsed": {"type": "double"}, "msg": {"type": "text"}})
    container = run(case, deploy(case, "quotes-api", "slog_text"), Shipping(), templates=12)
    _planted(case, container, "Settled batch {Batch} after {Elapsed}", "info", 40, Shipping())
    faults.refuse(case, container, "Settled batch {Batch} after {Elapsed}", "Elapsed", "12s", share=0.4, proven=True)


def refused_unproven(case: Case) -> None:
    """No mapping was captured; one template is wholly missing among delivered ones."""
    container = run(case, deploy(case, "orders-api", "logback"), Shipping(), templates=12)
    _planted(case, container, "Counterparty {Client} limit {Amount} exceeded", "warn", 30, Shipping())
    for entry in faults.refuse(
        case, container, "Counterparty {Client} limit {Amount} exceeded", "Amount", "n/a", share=1.0, proven=True
    ):
        entry.causes = {"never_arrives"}


def _planted(case: Case, container: Container, template: str, level: str, count: int, shipping: Shipping) -> None:
    """So many more entries of one template, spread over the container's life."""
    first, last = container.entries[10].time, container.entries[-10].time
    existing, container.entries = container.entries, []
    for time in sorted(case.rng.randrange(first, last) for _ in range(count)):
        log(
            case,
            container,
            Event(
                time,
                level,
                "Shop.Orders.OrderService",
                template,
                {slot: value_of(slot, case.rng) for slot in slots(template)},
            ),
            shipping,
        )
    container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)


def mapping(properties: dict[str, object]) -> dict[str, object]:
    """``GET <index>/_mapping`` with these properties beside the usual ones."""
    usual = {"@timestamp": {"type": "date"}, "podName": {"type": "keyword"}, "level": {"type": "keyword"}}
    return {"shop-logs-2026.11.20": {"mappings": {"properties": {**usual, **properties}}}}


def below_level(case: Case) -> None:
    """DEBUG goes to the console only, in every pod of the workload."""
    for format_name in ("serilog", "spring"):
        for _ in range(2):
            container = run(case, deploy(case, f"api-{format_name}", format_name), Shipping(), weights=WITH_DEBUG)
            faults.below_level(case, container, "debug")
            faults.lose_at_random(case, container, 0.02)


def too_long(case: Case) -> None:
    """Messages beyond what Lucene takes as a term are lost whole; shorter ones of the template arrive."""
    container = run(case, deploy(case, "orders-service", "python_json"), Shipping(), per_minute=12)
    _planted(case, container, "Customer note: {Note}", "info", 30, Shipping())
    chosen = [
        one for one in faults.shipped(container)[10:-10] if one.event and one.event.template == "Customer note: {Note}"
    ][::4]
    for entry in chosen:
        assert entry.event is not None
        entry.event.properties = {"Note": " ".join(case.rng.choices(("lorem", "ipsum", "dolor", "sit"), k=9000))}
        entry.text = container.format.console(entry.event)
    faults.lose(case, chosen, "too_long", why="longer than 32766 bytes")


def pod_absent(case: Case) -> None:
    """One of three pods of a workload has no document at all."""
    for number in range(3):
        container = run(case, deploy(case, "orders-service", "spring"), KUBERNETES)
        if number == 1:
            faults.lose(
                case, container.entries, "pod_absent", why="no document of this pod, while its siblings have some"
            )


def cron_pod_absent(case: Case) -> None:
    """A CronJob's short pods; two of five never reached Elasticsearch."""
    for number in range(5):
        container = deploy(case, "purge-jobs", "python_stdlib", kind="Job")
        container.started += number * 4 * MINUTE
        run(case, container, KUBERNETES, minutes=1.5, per_minute=60)
        container.finished = (container.entries[-1].time // SECOND + 1) * SECOND
        if number in (1, 3):
            faults.lose(case, container.entries, "pod_absent", why="a short pod that never reached Elasticsearch")


def heartbeats(case: Case) -> None:
    """Equal heartbeats among little else: single ones are lost, and a neighbour of a lost one was delivered twice."""
    container = run(case, deploy(case, "consumer", "serilog"), Shipping(), per_minute=3, heartbeat_seconds=5)
    beats = [
        one
        for one in faults.shipped(container)[20:-20]
        if one.event and not one.event.properties and one.event.template.startswith("Heart")
    ]
    faults.lose(case, beats[10:200:25], "unexplained", why="one heartbeat lost")
    faults.duplicate(case, [beats[11], beats[61]])


def repeated(case: Case) -> None:
    """Runs of equal lines within a second: how many are missing is certain, which ones is not."""
    container = run(case, deploy(case, "consumer", "python_basic"), Shipping(), per_minute=10)
    for begin in (4, 9, 15):
        time = case.start + begin * MINUTE
        existing, container.entries = container.entries, []
        equal = Event(time, "warn", "Shop.Retry", "retrying in place", {})
        for n in range(12):
            log(case, container, replace(equal, time=time + n * 60_000_000), Shipping())
        lost = case.rng.sample(container.entries, 3)
        container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)
        faults.lose(case, lost, "unexplained", why="three of twelve equal lines")


def sink_died(case: Case) -> None:
    """The sink fails for good: nothing after a time, while the process goes on."""
    container = run(case, deploy(case, "orders-service", "spring"), Shipping())
    faults.outage(case, container, case.start + 17 * MINUTE, case.end)
    run(case, deploy(case, "orders-service", "spring"), Shipping())


def outage_at_start(case: Case) -> None:
    """The sink connects three minutes after the process began."""
    container = run(case, deploy(case, "orders-service", "serilog"), Shipping())
    for entry in faults.outage(case, container, case.start, container.started + 3 * MINUTE):
        entry.causes = {"shipping_outage", "before_logger"}


def level_of_one(case: Case) -> None:
    """One service ships DEBUG, its neighbour does not; and a single lost FATAL is not below any level."""
    run(case, deploy(case, "quotes-api", "serilog"), Shipping(), weights=WITH_DEBUG)
    container = run(case, deploy(case, "orders-api", "serilog"), Shipping(), weights=WITH_DEBUG)
    faults.below_level(case, container, "debug")
    _planted(case, container, "Host terminated unexpectedly: {Note}", "fatal", 1, Shipping())
    fatal = [one for one in container.entries if one.event and one.event.level == "fatal"]
    faults.lose(case, fatal, "unexplained", "never_arrives", why="the only FATAL, lost; lower levels arrive")


def lost_after_rotation(case: Case) -> None:
    """The first lines that can still be read were lost; they are not the instance's first."""
    container = run(case, deploy(case, "orders-service", "spring"), Shipping())
    container.started -= 60 * MINUTE
    faults.rotate_away(case, container, case.start + 10 * MINUTE)
    first = next(n for n, one in enumerate(container.entries) if one.time == container.readable_from)
    faults.lose(
        case,
        container.entries[first : first + 2],
        "unexplained",
        "rotation_edge",
        why="lost, and first of what is left",
    )


CASES = {
    make.__name__: make
    for make in (
        outage_dropped,
        outage_quiet,
        outage_queued,
        outage_with_levels,
        burst,
        burst_zap,
        refused_proven,
        refused_json,
        refused_slog,
        refused_unproven,
        below_level,
        too_long,
        pod_absent,
        cron_pod_absent,
        heartbeats,
        repeated,
        sink_died,
        outage_at_start,
        level_of_one,
        lost_after_rotation,
    )
}
