"""APPLICATIONS: what each Application is, and which Application manages it."""

from __future__ import annotations

import json

from incident_kit.nested import instant, listing, mapping, text, texts
from incident_kit.normalise.context import Context
from incident_kit.tables import Row

#: What Argo CD keeps when ``spec.revisionHistoryLimit`` is not set (RevisionHistoryLimit in its types.go).
DEFAULT_HISTORY_LIMIT = 10
_TRACKING = "argocd.argoproj.io/tracking-id"
_INSTANCE = "app.kubernetes.io/instance"


def application_row(document: Row, context: Context) -> Row:
    """One Application as a row of APPLICATIONS, without ``parent`` where only another one's resources tell."""
    metadata, spec, status = (mapping(document, key) for key in ("metadata", "spec", "status"))
    automated = mapping(spec, "syncPolicy", "automated")
    enabled = isinstance(mapping(spec, "syncPolicy").get("automated"), dict) and automated.get("enabled") is not False
    history = listing(status, "history")
    sync = mapping(status, "sync")
    limit = spec.get("revisionHistoryLimit")
    times = [t for t in (instant(entry.get("deployedAt")) for entry in history) if t is not None]
    ids = [entry["id"] for entry in history if type(entry.get("id")) is int and abs(entry["id"]) < 2**63]
    return {
        "cluster": context.cluster,
        "namespace": text(metadata.get("namespace")),
        "application": str(metadata.get("name")),
        "uid": text(metadata.get("uid")),
        "parent": _tracked_by(metadata),
        "project": text(spec.get("project")),
        "destination_namespace": text(mapping(spec, "destination").get("namespace")),
        "automated": enabled,
        "self_heal": enabled and automated.get("selfHeal") is True,
        "prune": enabled and automated.get("prune") is True,
        "sync_status": text(sync.get("status")),
        "health": text(mapping(status, "health").get("status")),
        "revisions": revisions_of(sync),
        "target_revisions": [str(s.get("targetRevision") or "HEAD") for s in sources_of(spec)],
        "images": texts(mapping(status, "summary").get("images")),
        "history_limit": limit if type(limit) is int and 0 <= limit < 2**63 else DEFAULT_HISTORY_LIMIT,
        "history_length": len(history),
        "history_oldest_at": min(times, default=None),
        "history_first_id": min(ids, default=None),
        "operation_pending": isinstance(document.get("operation"), dict),
        "reconciled_at": instant(status.get("reconciledAt")),
        "conditions": json.dumps(listing(status, "conditions"), ensure_ascii=False),
        "resources": json.dumps(listing(status, "resources"), ensure_ascii=False),
        "created_at": instant(metadata.get("creationTimestamp")),
    }


def revisions_of(holder: Row) -> list[str]:
    """Revisions of a history entry, sync result or sync status: several for a multi-source Application."""
    several = texts(holder.get("revisions"))
    single = text(holder.get("revision"))
    return several or ([single] if single else [])


def sources_of(holder: Row) -> list[Row]:
    """Sources of a spec, history entry or sync result: several for a multi-source Application."""
    several = listing(holder, "sources")
    single = mapping(holder, "source")
    return several or ([single] if text(single.get("repoURL")) else [])


def _tracked_by(metadata: Row) -> str | None:
    tracking = text(mapping(metadata, "annotations").get(_TRACKING))
    if tracking and ":" in tracking:
        return tracking.split(":", 1)[0].rsplit("_", 1)[-1]
    return None


def with_parents(rows: list[Row]) -> list[Row]:
    """The rows with ``parent`` from other Applications' resources where the object has no tracking id, and ``path``."""
    names = {row["application"] for row in rows}
    managed: dict[tuple[str | None, str], str] = {}
    for row in rows:
        for resource in json.loads(row["resources"]):
            if resource.get("kind") == "Application" and resource.get("name") in names:
                managed.setdefault((text(resource.get("namespace")), str(resource["name"])), row["application"])
    parents: dict[str, str | None] = {}
    for row in rows:
        named = (row["namespace"], row["application"]), (None, row["application"])
        parent = row["parent"] or next(filter(None, map(managed.get, named)), None)
        parents[row["application"]] = row["parent"] = parent if parent != row["application"] else None
    for row in rows:
        row["path"] = _path(row["application"], row["parent"], parents)
    return rows


def _path(name: str, parent: str | None, parents: dict[str, str | None]) -> str:
    chain = [name]
    while parent is not None and parent not in chain:
        chain.insert(0, parent)
        parent = parents.get(parent)
    return "/".join(chain)
