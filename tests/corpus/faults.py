"""What takes documents away or changes them, one function a fault; each one writes the truth as it acts."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Callable, Iterable

from .model import HOUR, SECOND, Case, Container, Document, Entry, JsonObject, rfc3339
from .services import Shipping, identifier, put

EDGE = 10


def shipped(container: Container) -> list[Entry]:
    """The entries that have a document, in time order."""
    return [entry for entry in container.entries if entry.document is not None]


def lose(case: Case, entries: Iterable[Entry], *causes: str, why: str) -> list[Entry]:
    """Take the entries' documents away."""
    taken = [entry for entry in entries if entry.document is not None]
    for entry in taken:
        case.drop(entry.document)
        entry.lost(*causes, why=why)
    return taken


def lose_at_random(case: Case, container: Container, share: float) -> list[Entry]:
    """Single documents well inside a container's life, of templates and levels that are delivered elsewhere."""
    candidates = shipped(container)[EDGE:-EDGE]
    templates = Counter(entry.event.template for entry in candidates if entry.event)
    levels = Counter(entry.event.level for entry in candidates if entry.event)
    case.rng.shuffle(candidates)
    wanted, taken = max(1, round(len(candidates) * share)), []
    for entry in candidates:
        event = entry.event
        assert event is not None
        if len(taken) == wanted:
            break
        if templates[event.template] < 4 or levels[event.level] < 6:
            continue
        templates[event.template] -= 1
        levels[event.level] -= 1
        taken.append(entry)
    return lose(case, taken, "unexplained", why="lost at random")


def outage(
    case: Case, container: Container, begin: int, end: int, *, kept: float = 0.0, lag_after: int = 0
) -> list[Entry]:
    """Everything between two times is lost; a kept share was queued and is shipped late, first in first out."""
    inside = [entry for entry in shipped(container) if begin <= entry.time < end]
    queued = inside[: round(len(inside) * kept)]
    for number, entry in enumerate(queued):
        late(entry, end - entry.time + lag_after + number * 20_000_000, why="queued while Elasticsearch was away")
    return lose(case, inside[len(queued) :], "shipping_outage", why="Elasticsearch was away")


def late(entry: Entry, by: int, *, why: str) -> None:
    """The document arrived, but long after the usual lag."""
    assert entry.document is not None
    put(
        entry.document.source,
        "event.ingested",
        rfc3339(entry.document.time + by),
        dotted="event.ingested" in entry.document.source,
    )
    entry.told("late", why=why)


def refuse(
    case: Case,
    container: Container,
    template: str,
    field: str,
    value: object,
    *,
    share: float,
    proven: bool,
    accept: tuple[str, ...] = (),
) -> list[Entry]:
    """The mapping refuses a value of a field: entries of a template carry it at a share and never arrive."""
    chosen = []
    for entry in shipped(container):
        event = entry.event
        if event is None or event.template != template or case.rng.random() >= share:
            continue
        event.properties = {**event.properties, field: value}
        entry.text = container.format.console(event)
        chosen.append(entry)
    causes = ("never_arrives",) if proven else ("never_arrives", "unexplained")
    return lose(case, chosen, *causes, *accept, why=f"the mapping refuses {field}={value!r}")


def below_level(case: Case, container: Container, level: str) -> list[Entry]:
    """The sink's minimum level keeps a level from being shipped at all."""
    chosen = [entry for entry in container.entries if entry.event and entry.event.level == level]
    return lose(case, chosen, "below_level", why=f"{level} is below the sink's minimum level")


def crash_tail(case: Case, container: Container, count: int, *, exit_code: int, reason: str) -> list[Entry]:
    """The process ends with its last entries unflushed."""
    container.exit_code, container.reason = exit_code, reason
    container.finished = container.finished or math.ceil((container.entries[-1].time + 400_000_000) / SECOND) * SECOND
    return lose(
        case, container.entries[-count:], "died_before_flush", why=f"unflushed at the end ({reason} {exit_code})"
    )


