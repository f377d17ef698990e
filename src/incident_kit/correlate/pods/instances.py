"""Container instances: every run of a container that the status or its events tell of, also of pods that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.frames import instant, plain, records, rows
from incident_kit.correlate.pods.gone import PULLED_IMAGE
from incident_kit.tables import Row
from incident_kit.tables.kubernetes import CONTAINERS, EVENTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_EVICTIONS = ("Evicted", "TaintManagerEviction", "Preempted", "Preempting")
_ENDS = ("Killing", *_EVICTIONS)
#: What the kubelet says when the pod's spec got another image for the container.
_REDEFINED = "definition changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerInstance:
    """One run of one container of one pod, identified by ``pod_uid``, ``container`` and ``restart_count``.

    Its attributes are the columns of CONTAINERS, which says what each means. Times are nanoseconds in UTC; what nobody
    told is None: all but names and numbers, for a restart that is known only by count.
    """

    cluster: str | None
    namespace: str | None
    pod: str
    pod_uid: str | None
    container: str
    container_type: str | None = None
    restart_count: int
    container_id: str | None = None
    image: str | None = None
    image_digest: str | None = None
    state: str | None = None
    started_at: int | None = None
    finished_at: int | None = None
    reason: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    message: str | None = None
    waiting_reason: str | None = None
    waiting_message: str | None = None
    observed: bool
    source: str

    def row(self) -> Row:
        """The row of CONTAINERS."""
        return {column.name: getattr(self, column.name) for column in fields(self)}


def container_instances(evidence: Evidence) -> list[ContainerInstance]:
    """Every known instance; first starts are filled in from events where the status forgot them."""

    def build() -> list[ContainerInstance]:
        captured = [ContainerInstance(**row) for row in rows(evidence.table(CONTAINERS))]
        known = {instance.pod_uid for instance in captured}
        told = _with_pulled_images(_with_first_starts(captured, evidence), evidence)
        return [*told, *_from_events(evidence, known)]

    return evidence.memo("container instances", build)


def _with_first_starts(captured: list[ContainerInstance], evidence: Evidence) -> list[ContainerInstance]:
    """The first instance's start, where the aggregated ``Started`` event counted every start."""
    starts: dict[tuple[str | None, str], int] = {}
    first: dict[tuple[str | None, str], int] = {}
    for place, instance in enumerate(captured):
        key = (instance.pod_uid, instance.container)
        starts[key] = max(starts.get(key, 0), instance.restart_count + 1)
        if instance.restart_count == 0:
            first[key] = place
    found = list(captured)
    for event in records(evidence.table(EVENTS)):
        key = (plain(event["uid"]), plain(event["container"]))
        if event["reason"] != "Started" or key not in first or found[first[key]].started_at is not None:
            continue
        if plain(event["count"]) == starts[key]:
            known = found[first[key]]
            found[first[key]] = replace(
                known, started_at=instant(event["first_at"]), source=f"{known.source}+event", observed=False
            )
    return found


@dataclass(slots=True)
class _Pulls:
    """Events of one container: images pulled, or already there, as (first, last time, image); changes of its definition."""

    images: list[tuple[int, int, str]] = field(default_factory=list)
    redefined: list[int] = field(default_factory=list)

    def image_at(self, start: int) -> str | None:
        """The image that the instance started with; the kubelet tells of it just before."""
        known = [(min(last, start + SECOND), image) for first, last, image in self.images if first <= start + SECOND]
        return max(known)[1] if known else None


