"""Scaling: changes of size, by an autoscaler or by hand, told from what a rollout does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.writes import writes_of
from incident_kit.correlate.field_managers import acts_alone
from incident_kit.correlate.frames import rows
from incident_kit.correlate.objects import Objects
from incident_kit.nested import mapping
from incident_kit.window import SECOND

if TYPE_CHECKING:
    import pandas as pd

#: The Deployment's controller follows an autoscaler within this time.
_AT_ONCE = 60 * SECOND
#: Two sets that are scaled within this time are one rollout's (progressDeadlineSeconds is 600 by default).
_ROLLOUT = 600 * SECOND
#: Events and managedFields tell whole seconds; a controller follows a write at once.
_CLOCK = 3 * SECOND
_SCALED = re.compile(
    r"^Scaled (?P<way>up|down) replica set (?P<set>\S+) (?:from (?P<from>\d+) to (?P<to>\d+)|to (?P<only>\d+)(?: from (?P<before>\d+))?)"
)
_NEW_SIZE = re.compile(r"^New size: (?P<size>\d+)")


def scale_changes(events: pd.DataFrame, objects: Objects) -> list[Change]:
    """Changes of size: by an autoscaler, or of a Deployment outside a rollout.

    What an autoscaler decided and what the Deployment's controller then did is one change.
    """
    rescaled = [(e, *_aim(e, objects)) for e in rows(events[events["reason"] == "SuccessfulRescale"])]
    scaled = [e for e in rows(events[events["reason"] == "ScalingReplicaSet"]) if _SCALED.match(str(e["message"]))]
    changes, told = [], set()
    for event in scaled:
        match = _SCALED.match(str(event["message"]))
        before = match and (match["from"] or match["before"])
        by = next((r for r in rescaled if match and _carried_out(r, event, match)), None)
        # A set that starts from nothing is a rollout's.
        if match and before not in (None, "0") and (by is not None or not _in_rollout(event, match, scaled)):
            change = _scale(event, (str(event["kind"]), str(event["name"])), before, match["to"] or match["only"])
            if by is not None:
                _decided_by(change, by[0])
                told.add(id(by[0]))
            else:
                _who_scaled(change, objects)
            changes.append(change)
    for event, aim, size in rescaled:
        if id(event) not in told:
            changes.append(change := _scale(event, aim, None, size))
            _decided_by(change, event)
    return changes


def _in_rollout(event: dict[str, Any], match: re.Match[str], scaled: list[dict[str, Any]]) -> bool:
    """A rollout scales one set up and another down."""
    for other in scaled:
        same = (other["namespace"], other["name"]) == (event["namespace"], event["name"])
        theirs = _SCALED.match(str(other["message"])) if same else None
        if theirs and theirs["set"] != match["set"] and abs(other["last_at"] - event["last_at"]) <= _ROLLOUT:
            return True
    return False


def _aim(event: dict[str, Any], objects: Objects) -> tuple[tuple[str, str], str | None]:
    """What an autoscaler's event is about: kind and name of its target (its own where it was not captured), and the size."""
    autoscaler = objects.get("HorizontalPodAutoscaler", event["namespace"], str(event["name"]))
    target = mapping(autoscaler, "spec", "scaleTargetRef")
    size = _NEW_SIZE.match(str(event["message"]))
    kind, name = str(target.get("kind") or event["kind"]), str(target.get("name") or event["name"])
    return (kind, name), size["size"] if size else None


def _carried_out(
    rescaled: tuple[dict[str, Any], tuple[str, str], str | None], event: dict[str, Any], match: re.Match[str]
) -> bool:
    decided, (_, name), size = rescaled
    soon = abs(event["last_at"] - decided["last_at"]) <= _AT_ONCE if event["last_at"] and decided["last_at"] else False
    same = (decided["namespace"], name) == (event["namespace"], event["name"])
    return soon and same and size == (match["to"] or match["only"])


def _scale(event: dict[str, Any], subject: tuple[str, str], before: str | None, after: str | None) -> Change:
    return Change(
        time=event["last_at"],
        kind=subject[0],
        namespace=event["namespace"],
        name=subject[1],
        what="scale",
        old=f"{before} replicas" if before else None,
        new=f"{after} replicas" if after else str(event["message"]),
        evidence=[f"event {event['reason']}: {event['message']}"],
    )


def _decided_by(change: Change, decided: dict[str, Any]) -> None:
    """An autoscaler scaled it."""
    change.manager, change.automated = f"HorizontalPodAutoscaler {decided['name']}", True
    change.evidence = list(dict.fromkeys([f"event {decided['reason']}: {decided['message']}", *change.evidence]))


def _who_scaled(change: Change, objects: Objects) -> None:
    """The field manager that wrote the number of replicas then."""
    workload = objects.get(change.kind, change.namespace, change.name)
    if workload is None or change.time is None:
        return
    for write in writes_of(workload):
        if write.touches("f:spec", "f:replicas") and write.time is not None and abs(write.time - change.time) <= _CLOCK:
            change.manager, change.automated = write.manager, acts_alone(write.manager)
            change.evidence.append(f"field manager {write.manager} wrote the number of replicas")
