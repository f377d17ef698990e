"""Version clock: when an object was last written, where nobody kept its managedFields.

``kubectl get -o json`` leaves managedFields out. But every write in one store gets the next resourceVersion, and an Event
is written once and carries its time: so the events before and after an object's resourceVersion say between which two
instants it was last written. (Resource versions of one resource type may be compared since Kubernetes 1.35, KEP-5504; that
types share one store's counter is checked here against every object's creation.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from incident_kit.nested import Document, instant
from incident_kit.window import SECOND, format_ns

#: Kinds that nobody writes a status to: their last write was to what they specify, or to their labels.
QUIET_KINDS = frozenset({"ConfigMap", "Secret", "NetworkPolicy", "Service", "Ingress"})
#: Events are stamped in whole seconds and written a little later.
_CLOCK = 3 * SECOND
_FEWEST = 10


@dataclass(frozen=True, kw_only=True)
class VersionClock:
    """Resource versions and the times at which events got them.

    Attributes:
        versions: of events, ascending.
        times: of the same events (ns), never descending.
    """

    versions: tuple[int, ...]
    times: tuple[int, ...]

    def interval(self, version: int) -> tuple[int, int] | None:
        """Between which instants a version was given; None before the first event and after the last."""
        position = bisect_left(self.versions, version)
        if position == 0 or position == len(self.versions):
            return None
        return self.times[position - 1], max(self.times[position], self.times[position - 1])


def version_clock(
    events: Iterable[tuple[int | None, int | None, int | None]], objects: Sequence[Document]
) -> VersionClock | None:
    """The clock of (version, time, count) of events, or None when it cannot be trusted.

    Args:
        events: only those that happened once count; others were written again.
        objects: whose creation no version may contradict.
    """
    points = sorted((v, t) for v, t, count in events if v is not None and t is not None and count in (None, 1))
    if len(points) < _FEWEST:
        return None
    times: list[int] = []
    for _, time in points:
        times.append(max(time, times[-1]) if times else time)
    late = sum(kept - time > _CLOCK for kept, (_, time) in zip(times, points, strict=True))
    clock = VersionClock(versions=tuple(v for v, _ in points), times=tuple(times))
    if late > len(points) // 20 or any(_contradicts(clock, d) for d in objects):
        return None
    return clock


def _contradicts(clock: VersionClock, document: Document) -> bool:
    """Whether an object seems to have been written before it was made."""
    version, made = _version(document), _made(document)
    found = clock.interval(version) if version is not None else None
    return found is not None and made is not None and found[1] + _CLOCK < made


def _version(document: Document) -> int | None:
    text = document.get("metadata", {}).get("resourceVersion")
    return int(text) if isinstance(text, str) and text.isdecimal() else None


def _made(document: Document) -> int | None:
    return instant(document, "metadata", "creationTimestamp")


def with_inferred_write(document: Document, clock: VersionClock) -> Document:
    """The document with an entry of managedFields for its last write, where it has none and the clock tells.

    The entry is marked ``inferred``, names no manager, and its time is the earliest possible.
    """
    metadata, kind = document.get("metadata"), document.get("kind")
    if kind not in QUIET_KINDS or not isinstance(metadata, dict) or metadata.get("managedFields"):
        return document
    version, made = _version(document), _made(document)
    found = clock.interval(version) if version is not None else None
    if found is None:
        return document
    earliest, latest = found
    if made is not None:
        if latest <= made + _CLOCK:
            earliest = latest = made
        earliest = max(earliest, made)
    owned: dict[str, dict[str, Any]] = {
        f"f:{key}": {f"f:{name}": {} for name in document.get(key) or {}} for key in ("data", "binaryData", "spec")
    }
    entry = {
        "manager": "",
        "operation": "Update",
        "time": format_ns(earliest),
        "fieldsV1": {key: names for key, names in owned.items() if names},
        "inferred": True,
        "precisionSeconds": max((latest - earliest) / SECOND, 1.0),
    }
    return {**document, "metadata": {**metadata, "managedFields": [entry]}}