def _with_pulled_images(captured: list[ContainerInstance], evidence: Evidence) -> list[ContainerInstance]:
    """Images of earlier instances, which the status does not remember, where the spec's image was changed in place."""
    pulls: dict[tuple[str | None, str | None], _Pulls] = {}
    for event in rows(evidence.table(EVENTS)):
        told = pulls.setdefault((event["uid"], event["container"]), _Pulls())
        first, last, message = event["first_at"], event["last_at"], str(event["message"] or "")
        if event["reason"] == "Pulled" and first is not None and (pulled := PULLED_IMAGE.search(message)):
            told.images.append((first, last or first, pulled["image"]))
        elif event["reason"] == "Killing" and _REDEFINED in message and last is not None:
            told.redefined.append(last)
    found = []
    for instance in captured:
        told = pulls.get((instance.pod_uid, instance.container), _Pulls())
        start = instance.started_at
        if start is None or instance.observed or not (told.redefined or len({i for *_, i in told.images}) > 1):
            found.append(instance)
            continue
        image = told.image_at(start)
        if image is None and not any(moment >= start for moment in told.redefined):
            image = instance.image
        digest = instance.image_digest if image == instance.image else None
        found.append(replace(instance, image=image, image_digest=digest, source=f"{instance.source}+event"))
    return found


def _from_events(evidence: Evidence, known: set[str | None]) -> Iterator[ContainerInstance]:
    """Instances of pods that are gone, as far as their ``Started`` events tell: starts, never how they ended."""
    told = _told_of_gone(evidence, known)
    for (uid, container), events in told.starts.items():
        started = [
            ContainerInstance(
                cluster=evidence.cluster,
                namespace=plain(events[0]["namespace"]),
                pod=plain(events[0]["name"]),
                pod_uid=uid,
                container=container,
                restart_count=number,
                started_at=time,
                image=told.images.get((uid, container)),
                observed=False,
                source="event Started",
            )
            for number, time in enumerate(_start_times(events))
        ]
        yield from started[:-1]
        yield _ended(started[-1], told.ends.get(uid))


@dataclass(slots=True)
class _Told:
    """Events of pods that are gone.

    Attributes:
        starts: ``Started`` of each uid and container.
        ends: the one of each uid that ended it; the kubelet's ``Evicted`` says why, the ``Killing`` beside it only that.
        images: as pulled, of each uid and container.
    """

    starts: dict[tuple[Any, Any], list[Row]] = field(default_factory=dict)
    ends: dict[Any, Row] = field(default_factory=dict)
    images: dict[tuple[Any, Any], str] = field(default_factory=dict)


def _told_of_gone(evidence: Evidence, known: set[str | None]) -> _Told:
    told = _Told()
    for event in records(evidence.table(EVENTS)):
        uid, container = plain(event["uid"]), plain(event["container"])
        if event["reason"] == "Pulled":
            if pulled := PULLED_IMAGE.search(plain(event["message"]) or ""):
                told.images[uid, container] = pulled["image"]
        elif event["kind"] != "Pod" or uid is None or uid in known:
            continue
        elif event["reason"] == "Started" and container:
            told.starts.setdefault((uid, container), []).append(event)
        elif event["reason"] in _ENDS and (uid not in told.ends or told.ends[uid]["reason"] == "Killing"):
            told.ends[uid] = event
    return told


def _start_times(events: list[Row]) -> list[int | None]:
    """When the instances of one container started; one event of many counted starts has the first and the last time."""
    times: list[int | None] = []
    for event in sorted(events, key=lambda e: instant(e["first_at"]) or 0):
        count, first, last = int(plain(event["count"]) or 1), instant(event["first_at"]), instant(event["last_at"])
        times += [first] if count == 1 else [first, *[None] * (count - 2), last]
    return times


def _ended(last: ContainerInstance, event: Row | None) -> ContainerInstance:
    """The last instance of a gone pod, which ended with the pod unless it was started after that event."""
    time = instant(event["last_at"]) if event is not None else None
    if event is None or time is None or (last.started_at is not None and last.started_at > time):
        return last
    reason = plain(event["reason"])
    return replace(
        last,
        state="terminated",
        finished_at=time,
        source=f"event {reason}",
        message=plain(event["message"]),
        reason="Evicted" if reason in _EVICTIONS else None,
    )
