"""Container instances that ended: from the status, from events, and restarts known only by count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.frames import instant, plain, records
from incident_kit.correlate.pods.exits import meaning, signal_of
from incident_kit.correlate.pods.gone import PULLED_IMAGE
from incident_kit.tables.kubernetes import CONTAINERS, EVENTS, PODS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_UNTOLD = {
    "restartCount": "known only by the restart count",
    "event Killing": "the kubelet stopped it with its pod; how it ended is not known",
    "event Started": "the pod is gone; its events tell that the next instance started, not how this one ended",
}
_AT_ONCE = 600 * SECOND
_EVICTIONS = ("Evicted", "TaintManagerEviction", "Preempted", "Preempting")
_ENDS = ("Killing", *_EVICTIONS)
_FIELDS = ("namespace", "pod", "pod_uid", "container", "restart_count", "reason", "exit_code", "image", "image_digest")


def instances(evidence: Evidence) -> list[dict[str, Any]]:
    """Container instances with plain values; first starts filled in from events where the status forgot them."""

    def build() -> list[dict[str, Any]]:
        rows = []
        for row in records(evidence.table(CONTAINERS)):
            values = {name: plain(value) for name, value in row.items()}
            values["started_at"], values["finished_at"] = instant(row["started_at"]), instant(row["finished_at"])
            rows.append(values)
        _fill_from_events(rows, evidence)
        return [*rows, *_from_events(evidence, {row["pod_uid"] for row in rows})]

    return evidence.memo("instances", build)


def _fill_from_events(rows: list[dict[str, Any]], evidence: Evidence) -> None:
    """The first instance's start, where the aggregated ``Started`` event counted every start."""
    counts: dict[tuple[str, str], int] = {}
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["pod_uid"], row["container"])
        counts[key] = max(counts.get(key, 0), int(row["restart_count"]) + 1)
        if row["restart_count"] == 0:
            first[key] = row
    for event in records(evidence.table(EVENTS)):
        started = (plain(event["uid"]), plain(event["container"]))
        known = first.get(started)
        if event["reason"] != "Started" or known is None or known["started_at"] is not None:
            continue
        if plain(event["count"]) == counts[started]:
            known.update(started_at=instant(event["first_at"]), source=f"{known['source']}+event", observed=False)


def _from_events(evidence: Evidence, known: set[Any]) -> list[dict[str, Any]]:
    """Instances of pods that are gone, as far as their ``Started`` events tell: starts, never how they ended."""
    told = _told_of_gone(evidence, known)
    rows: list[dict[str, Any]] = []
    for (uid, container), events in told.starts.items():
        for number, started in enumerate(_start_times(events)):
            row: dict[str, Any] = dict.fromkeys(CONTAINERS.columns)
            row.update(
                cluster=evidence.cluster, namespace=plain(events[0]["namespace"]), pod=plain(events[0]["name"]), pod_uid=uid,
                container=container, restart_count=number, started_at=started, image=told.images.get((uid, container)),
                observed=False, source="event Started",
            )  # fmt: skip
            rows.append(row)
        _end(rows[-1], told.ends.get(uid))
    return rows


@dataclass(slots=True)
class _Told:
    """Events of pods that are gone.

    Attributes:
        starts: ``Started`` of each uid and container.
        ends: the one of each uid that ended it; the kubelet's ``Evicted`` says why, the ``Killing`` beside it only that.
        images: as pulled, of each uid and container.
    """

    starts: dict[tuple[Any, Any], list[dict[str, Any]]] = field(default_factory=dict)
    ends: dict[Any, dict[str, Any]] = field(default_factory=dict)
    images: dict[tuple[Any, Any], str] = field(default_factory=dict)


def _told_of_gone(evidence: Evidence, known: set[Any]) -> _Told:
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


def _start_times(events: list[dict[str, Any]]) -> list[int | None]:
    """When the instances of one container started; one event of many counted starts has the first and the last time."""
    times: list[int | None] = []
    for event in sorted(events, key=lambda e: instant(e["first_at"]) or 0):
        count, first, last = int(plain(event["count"]) or 1), instant(event["first_at"]), instant(event["last_at"])
        times += [first] if count == 1 else [first, *[None] * (count - 2), last]
    return times


def _end(row: dict[str, Any], event: dict[str, Any] | None) -> None:
    """The last instance of a gone pod ended with the pod, unless it was started after that event."""
    time = instant(event["last_at"]) if event is not None else None
    if event is None or time is None or (row["started_at"] is not None and row["started_at"] > time):
        return
    reason = plain(event["reason"])
    row.update(state="terminated", finished_at=time, source=f"event {reason}", message=plain(event["message"]))
    row["reason"] = "Evicted" if reason in _EVICTIONS else None


def is_of_the_incident(evidence: Evidence, time: int | None) -> bool:
    """Whether an end is judged: in the window, or between it and a capture that followed at once; or time unknown."""
    if time is None or time in evidence.window:
        return True
    captured_at, end = evidence.captured_at, evidence.window.end
    return captured_at is not None and captured_at - end <= _AT_ONCE and end <= time <= captured_at


def restart_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """RESTARTS rows: every instance that ended, also those known only by count, and evicted pods."""
    rows = []
    pods = {plain(pod["pod_uid"]): pod for pod in records(evidence.table(PODS))}
    current: dict[tuple[Any, Any], int] = {}
    for row in instances(evidence):
        key = (row["pod_uid"], row["container"])
        current[key] = max(current.get(key, 0), int(row["restart_count"]))
    for row in instances(evidence):
        if row["container_type"] == "init" and row["state"] == "terminated" and row["exit_code"] == 0:
            continue  # an init container that did its work is a start, not a restart
        ended = row["state"] == "terminated" or int(row["restart_count"]) < current[row["pod_uid"], row["container"]]
        pod = pods.get(row["pod_uid"])
        if ended:
            rows.append(_row(row, pod, evidence))
        elif pod is not None and plain(pod["phase"]) == "Failed" and plain(pod["reason"]):
            rows.append(_failed_pod_row(row, pod, evidence))
    return rows


def _row(row: dict[str, Any], pod: dict[str, Any] | None, evidence: Evidence) -> dict[str, Any]:
    told = meaning(row["reason"], row["exit_code"], row["signal"])
    why = plain(pod["reason"]) if pod is not None and plain(pod["phase"]) == "Failed" else None
    if why and told:
        told = f"{told}; the pod failed: {why}: {plain(pod['message']) or ''}" if pod is not None else told
    return {
        **{name: row[name] for name in _FIELDS},
        "time": row["finished_at"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "signal": signal_of(row["exit_code"], row["signal"]),
        "observed": row["observed"],
        "meaning": told or _UNTOLD.get(str(row["source"]).split("+")[0]),
        "source": row["source"],
        "in_window": row["finished_at"] in evidence.window if row["finished_at"] is not None else None,
    }


def _failed_pod_row(row: dict[str, Any], pod: dict[str, Any], evidence: Evidence) -> dict[str, Any]:
    """An evicted or refused pod, or one on a lost node: no container ever reported its end."""
    finished = instant(pod["finished_at"])
    reason = plain(pod["reason"])
    return {
        **{name: row[name] for name in _FIELDS},
        "time": finished,
        "finished_at": finished,
        "started_at": row["started_at"],
        "reason": reason,
        "observed": False,
        "meaning": f"{meaning(reason, None) or 'the pod failed'}: {plain(pod['message']) or ''}",
        "source": "pod status",
        "in_window": finished in evidence.window if finished is not None else None,
    }
