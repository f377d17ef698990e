"""EVENTS rows from core/v1 and events.k8s.io/v1 Event objects."""

from __future__ import annotations

import re
from typing import Any

import orjson

from incident_kit.nested import Document, instant, mapping, text, whole

_FIELD_PATH = re.compile(r"^spec\.(?:init|ephemeral)?[cC]ontainers\{(.+)\}$")


def event_row(event: Document, cluster: str) -> dict[str, Any]:
    """The EVENTS row of one Event."""
    subject = mapping(event, "involvedObject") or mapping(event, "regarding")
    happened = instant(event, "eventTime")
    created = instant(event, "metadata", "creationTimestamp")
    first = instant(event, "firstTimestamp") or instant(event, "deprecatedFirstTimestamp") or happened or created
    last = (
        instant(event, "series", "lastObservedTime")
        or instant(event, "lastTimestamp")
        or instant(event, "deprecatedLastTimestamp")
        or happened
        or first
    )
    field_path = _FIELD_PATH.match(text(subject, "fieldPath") or "")
    return {
        "cluster": cluster,
        "namespace": text(subject, "namespace") or text(event, "metadata", "namespace"),
        "kind": text(subject, "kind"),
        "name": text(subject, "name"),
        "uid": text(subject, "uid"),
        "container": field_path[1] if field_path else None,
        "reason": text(event, "reason"),
        "type": text(event, "type"),
        "message": text(event, "message") or text(event, "note"),
        "first_at": first,
        "last_at": last,
        "count": whole(event, "series", "count") or whole(event, "count") or whole(event, "deprecatedCount") or 1,
        "reported_by": text(event, "reportingComponent")
        or text(event, "reportingController")
        or text(event, "source", "component")
        or text(event, "deprecatedSource", "component"),
        "annotations": orjson.dumps(mapping(event, "metadata", "annotations")).decode(),
        "resource_version": _version(event),
    }


def _version(event: Document) -> int | None:
    version = text(event, "metadata", "resourceVersion")
    return int(version) if version and version.isdecimal() and len(version) < 19 else None
