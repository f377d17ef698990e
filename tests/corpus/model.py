"""What a case is made of: events that an application logged, their two spellings, and the truth about each."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

JsonObject = dict[str, Any]


def rfc3339(time_ns: int, digits: int = 9, zone: str = "Z") -> str:
    """The instant as RFC 3339 text with so many digits of fraction, in UTC but spelt with the given zone."""
    seconds, nanoseconds = divmod(time_ns, SECOND)
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    fraction = f".{nanoseconds:09d}"[: digits + 1] if digits else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"


def local(time_ns: int, pattern: str, digits: int, hours: float = 0.0) -> str:
    """The instant through strftime at an offset of hours; ``%f`` becomes so many digits, truncated as loggers do."""
    shifted = time_ns + round(hours * HOUR)
    seconds, nanoseconds = divmod(shifted, SECOND)
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return moment.strftime(pattern.replace("%f", f"{nanoseconds:09d}"[:digits]))


def at(text: str) -> int:
    """An RFC 3339 instant of whole seconds in UTC as nanoseconds since the epoch."""
    return int(dt.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) * SECOND


@dataclass(slots=True)
class Event:
    """One call of a logger: what the application meant, before any format spells it."""

    time: int
    level: str
    logger: str
    template: str
    properties: JsonObject
    exception: list[str] | None = None
    thread: str = "main"
    kind: str = "log"


@dataclass(frozen=True, slots=True)
class Format:
    """How one logging set-up writes an event to the console and as the document it ships.

    ``language`` chooses the grammar of exceptions, banners and last words.
    """

    name: str
    language: str
    console: Callable[[Event], str]
    document: Callable[[Event], JsonObject]
    stream: str = "stdout"


@dataclass(slots=True, eq=False)
class Entry:
    """One entry on a console, with the verdicts and causes that the specification allows for it.

    ``parts`` are documents of its rest, where a shipper did not join it. ``pauses`` gives nanoseconds to wait before the line of that number, so that another stream's line falls in between.
    """

    time: int
    text: str
    stream: str
    event: Event | None
    container: Container
    document: Document | None = None
    parts: list[Document] = field(default_factory=list)
    verdicts: set[str] = field(default_factory=lambda: {"matched"})
    causes: set[str | None] = field(default_factory=lambda: {None})
    why: str = ""
    judged: bool = True
    pauses: dict[int, int] = field(default_factory=dict)

    def lost(self, *causes: str | None, why: str = "") -> None:
        """Say that no document of this entry exists, and why."""
        self.document = None
        self.verdicts, self.causes, self.why = {"console_only"}, set(causes), why

    def told(self, *verdicts: str, why: str = "") -> None:
        """Say that the entry has another fate than loss, which carries no cause."""
        self.verdicts, self.causes, self.why = set(verdicts), {None}, why


@dataclass(slots=True, eq=False)
class Document:
    """One document in Elasticsearch; ``verdicts`` is empty as long as it belongs to an entry."""

    source: JsonObject
    index: str
    identifier: str
    time: int
    container: Container
    verdicts: set[str] = field(default_factory=set)
    why: str = ""
    arrived: int | None = None


@dataclass(slots=True, eq=False)
class Container:
    """One container instance: its console entries in time order and how its pod sees its state.

    ``clock`` is how far the process's clock is ahead of the kubelet's; ``unreadable`` is what its console file holds instead of a log.
    """

    name: str
    format: Format
    restart_count: int = 0
    started: int = 0
    finished: int | None = None
    exit_code: int = 0
    reason: str = ""
    entries: list[Entry] = field(default_factory=list)
    pod: Pod | None = None
    readable_from: int | None = None
    unreadable: str | None = None
    clock: int = 0

    @property
    def owner(self) -> Pod:
        """The pod, which is set once the container is added to one."""
        assert self.pod is not None
        return self.pod


@dataclass(slots=True, eq=False)
class Pod:
    """One pod with its container instances, oldest first."""

    namespace: str
    name: str
    workload: str
    kind: str = "Deployment"
    node: str = "aks-apps-31415926-vmss000001"
    containers: list[Container] = field(default_factory=list)
    listed: bool = True

    def add(self, container: Container) -> Container:
        """Take a container instance into the pod."""
        container.pod = self
        self.containers.append(container)
        return container


@dataclass(slots=True)
class Case:
    """One incident folder to be: pods, documents, and what the folder says about how it was collected."""

    name: str
    start: int
    end: int
    rng: random.Random
    pods: list[Pod] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    captured_at: int | None = None
    query: JsonObject | None = None
    mappings: JsonObject | None = None
    total: JsonObject | None = None
    shards_failed: int = 0
    console_layout: str = "kubectl"
    console_zone: str = "Z"
    rotate_every: int | None = None
    compressed: bool = False
    with_elasticsearch: bool = True
    with_pods_json: bool = True
    elasticsearch_files: int = 1
    torn: bool = False
    profile: str | None = None
    notes: str = ""

    def entries(self) -> Iterator[Entry]:
        """Every entry of every container instance."""
        for container in self.containers():
            yield from container.entries

    def containers(self) -> Iterator[Container]:
        """Every container instance of every pod."""
        for pod in self.pods:
            yield from pod.containers

    def drop(self, document: Document | None) -> None:
        """Take a document out of Elasticsearch, if there was one."""
        if document is not None:
            self.documents.remove(document)