def without_pod_field(container: Container, shipping: Shipping, choose: Callable[[Entry], bool]) -> list[Entry]:
    """Documents that are there but carry no Kubernetes fields at all."""
    chosen = [entry for entry in shipped(container) if choose(entry)]
    for entry in chosen:
        assert entry.document is not None
        source = entry.document.source
        for path in (shipping.pod_field, shipping.namespace_field, shipping.container_field, shipping.image_field):
            if path:
                _forget(source, path)
        entry.told("without_pod_name", why="the document has no pod field")
    return chosen


def _forget(source: JsonObject, path: str) -> None:
    if source.pop(path, None) is not None:
        return
    if path.startswith("resource.attributes."):
        source["resource"]["attributes"].pop(path.removeprefix("resource.attributes."), None)
        return
    *parents, last = path.split(".")
    for parent in parents:
        if not isinstance(source.get(parent), dict):
            return
        source = source[parent]
    source.pop(last, None)


def shift(entries: Iterable[Entry], hours: float, *, why: str) -> None:
    """The documents' times were read in another zone."""
    for entry in entries:
        document = entry.document
        assert document is not None
        document.time += round(hours * HOUR)
        document.source["@timestamp"] = rfc3339(document.time, 3)
        entry.told("at_other_time", why=why)


def truncate(entries: Iterable[Entry], length: Callable[[int], int], field: str = "message") -> list[Entry]:
    """An appender cuts messages at an odd length; a message that is short enough stays whole."""
    cut = []
    for entry in entries:
        assert entry.document is not None
        message = entry.document.source.get(field)
        if not isinstance(message, str):
            continue
        kept = message[: length(len(message))]
        if kept.rstrip() != message.rstrip():
            entry.document.source[field] = kept
            visible = bool(message[len(kept) :].strip(" \t\"'"))
            entry.told(
                "truncated", *(() if visible else ("matched",)), why=f"{field} cut at {len(kept)} of {len(message)}"
            )
            cut.append(entry)
    return cut


def duplicate(case: Case, entries: Iterable[Entry], copies: int = 1) -> list[Document]:
    """A retry delivered a document again under another _id."""
    made = []
    for entry in entries:
        assert entry.document is not None
        for _ in range(copies):
            original = entry.document
            twin = Document(
                copy.deepcopy(original.source),
                original.index,
                identifier(case),
                original.time,
                original.container,
                {"duplicate"},
                "delivered twice by a retry",
            )
            case.documents.append(twin)
            made.append(twin)
    return made


def to_failure_store(case: Case, entries: Iterable[Entry], field: str, field_type: str, value: object) -> None:
    """The documents are in the data stream's failure store, in the form that its documentation gives."""
    for entry in entries:
        document = entry.document
        assert document is not None
        failed_at = document.time + 2 * SECOND
        document.source = {
            "@timestamp": rfc3339(failed_at, 3),
            "document": {"id": document.identifier, "index": "logs-shop-prod", "source": document.source},
            "error": {
                "type": "document_parsing_exception",
                "message": f"[1:120] failed to parse field [{field}] of type [{field_type}] in document with id '{document.identifier}'. "
                f"Preview of field's value: '{value}'",
                "stack_trace": "o.e.i.m.DocumentParsingException: [1:120] failed to parse field\n\tat o.e.i.m.FieldMapper.rethrowAsDocumentParsingException",
            },
        }
        document.index = ".fs-logs-shop-prod-2026.11.20-000002"
        document.identifier = identifier(case)
        entry.told("rejected", why=f"in the failure store: {field} of type {field_type}")


def rotate_away(case: Case, container: Container, time: int) -> None:
    """The console before a time can no longer be read."""
    container.readable_from = next((entry.time for entry in container.entries if entry.time >= time), time)


def unknown(entries: Iterable[Entry], *, why: str, also: tuple[str, ...] = ()) -> None:
    """Nobody can know: one of the sides was not read there."""
    for entry in entries:
        entry.told("unknown", *also, why=why)
