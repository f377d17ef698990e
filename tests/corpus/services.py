"""Services that run in pods and log at a realistic pace, to their console and to Elasticsearch alike."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .formats import FORMATS
from .model import MINUTE, SECOND, Case, Container, Document, Entry, Event, JsonObject, Pod, rfc3339
from .traces import BANNERS, EXCEPTIONS
from .vocabulary import LOGGERS, TEMPLATES, invent_templates, slots, value_of

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
LEVELS = ("info", "warn", "error", "debug")
WEIGHTS = (0.86, 0.09, 0.05, 0.0)


@dataclass(frozen=True, slots=True)
class Shipping:
    """What a service's appender adds to each document, and how long documents take to arrive."""

    pod_field: str = "podName"
    dotted: bool = False
    namespace_field: str | None = None
    container_field: str | None = None
    image_field: str | None = None
    ingested: bool = False
    lag_seconds: float = 2.0
    index: str = "shop-logs-2026.11.20"
    timestamp_digits: int | None = None
    skew: int = 0
    extra: JsonObject = field(default_factory=dict)


KUBERNETES = Shipping(
    "kubernetes.pod.name",
    namespace_field="kubernetes.namespace",
    container_field="kubernetes.container.name",
    ingested=True,
)
FLAT = Shipping(
    "kubernetes.pod_name", namespace_field="kubernetes.namespace_name", container_field="kubernetes.container_name"
)
FIELDS = Shipping("fields.podName")
OTEL = Shipping(
    "resource.attributes.k8s.pod.name", namespace_field="resource.attributes.k8s.namespace.name", ingested=True
)
DOTTED = replace(KUBERNETES, dotted=True)


def put(document: JsonObject, path: str, value: Any, *, dotted: bool = False) -> None:
    """Set a field, nested or under its dotted name; ``resource.attributes.`` keeps dotted keys inside, as OpenTelemetry does."""
    if dotted:
        document[path] = value
        return
    if path.startswith("resource.attributes."):
        document.setdefault("resource", {}).setdefault("attributes", {})[path.removeprefix("resource.attributes.")] = (
            value
        )
        return
    *parents, last = path.split(".")
    if isinstance(document.get(parents[0] if parents else "", {}), str):
        document[path] = value
        return
    for parent in parents:
        document = document.setdefault(parent, {})
    document[last] = value


def deploy(
    case: Case,
    workload: str,
    format_name: str,
    *,
    namespace: str = "shop",
    kind: str = "Deployment",
    container: str = "app",
) -> Container:
    """A pod of a workload with one container, named as Kubernetes would name it."""
    rng = case.rng

    def tail(length: int) -> str:
        return "".join(rng.choices(SUFFIX, k=length))

    names = {
        "Deployment": f"{workload}-{tail(10)}-{tail(5)}",
        "StatefulSet": f"{workload}-{sum(pod.workload == workload for pod in case.pods)}",
        "Job": f"{workload}-{rng.randrange(29_000_000, 29_999_999)}-{tail(5)}",
    }
    siblings = [
        pod for pod in case.pods if pod.workload == workload and pod.namespace == namespace and kind == "Deployment"
    ]
    name = f"{siblings[0].name.rpartition('-')[0]}-{tail(5)}" if siblings else names[kind]
    pod = Pod(namespace, name, workload, kind, node=f"aks-apps-31415926-vmss00000{rng.randrange(3)}")
    case.pods.append(pod)
    return pod.add(Container(container, FORMATS[format_name], started=case.start + 20 * SECOND))


