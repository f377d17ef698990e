"""A second round, made once the first was answered well: little evidence, mixed consoles, and mappings of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from . import faults
from .cases_losses import mapping
from .heldout.formats import FORMATS as HELD_OUT
from .model import MINUTE, SECOND, Case, Container, Event, JsonObject, rfc3339
from .services import KUBERNETES, Shipping, deploy, log, put, restart, run, say
from .vocabulary import slots, value_of

SPRING_BANNER = """  .   ____          _            __ _ _
 /\\\\ / ___'_ __ _ _(_)_ __  __ _ \\ \\ \\ \\
( ( )\\___ | '_ | '_| | '_ \\/ _` | \\ \\ \\ \\"""


def house_format(case: Case, name: str, *, workload: str = "orders-service") -> Container:
    """A container that logs in a format of the house's own."""
    container = deploy(case, workload, "python_stdlib")
    container.format = HELD_OUT[name]
    return container


def tiny(case: Case) -> None:
    """Three short Jobs in a house format, a dozen entries each; one is lost in each."""
    for name in ("pipes", "thread_first", "ruby"):
        container = run(
            case,
            house_format(case, name, workload=f"jobs-{name.replace('_', '-')}"),
            Shipping(),
            minutes=0.6,
            per_minute=20,
            heartbeat_seconds=None,
        )
        faults.lose(
            case,
            [faults.shipped(container)[len(container.entries) // 2]],
            "unexplained",
            "never_arrives",
            why="one of a dozen",
        )


def mostly_lost(case: Case) -> None:
    """A house format learnt from the third that arrived: the sink was away most of the time."""
    container = run(case, house_format(case, "pipes"), Shipping())
    faults.outage(case, container, case.start + 7 * MINUTE, case.start + 24 * MINUTE)


def sampled(case: Case) -> None:
    """The sink drops three in ten at random, all the time: runs of losses are chance, not an outage."""
    container = run(case, deploy(case, "quotes-api", "zap_json"), Shipping(), per_minute=40, templates=12)
    faults.lose_at_random(case, container, 0.3)


def template_only(case: Case) -> None:
    """Documents that carry the template and its values, but no rendered message."""
    container = run(case, deploy(case, "orders-service", "serilog_dated"), Shipping())
    for document in case.documents:
        document.source.pop("message")
    faults.lose_at_random(case, container, 0.03)


def times_with_offsets(case: Case) -> None:
    """Documents' times with an offset, or as numbers since the epoch: the same instants."""
    for kind, name in (("offset", "logback"), ("epoch", "winston")):
        container = run(case, deploy(case, f"svc-{kind}", name), Shipping())
        for entry in container.entries:
            assert entry.document is not None
            time = entry.document.time
            entry.document.source["@timestamp"] = (
                rfc3339(time + 2 * 60 * MINUTE, 3, "+02:00") if kind == "offset" else time // 1_000_000
            )
        faults.lose_at_random(case, container, 0.03)


def nobody_has_a_pod_field(case: Case) -> None:
    """No document of the pod carries a pod field; a neighbour's do."""
    container = run(case, deploy(case, "orders-service", "logback"), KUBERNETES)
    faults.without_pod_field(container, KUBERNETES, lambda _: True)
    run(case, deploy(case, "orders-service", "logback"), KUBERNETES)


def two_spellings(case: Case) -> None:
    """A migration half way: podName until then, kubernetes.pod.name afterwards; messages end in a line break."""
    container = deploy(case, "orders-service", "python_stdlib")
    run(case, container, Shipping(), minutes=12)
    run(case, container, KUBERNETES, minutes=10, begin=container.entries[-1].time + SECOND)
    for document in case.documents:
        document.source["message"] += "\n"
    faults.lose_at_random(case, container, 0.03)


def access_lines(case: Case) -> None:
    """Between the application's entries the server prints its access log, which no logger ships."""
    container = run(case, deploy(case, "orders-api", "python_json"), Shipping())
    end = container.entries[-1].time
    time = container.entries[0].time + 30 * SECOND
    while time < end:
        text = f'INFO:     10.244.1.{case.rng.randrange(2, 200)}:{case.rng.randrange(32000, 60000)} - "GET /health HTTP/1.1" 200 OK'
        say(
            case,
            container,
            text,
            time + case.rng.randrange(SECOND),
            causes=("not_logged", "never_arrives"),
            why="the server's access log",
        )
        time += 10 * SECOND


def spring_banner(case: Case) -> None:
    """Spring's banner before the logger's first line."""
    container = run(case, deploy(case, "orders-api", "spring"), KUBERNETES)
    lines = [
        *SPRING_BANNER.split("\n")[:2],
        " =========|_|==============|___/=/_/_/_/",
        " :: Spring Boot ::                (v3.4.1)",
    ]
    say(
        case,
        container,
        "\n".join(lines),
        container.entries[0].time - 300_000_000,
        causes=("before_logger", "not_logged"),
        why="the banner",
    )


def outage_across_restart(case: Case) -> None:
    """The sink is away while the process restarts."""
    container = run(case, deploy(case, "orders-api", "serilog"), KUBERNETES, minutes=12)
    begin = container.entries[-1].time - 3 * MINUTE
    container.finished, container.exit_code, container.reason = container.entries[-1].time + SECOND, 1, "Error"
    following = run(case, restart(container), KUBERNETES, minutes=10)
    for entry in faults.outage(case, container, begin, begin + 8 * MINUTE)[-5:]:
        entry.causes |= {"died_before_flush"}
    for entry in faults.outage(case, following, begin, begin + 6 * MINUTE)[:5]:
        entry.causes |= {"before_logger"}


def killed_with_a_full_buffer(case: Case) -> None:
    """kill -9 takes the last forty entries with it."""
    container = run(case, deploy(case, "orders-api", "clef"), KUBERNETES, minutes=12, per_minute=120)
    faults.crash_tail(case, container, 40, exit_code=137, reason="Error")
    run(case, restart(container), KUBERNETES, minutes=8)


def _refused(
    field: str, declared: JsonObject, refused: object, accepted: Callable[[Case], object]
) -> Callable[[Case], None]:
    """A field of some type in the mapping; one entry in three carries a value that the type refuses."""

    def make(case: Case) -> None:
        case.mappings = mapping({field: declared, "message": {"type": "text"}})
        container = run(case, deploy(case, "quotes-api", "pino"), Shipping(), templates=10)
        existing, container.entries = container.entries, []
        for n in range(45):
            bad = n % 3 == 1
            event = Event(
                case.start + MINUTE + n * 25 * SECOND,
                "info",
                "Shop.Quotes",
                f"Counterparty checked {{{field}}}",
                {field: refused if bad else accepted(case)},
            )
            entry = log(case, container, event, Shipping())
            if bad:
                faults.lose(
                    case, [entry], "never_arrives", why=f"{field} is {declared.get('type', 'object')}, not {refused!r}"
                )
        container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)

    return make


def ignores_malformed(case: Case) -> None:
    """The mapping ignores malformed values: they arrive, and one that was lost was not refused."""
    case.mappings = mapping(
        {
            "Elapsed": {"type": "long", "ignore_malformed": True},
            "Client": {"type": "keyword", "ignore_above": 256},
            "message": {"type": "text"},
        }
    )
    container = run(case, deploy(case, "quotes-api", "pino"), Shipping(), templates=10)
    existing, container.entries = container.entries, []
    for n in range(40):
        event = Event(
            case.start + MINUTE + n * 25 * SECOND,
            "info",
            "Shop.Quotes",
            "Counterparty checked {Elapsed}",
            {"Elapsed": "n/a"},
        )
        log(case, container, event, Shipping())
    lost = container.entries[6:36:10]
    container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)
    faults.lose(case, lost, "unexplained", why="lost, though the mapping takes the value")


def strict_mapping(case: Case) -> None:
    """The mapping takes no new field; what brings one is refused."""
    container = run(case, deploy(case, "quotes-api", "pino"), Shipping(), templates=10)
    known: JsonObject = {}
    for path in sorted(
        {
            name if not isinstance(value, dict) else f"{name}.{inner}"
            for one in case.documents
            for name, value in one.source.items()
            for inner in (value if isinstance(value, dict) else ("",))
        }
    ):
        put(known, path.replace(".", ".properties."), {"type": "keyword"})
    case.mappings = mapping({**known, "message": {"type": "text"}, "@timestamp": {"type": "date"}})
    case.mappings["shop-logs-2026.11.20"]["mappings"]["dynamic"] = "strict"
    existing, container.entries = container.entries, []
    for n in range(12):
        event = Event(
            case.start + MINUTE + n * 70 * SECOND,
            "info",
            "Shop.Quotes",
            "Cache miss for key {CacheKey}",
            {"CacheKey": f"quote:{n}", "Shard": n},
        )
        entry = log(case, container, event, Shipping())
        faults.lose(case, [entry], "never_arrives", why="dynamic is strict, and Shard is not mapped")
    container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)


