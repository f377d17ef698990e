"""Config state: when the data of a ConfigMap or Secret last changed, and which container instances started when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from incident_kit.correlate.changes.rollouts import template_of
from incident_kit.correlate.changes.writes import Write, data_writes, is_configuration
from incident_kit.correlate.configuration.readers import Reading, config_readings
from incident_kit.correlate.field_managers import acts_alone
from incident_kit.correlate.objects import (
    Objects,
    annotation,
    controller,
    created_at,
    name_of,
    namespace_of,
    tracked_by,
)
from incident_kit.nested import Document, instant, listing, mapping
from incident_kit.window import SECOND

_CHECKSUM = ("checksum/", "checksum-", "/checksum", "-checksum", "-hash", "/hash", "sha256")
_RELOADER = "reloader.stakater.com/"


@dataclass(frozen=True, kw_only=True)
class DataChange:
    """The last change that a reading of a ConfigMap or Secret may have missed.

    Attributes:
        reading: who reads what, and how.
        config: the ConfigMap or Secret.
        time: when its data were last written, whole seconds (ns).
        manager: who wrote.
        inferred: whether the time was read from resource versions: then any write may have been meant, also to labels.
        created: whether the write made the object: then a container could start before it only if it is optional.
    """

    reading: Reading
    config: Document
    time: int
    manager: str
    created: bool
    inferred: bool = False


def last_data_change(reading: Reading, config: Document) -> DataChange | None:
    """The last write that can have touched what is read; None when no write is remembered."""
    writes = [w for w in data_writes(config) if w.time is not None]
    if reading.keys:
        touching = [w for w in writes if any(k in _keys(w) for k in reading.keys)]
        writes = touching or writes
    if not writes or not is_configuration(config):
        return None
    last = writes[-1]
    made = created_at(config)
    if last.time is None:
        return None
    created = made is not None and last.time <= made + SECOND
    return DataChange(
        reading=reading, config=config, time=last.time, manager=last.writer, created=created, inferred=last.inferred
    )


def _keys(write: Write) -> set[str]:
    return {k for path in ("f:data", "f:binaryData", "f:stringData") for k in write.keys(path)}


def readings_of(pod: Document, objects: Objects) -> Iterator[DataChange]:
    """What each container of a pod reads and when it last changed; readings of unknown objects are left out."""
    for reading in config_readings(mapping(pod, "spec")):
        config = objects.get(reading.kind, namespace_of(pod), reading.name)
        change = last_data_change(reading, config) if config is not None else None
        if change is not None:
            yield change


def checksum_covers(pod: Document, change: DataChange, objects: Objects) -> bool:
    """Whether a checksum annotation on the template says that the pod runs with the data as they are.

    Helm's and kustomize's checksum annotations change the pod template together with the data. When the same
    Application renders both, the workload's template carries a checksum, and the pod's is equal to it, a later write
    did not change what the checksum covers. That holds for what was rendered: a write by hand changes no checksum.
    """
    config = change.config
    if acts_alone(change.manager) is False:
        return False
    workload = workload_of(pod, objects)
    if workload is None or tracked_by(config) is None or tracked_by(config) != tracked_by(workload):
        return False
    wanted = _checksums(template_of(workload))
    return bool(wanted) and wanted == _checksums(pod)


def _checksums(holder: Document) -> dict[str, str]:
    found = mapping(holder, "metadata", "annotations")
    return {k: str(v) for k, v in found.items() if any(mark in k.lower() for mark in _CHECKSUM)}


def reloader_watches(pod: Document, reading: Reading, objects: Objects) -> bool:
    """Whether Reloader is asked to restart the pod's workload for this ConfigMap or Secret."""
    workload = workload_of(pod, objects)
    if workload is None:
        return False
    if annotation(workload, f"{_RELOADER}auto") == "true":
        return True
    named = annotation(workload, f"{reading.kind.lower()}.{_RELOADER}reload") or ""
    return reading.name in [part.strip() for part in named.split(",")]


def workload_of(pod: Document, objects: Objects) -> Document | None:
    """The workload that made the pod: through its ReplicaSet or Job where there is one."""
    owner = controller(pod)
    if owner is None:
        return None
    direct = objects.get(str(owner.get("kind")), namespace_of(pod), str(owner.get("name")))
    if direct is None or direct.get("kind") not in {"ReplicaSet", "Job"}:
        return direct
    above = controller(direct)
    if above is None:
        return direct
    return objects.get(str(above.get("kind")), namespace_of(pod), str(above.get("name"))) or direct


def running_since(pod: Document) -> dict[str, int]:
    """Start (ns) of the instance that runs now, by container; ended containers and pods being deleted have none."""
    if mapping(pod, "metadata").get("deletionTimestamp"):
        return {}
    statuses = [*listing(pod, "status", "containerStatuses"), *listing(pod, "status", "initContainerStatuses")]
    found = {str(s.get("name")): instant(s, "state", "running", "startedAt") for s in statuses}
    return {name: time for name, time in found.items() if time is not None}


def prepared_since(pod: Document) -> dict[str, int]:
    """Start (ns) of each init container that has ended, by name, while the pod runs on with what it prepared."""
    if not running_since(pod):
        return {}
    statuses = listing(pod, "status", "initContainerStatuses")
    found = {str(s.get("name")): instant(s, "state", "terminated", "startedAt") for s in statuses}
    return {name: time for name, time in found.items() if time is not None}


def describe(change: DataChange) -> str:
    """One reading and the last change, as evidence."""
    reading = change.reading
    keys = f" key {', '.join(reading.keys)}" if reading.keys else ""
    return f"container {reading.container} reads {reading.kind} {name_of(change.config)}{keys} by {reading.way}"