def happens(
    case: Case,
    *,
    begin: int,
    end: int,
    per_minute: float,
    templates: int = 24,
    exceptions: float = 0.03,
    heartbeat_seconds: float | None = 10,
    weights: Sequence[float] = WEIGHTS,
    language: str,
) -> list[Event]:
    """Events of a service between two times: many templates, equal heartbeats, and now and then a run of equal lines."""
    rng = case.rng
    known = {
        level: list(rng.sample(texts, min(len(texts), max(2, templates // 3)))) for level, texts in TEMPLATES.items()
    }
    known["info"] += invent_templates(rng, max(0, templates - sum(map(len, known.values()))))
    events: list[Event] = []
    now = begin + rng.randrange(SECOND)
    while now < end:
        level = rng.choices(LEVELS, weights)[0]
        template = rng.choice(known[level])
        event = Event(
            now, level, rng.choice(LOGGERS), template, {slot: value_of(slot, rng) for slot in slots(template)}
        )
        event.thread = rng.choice(("main", "http-nio-8080-exec-3", "pool-2-thread-11", "rabbit-consumer-1"))
        if level == "error" and rng.random() < exceptions * 10:
            event.exception = EXCEPTIONS[language](rng)
        events.append(event)
        if rng.random() < 0.004:
            events += [replace(event, time=now + (n + 1) * 37_000_000) for n in range(rng.randrange(3, 12))]
        now += max(150_000, int(rng.expovariate(per_minute / 60) * SECOND))
    if heartbeat_seconds:
        events += _heartbeats(case, begin, end, heartbeat_seconds)
    return sorted(events, key=lambda event: event.time)


def _heartbeats(case: Case, begin: int, end: int, seconds: float) -> Iterator[Event]:
    now = begin + case.rng.randrange(SECOND)
    while now < end:
        yield Event(now, "info", LOGGERS[2], "Heartbeat: consumer alive", {}, thread="timer")
        now += int(seconds * SECOND) + case.rng.randrange(-3_000_000, 3_000_000)


def log(case: Case, container: Container, event: Event, shipping: Shipping | None) -> Entry:
    """One event through both sinks; no shipping means that it goes to the console only."""
    previous = container.entries[-1] if container.entries else None
    delay = 40_000 + int(case.rng.expovariate(1 / 150_000))
    written = event.time - container.clock + delay
    if previous is not None:
        written = max(written, previous.time + (previous.text.count("\n") + 2) * 5_000)
    entry = Entry(written, container.format.console(event), container.format.stream, event, container)
    container.entries.append(entry)
    if shipping is not None:
        entry.document = ship(case, container, event, shipping)
    return entry


def ship(case: Case, container: Container, event: Event, shipping: Shipping) -> Document:
    """The document of an event as it arrives in Elasticsearch."""
    moved = replace(event, time=event.time + shipping.skew)
    source = container.format.document(moved)
    if shipping.timestamp_digits is not None:
        source["@timestamp"] = rfc3339(moved.time, shipping.timestamp_digits)
    source.setdefault("@timestamp", rfc3339(moved.time, 3))
    put(source, shipping.pod_field, container.owner.name, dotted=shipping.dotted)
    for path, value in (
        (shipping.namespace_field, container.owner.namespace),
        (shipping.container_field, container.name),
        (shipping.image_field, image_of(container)),
    ):
        if path:
            put(source, path, value, dotted=shipping.dotted)
    arrived = moved.time + int(case.rng.gammavariate(4, shipping.lag_seconds / 4) * SECOND)
    if shipping.ingested:
        put(source, "event.ingested", rfc3339(arrived, 9), dotted=shipping.dotted)
    source |= shipping.extra
    document = Document(source, shipping.index, identifier(case), moved.time, container, arrived=arrived)
    case.documents.append(document)
    return document


def identifier(case: Case) -> str:
    """An _id as Elasticsearch makes them."""
    return base64.urlsafe_b64encode(case.rng.randbytes(15)).decode()


def image_of(container: Container) -> str:
    """The image reference that a container's pod spec gives."""
    return f"shop.azurecr.io/{container.owner.workload}:1.{len(container.owner.workload)}.0"


def run(
    case: Case,
    container: Container,
    shipping: Shipping | None = Shipping(),
    *,
    minutes: float = 25,
    per_minute: float = 20,
    begin: int | None = None,
    **habits: Any,
) -> Container:
    """Let a container run and log everything to both sinks; what a fault then takes away is the case's doing."""
    begin = container.started + SECOND if begin is None else begin
    end = min(begin + int(minutes * MINUTE), container.finished or 1 << 63)
    for event in happens(
        case, begin=begin, end=end, per_minute=per_minute, language=container.format.language, **habits
    ):
        log(case, container, event, shipping)
    return container


def say(
    case: Case, container: Container, text: str, time: int, *, stream: str = "stdout", causes: tuple[str, ...], why: str
) -> Entry:
    """Text that never goes through a logger, at its place among the console's entries."""
    entry = Entry(time, text, stream, None, container)
    entry.lost(*causes, why=why)
    container.entries.append(entry)
    container.entries.sort(key=lambda one: one.time)
    return entry


def restart(container: Container, *, after: int = 12 * SECOND) -> Container:
    """The next instance of a container whose process has ended."""
    assert container.finished is not None
    return container.owner.add(
        Container(
            container.name,
            container.format,
            container.restart_count + 1,
            container.finished + after,
            clock=container.clock,
        )
    )


def banners(case: Case, container: Container) -> None:
    """What the runtime prints before a logger exists."""
    first = container.entries[0].time if container.entries else container.started + SECOND
    for number, text in enumerate(BANNERS[container.format.language]):
        say(
            case,
            container,
            text,
            first - (5 - number) * 40_000_000,
            causes=("before_logger", "not_logged"),
            why="printed before the logger exists",
        )
