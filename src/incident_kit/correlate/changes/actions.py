"""What people did in Argo CD besides syncing (Restart, Create Job, delete, patch): only an event tells who did it."""

from __future__ import annotations

import re

from incident_kit.correlate.changes.happenings import annotations_of
from incident_kit.correlate.changes.model import Change
from incident_kit.tables import Row
from incident_kit.window import SECOND

#: Clocks are whole seconds; controllers follow a write within seconds.
_AFTER = 5 * SECOND
_ACTION = re.compile(
    r"^(?P<user>.+) ran action (?P<action>\S+) on resource (?P<group>[^/]*)/(?P<kind>[^/]+)/(?P<name>\S+)$"
)


#: As argocd-server words them (``logAppEvent`` of server/application).
_DEED = re.compile(
    r"^(?P<user>.+) (?P<verb>created|deleted|updated|patched) "
    r"(?:application(?: spec)?|resource (?P<group>[^/]*)/(?P<kind>\S+) '(?P<name>[^']+)')$"
)
_WHAT = {"created": "created", "deleted": "deleted", "updated": "specification", "patched": "patched"}


def deeds(changes: list[Change], events: list[Row], paths: dict[str, str]) -> list[Change]:
    """Applications that people made, changed or deleted in Argo CD, and objects that they deleted or patched there.

    Args:
        changes: those known already gain a name where it was one of them.
        events: EVENTS rows about Applications.
        paths: path by Application.
    """
    found = []
    for event in events:
        match = _DEED.match(str(event["message"] or ""))
        time = event["last_at"] if event["last_at"] is not None else event["first_at"]
        if match is None or time is None:
            continue
        space = annotations_of(event).get("dest-namespace") if match["kind"] else event["namespace"]
        subject = (match["kind"] or "Application", str(match["name"] or event["name"]))
        told = f"event {event['reason']}: {event['message']}"
        known = [c for c in changes if (c.kind, c.name) == subject and c.time and abs(c.time - time) <= _AFTER]
        for change in known if match["kind"] else []:
            change.by, change.automated = match["user"], False
            change.evidence.append(told)
        if not known or not match["kind"]:
            found.append(
                Change(
                    time=time, kind=subject[0], namespace=space, name=subject[1], what=_WHAT[match["verb"]],
                    old="there" if match["verb"] == "deleted" else None, by=match["user"], automated=False, evidence=[told],
                    application=paths.get(str(event["name"]), str(event["name"])),
                )
            )  # fmt: skip
    return found


def name_actors(changes: list[Change], events: list[Row], owner_of: dict[tuple[str, str | None, str], str]) -> None:
    """Who ran an action in Argo CD (Restart, Create Job), which only an event tells.

    Args:
        changes: gain a name where an event tells one.
        events: EVENTS rows about Applications.
        owner_of: Application by kind, namespace and name of an object. The event names the Application's usual namespace,
            which is not the object's where that states its own.
    """
    for event in events:
        match = _ACTION.match(str(event["message"] or "")) if event["reason"] == "ResourceActionRan" else None
        time = event["last_at"] if event["last_at"] is not None else event["first_at"]
        if match is None or time is None:
            continue
        subject = (match["kind"], match["name"], event["name"])
        known = {space for (kind, space, name), application in owner_of.items() if (kind, name, application) == subject}
        namespaces = known or {annotations_of(event).get("dest-namespace")}
        for change in changes:
            near = change.time is not None and abs(change.time - time) <= _AFTER
            if near and change.namespace in {*namespaces, None} and _acted_on(change, match):
                change.by, change.automated = match["user"], False
                change.evidence.append(f"event ResourceActionRan: {event['message']}")


def _acted_on(change: Change, match: re.Match[str]) -> bool:
    if change.what == "manual_job" and match["kind"] == "CronJob":
        return change.name.startswith(match["name"])
    return change.kind == match["kind"] and change.name == match["name"]