def seconds_only(case: Case) -> None:
    """Documents' times are whole seconds and the console has no time: many equal lines within each second."""
    container = run(
        case, deploy(case, "consumer", "python_basic"), replace(Shipping(), timestamp_digits=0), per_minute=60
    )
    existing, container.entries = container.entries, []
    for n in range(300):
        log(
            case,
            container,
            Event(case.start + 5 * MINUTE + n * 190_000_000, "info", "Shop.Poller", "polling", {}),
            replace(Shipping(), timestamp_digits=0),
        )
    lost = case.rng.sample(container.entries[20:-20], 12)
    container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)
    faults.lose(case, lost, "unexplained", why="some of three hundred equal lines")


def quoted_in_house(case: Case) -> None:
    """A house format on the console, Serilog's quoted messages with templates in Elasticsearch."""
    container = deploy(case, "orders-service", "serilog")
    container.format = replace(HELD_OUT["german"], document=container.format.document)
    run(case, container, Shipping())
    faults.lose_at_random(case, container, 0.03)


def storm_of_one_template(case: Case) -> None:
    """A storm that the sink takes whole: a high rate alone loses nothing; single losses elsewhere are no burst."""
    container = run(case, deploy(case, "orders-api", "logback_json"), Shipping())
    existing, container.entries = container.entries, []
    template = "Retry {Attempt} of {Limit} for {Url}"
    for n in range(1200):
        log(
            case,
            container,
            Event(
                case.start + 12 * MINUTE + n * 5_000_000,
                "warn",
                "Shop.Retry",
                template,
                {slot: value_of(slot, case.rng) for slot in slots(template)},
            ),
            Shipping(),
        )
    container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)
    quiet = [
        one
        for one in faults.shipped(container)[10:-10]
        if abs(one.time - case.start - 12 * MINUTE) > 3 * MINUTE
        and one.event
        and one.event.template.startswith("Heart")
    ]
    faults.lose(case, case.rng.sample(quiet, 6), "unexplained", why="lost far from the storm")


CASES = {
    make.__name__: make
    for make in (
        tiny,
        mostly_lost,
        sampled,
        template_only,
        times_with_offsets,
        nobody_has_a_pod_field,
        two_spellings,
        access_lines,
        spring_banner,
        outage_across_restart,
        killed_with_a_full_buffer,
        ignores_malformed,
        strict_mapping,
        seconds_only,
        quoted_in_house,
        storm_of_one_template,
    )
} | {
    "refused_ip": _refused("RemoteIp", {"type": "ip"}, "unknown", lambda case: value_of("RemoteIp", case.rng)),
    "refused_date": _refused("Opened", {"type": "date"}, "yesterday", lambda case: rfc3339(case.start, 3)),
    "refused_boolean": _refused("Enabled", {"type": "boolean"}, "maybe", lambda case: case.rng.random() < 0.5),
    "refused_object": _refused(
        "Owner", {"properties": {"name": {"type": "keyword"}}}, "bob", lambda _: {"name": "bob"}
    ),
    "refused_long": _refused("Count", {"type": "long"}, "12 of 14", lambda case: case.rng.choice((3, "17", 4.5))),
}
