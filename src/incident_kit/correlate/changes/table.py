"""The change table: every source's changes, joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.correlate.changes.actions import deeds, name_actors
from incident_kit.correlate.changes.applications import Application, known_applications, known_syncs
from incident_kit.correlate.changes.happenings import (
    deletion_changes,
    eviction_changes,
    node_changes,
    node_event_changes,
    restart_changes,
)
from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.rollouts import mark_undone, rollout_changes
from incident_kit.correlate.changes.runs import remembered_run_changes, run_changes
from incident_kit.correlate.changes.scaling import scale_changes
from incident_kit.correlate.changes.seen_images import seen_image_changes
from incident_kit.correlate.changes.syncs import fold, join_syncs
from incident_kit.correlate.changes.writes import config_changes, specification_changes
from incident_kit.correlate.frames import rows
from incident_kit.correlate.objects import Objects, read_objects, tracked_by, tracking_name
from incident_kit.correlate.pods.identity import lifetimes
from incident_kit.correlate.pods.instances import container_instances
from incident_kit.nested import text
from incident_kit.tables.kubernetes import EVENTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def change_list(evidence: Evidence) -> list[Change]:
    """Every change that the evidence remembers, oldest first; those without a time last."""
    return evidence.memo("changes", lambda: _change_list(evidence))


def joined_changes(evidence: Evidence) -> list[Change]:
    """Every object's changes with the syncs that made them, before they are folded into one for each sync."""
    return evidence.memo("joined changes", lambda: _joined(evidence))


def _change_list(evidence: Evidence) -> list[Change]:
    paths = _paths(known_applications(evidence))
    folded = fold(joined_changes(evidence), paths)
    return sorted(folded, key=lambda c: (c.time is None, c.time or 0, c.kind, str(c.namespace), c.name))


def _paths(known: list[Application]) -> dict[str, str]:
    return {one.application: one.path for one in known}


def _joined(evidence: Evidence) -> list[Change]:
    objects = read_objects(evidence)
    events = evidence.table(EVENTS)
    known = known_applications(evidence)
    changes = [
        *rollout_changes(objects),
        *config_changes(objects),
        *specification_changes(objects),
        *run_changes(objects),
        *remembered_run_changes(objects, events),
    ]
    changes += seen_image_changes(evidence, changes)
    owner_of = application_by_object(objects, known)
    for change in changes:
        change.application = owner_of.get((change.kind, change.namespace, change.name))
    changes = join_syncs(changes, known_syncs(evidence), _paths(known), objects)
    name_actors(changes, list(rows(events[events["reason"] == "ResourceActionRan"])), owner_of)
    changes += restart_changes(container_instances(evidence))
    changes += [*eviction_changes(objects, events), *node_changes(objects), *node_event_changes(events)]
    changes += scale_changes(events, objects)
    changes += deletion_changes(lifetimes(evidence), objects, changes)
    changes += deeds(changes, list(rows(events[events["kind"] == "Application"])), _paths(known))
    mark_undone(changes)
    return changes


def application_by_object(objects: Objects, known: list[Application]) -> dict[tuple[str, str | None, str], str]:
    """Argo CD Application by (kind, namespace, name): from Applications' resources, else from tracking ids."""
    found: dict[tuple[str, str | None, str], str] = {}
    names = {one.application for one in known}
    shared = {one.name for one in known if one.name != one.application}
    for kind in objects.kinds:
        for document in objects.of(kind):
            tracking = tracking_name(document)
            application = tracking if tracking in names else tracked_by(document)
            if (
                application and application not in shared
            ):  # of a shared name, the Applications' own lists tell whose it is
                metadata = document["metadata"]
                found[(kind, metadata.get("namespace"), metadata["name"])] = application
    for one in known:
        for resource in one.resources:
            namespace = text(resource.get("namespace"))
            key = (str(resource.get("kind")), namespace, str(resource.get("name")))
            found.setdefault(key, one.application)
    return found
