"""Tables that kubectl prints: ``get events``, ``kubectl events`` and ``get pods``, as objects with what they show.

Their times are ages, so that somebody must have said when they were printed (``captured_at`` of ``window.json``). An age
of minutes is known to the minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.shape import Pieces, Shape, Source
from incident_kit.window import SECOND, format_ns

Row = dict[str, str]
_GAP = re.compile(r"\S+(?: \S+)*")
_EVENT_COLUMNS = frozenset({"LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"})
_POD_COLUMNS = frozenset({"NAME", "READY", "STATUS", "RESTARTS", "AGE"})
_ANY_HEADING = re.compile(r"(?:NAMESPACE|NAME|LAST SEEN) {2,}[A-Z]")
_AGE = re.compile(r"(?:(\d+)y)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_AGE_SECONDS = (365 * 86_400, 86_400, 3_600, 60, 1)
#: As both kubectl events and kubectl describe write it: the last time, how often, since when.
SEEN = re.compile(r"(?P<last>\S+)(?: \(x(?P<count>\d+)(?: over (?P<first>\S+))?\))?")
_KINDS = {
    "po": "Pod", "pod": "Pod", "deploy": "Deployment", "deployment": "Deployment", "rs": "ReplicaSet", "replicaset": "ReplicaSet",
    "job": "Job", "cronjob": "CronJob", "node": "Node", "no": "Node", "statefulset": "StatefulSet", "daemonset": "DaemonSet",
    "application": "Application", "service": "Service", "ingress": "Ingress", "endpoints": "Endpoints",
    "horizontalpodautoscaler": "HorizontalPodAutoscaler", "poddisruptionbudget": "PodDisruptionBudget",
    "persistentvolumeclaim": "PersistentVolumeClaim", "configmap": "ConfigMap", "secret": "Secret",
}  # fmt: skip


def columns_of(line: str) -> list[tuple[str, int]]:
    """Names of the columns of a heading, and where each begins; words of one name are one space apart."""
    return [(found[0], found.start()) for found in _GAP.finditer(line)]


def _is_heading(line: str) -> frozenset[str] | None:
    names = {name for name, _ in columns_of(line)} if line[:1].isupper() else set()
    return next((wanted for wanted in (_EVENT_COLUMNS, _POD_COLUMNS) if wanted <= names), None)


def _fits(sample: Sample) -> bool:
    return (
        sample.place not in ("elasticsearch", "rabbitmq")
        and not (sample.place == "console" and sample.is_log)
        and any(map(_is_heading, sample.lines[:5]))
    )


def table_rows(lines: Iterator[str]) -> Iterator[tuple[frozenset[str], Row]]:
    """Rows under their headings; a file may hold several tables."""
    wanted: frozenset[str] | None = None
    columns: list[tuple[str, int]] = []
    for line in lines:
        if (heading := _is_heading(line)) is not None:
            wanted, columns = heading, columns_of(line)
        elif _ANY_HEADING.match(line):
            wanted = None  # of something else, as kubectl get all prints one after another
        elif wanted is not None and line.strip():
            yield wanted, dict(zip((name for name, _ in columns), _cells(line, columns), strict=False))


def _cells(line: str, columns: list[tuple[str, int]]) -> list[str]:
    """Cells of a row by where the heading's begin; by the space between them where it is not aligned (``--watch``)."""
    starts = [start for _, start in columns]
    if all(line[start - 1 : start] in ("", " ") for start in starts[1:]):
        return [line[start:end].strip() for start, end in zip(starts, [*starts[1:], len(line)], strict=True)]
    return re.split(r"\s{2,}", line.strip(), maxsplit=len(columns) - 1)


def age_seconds(text: str) -> int | None:
    """Seconds of an age as kubectl prints it (``5m3s``, ``2d``); None where it is none."""
    found = _AGE.fullmatch(text.strip())
    if not text.strip() or found is None:
        return None
    return sum(int(part) * unit for part, unit in zip(found.groups(), _AGE_SECONDS, strict=True) if part)


def ago(text: str, now: int) -> str | None:
    """The time that an age before now is; None where it is none."""
    seconds = age_seconds(text)
    return None if seconds is None else format_ns(now - seconds * SECOND)


def _convert(source: Source) -> Pieces:
    now = source.context.captured_at
    if now is None:
        report_no_now(source, "it shows ages, and nobody says when it was printed; it is left out")
        return
    events: list[dict[str, Any]] = []
    pods: list[dict[str, Any]] = []
    short = 0
    for wanted, row in table_rows(source.lines()):
        if not wanted <= set(row):
            short += 1
        elif wanted is _EVENT_COLUMNS:
            events.append(_event(row, now, source, len(events)))
        else:
            pods.append(_pod(row, now, source))
    if short:
        source.context.gap(
            "kubernetes", source.relative, f"{short} rows have fewer cells than the heading; they are left out"
        )
    for name, items in (("events", events), ("pods", pods)):
        if items:
            yield f"kubernetes/{name}-{source.number}.json", orjson.dumps(items)
            reason = "its times are ages: they are as precise as those (a minute, an hour), as of captured_at"
            source.context.gap(
                "kubernetes", source.relative, reason, f"kubectl get {name} -A -o json > kubernetes/{name}.json"
            )


def report_no_now(source: Source, reason: str) -> None:
    """The gap of ages without the time as of which they are meant."""
    source.context.gap(
        "kubernetes", source.relative, reason, 'Add "captured_at" to window.json, or collect it with -o json.'
    )


def _event(row: Row, now: int, source: Source, number: int) -> dict[str, Any]:
    kind, _, name = row["OBJECT"].partition("/")
    seen = SEEN.fullmatch(row["LAST SEEN"])
    last = ago(seen["last"], now) if seen else None
    first = ago((seen["first"] if seen else None) or row.get("FIRST SEEN") or "", now) or last
    count = (seen["count"] if seen else None) or row.get("COUNT") or "1"
    kind = _KINDS.get(kind.lower(), kind)
    namespace = row.get("NAMESPACE") or _namespace(source, name if kind == "Pod" else None)
    subject = {"kind": kind, "name": name, "namespace": namespace, "fieldPath": row.get("SUBOBJECT")}
    return event(subject, row, first, last, int(count) if count.isdecimal() else 1, f"{source.number}.{number}")


def event(
    subject: dict[str, Any], row: Row, first: str | None, last: str | None, count: int, identifier: str
) -> dict[str, Any]:
    """An Event object with what a table shows of it.

    Args:
        subject: the object that it is about.
        row: TYPE, REASON, MESSAGE, and SOURCE where it has that.
        first: when it was first seen.
        last: when it was last seen.
        count: how often.
        identifier: tells it from the other events of the folder.
    """
    return {
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": f"{subject.get('name')}.{identifier}", "namespace": subject.get("namespace")},
        "involvedObject": {key: value for key, value in subject.items() if value},
        "type": row.get("TYPE"), "reason": row.get("REASON"), "message": row.get("MESSAGE"), "firstTimestamp": first,
        "lastTimestamp": last, "count": count, "source": {"component": (row.get("SOURCE") or "").partition(",")[0] or None},
    }  # fmt: skip


def _pod(row: Row, now: int, source: Source) -> dict[str, Any]:
    """A pod without its containers, which the table does not name; what it counts of them stands as it was printed."""
    name = row["NAME"].removeprefix("pod/")
    status, ip, node = row["STATUS"], row.get("IP", "<none>"), row.get("NODE", "<none>")
    phase = {"Completed": "Succeeded", "Error": "Failed", "Evicted": "Failed"}.get(
        status, "Running" if status == "Running" else None
    )
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": row.get("NAMESPACE") or _namespace(source, name), "creationTimestamp": ago(row["AGE"], now),
        },
        "spec": {"nodeName": None if node == "<none>" else node},
        "status": {
            "phase": phase, "podIP": None if ip == "<none>" else ip,
            "printed": {"ready": row["READY"], "status": status, "restarts": row["RESTARTS"].partition(" ")[0]},
        },
    }  # fmt: skip


def _namespace(source: Source, pod: str | None) -> str | None:
    """The namespace of a table without that column: that of the known pod, else of the folder it lies in."""
    known = source.known.one(pod) if pod else None
    folders = source.relative.split("/")[:-1]
    return known.namespace if known else folders[-1] if folders and folders[-1].lower() != source.sample.place else None


TABLES = Shape("a table of kubectl", _fits, _convert, "kubernetes", needs_pods=True)
