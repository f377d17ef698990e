"""Argo CD's Application objects, and the events about them, as APPLICATIONS and SYNCS."""

from __future__ import annotations

from pathlib import Path

from incident_kit.nested import mapping, text
from incident_kit.normalise.argocd.applications import application_row, with_parents
from incident_kit.normalise.argocd.syncs import sync_rows
from incident_kit.normalise.context import Context
from incident_kit.normalise.raw import RawFolder, read_chunks
from incident_kit.tables import Row
from incident_kit.tables.argocd import APPLICATIONS, SYNCS
from incident_kit.window import format_ns

__all__ = ["normalise_argocd"]


def normalise_argocd(raw: RawFolder, context: Context) -> dict[str, list[Row]]:
    """APPLICATIONS and SYNCS of Applications, in ``argocd/`` or among the lists of objects, and of the events about them.

    What Argo CD could not remember becomes a gap, bounded by the oldest sync that it does remember.
    """
    documents = _documents(raw, context)
    applications = _applications(documents)
    events = _each_once([d for d in documents if _about_application(d)])
    rows = with_parents([application_row(document, context) for document in applications])
    syncs: list[Row] = []
    for row, document in zip(rows, applications, strict=True):
        own = [e for e in events if _is_about(e, row)]
        syncs += sync_rows(document, row, own)
        _report_memory(row, context)
    syncs += _of_gone_applications(rows, events, context)
    return {APPLICATIONS.name: rows, SYNCS.name: syncs}


def _documents(raw: RawFolder, context: Context) -> list[Row]:
    """Documents of ``argocd/``, then those of every list of objects that tells of an Application, whatever its name."""
    of_objects = [
        path
        for path in raw.files("kubernetes/**/*.json") + raw.files("kubernetes/**/*.json.gz")
        if _mentions(path, b'"Application"')
    ]
    found: list[Row] = []
    for path in raw.files("argocd/*.json") + raw.files("argocd/*.json.gz") + of_objects:
        found += raw.items(raw.relative(path).removesuffix(".gz"), context, "argocd") or []
    return found


def _mentions(path: Path, mark: bytes) -> bool:
    tail = b""
    for chunk in read_chunks(path):
        if mark in tail + chunk:
            return True
        tail = chunk[-len(mark) :]
    return False


def _applications(documents: list[Row]) -> list[Row]:
    found: dict[tuple[str, str], Row] = {}
    for document in documents:
        metadata = document.get("metadata")
        # argocd app list leaves the kind out; what an Application says of itself and nothing else does is where it deploys to.
        kind = document.get("kind", "Application" if mapping(document, "spec", "destination") else None)
        if kind == "Application" and isinstance(metadata, dict) and text(metadata.get("name")):
            found.setdefault((text(metadata.get("namespace")) or "", str(metadata["name"])), document)
    # What argocd app history prints says no namespace: the object itself, where there is one, says more.
    named = {name for namespace, name in found if namespace}
    return [document for (namespace, name), document in found.items() if namespace or name not in named]


def _of_gone_applications(known: list[Row], events: list[Row], context: Context) -> list[Row]:
    """SYNCS of Applications that were deleted, also of one that was made anew since: events outlive them for an hour."""
    gone: dict[tuple[str | None, str, str | None], list[Row]] = {}
    for event in events:
        involved = _involved(event)
        name = text(involved.get("name"))
        if name and not any(_is_about(event, row) for row in known):
            gone.setdefault((text(involved.get("namespace")), name, text(involved.get("uid"))), []).append(event)
    syncs = []
    for (namespace, name, uid), own in sorted(gone.items(), key=str):
        row = {"cluster": context.cluster, "namespace": namespace, "application": name, "uid": uid}
        syncs += sync_rows({}, {**row, "history_limit": None}, own)
    return syncs


def _each_once(events: list[Row]) -> list[Row]:
    """Events by uid: both lists may hold the same, and an operation must not be told twice."""
    found: dict[str, Row] = {}
    for number, event in enumerate(events):
        uid = text(event, "metadata", "uid")
        found.setdefault(uid or f"without uid {number}", event)
    return list(found.values())


def _involved(event: Row) -> Row:
    return mapping(event, "involvedObject") or mapping(event, "regarding")


def _about_application(event: Row) -> bool:
    return _involved(event).get("kind") == "Application"


def _is_about(event: Row, row: Row) -> bool:
    involved = _involved(event)
    if involved.get("name") != row["application"]:
        return False
    if involved.get("uid") and row["uid"]:
        # Of an Application that was deleted and made anew, the events live on beside the new one's.
        return bool(involved["uid"] == row["uid"])
    return row["namespace"] is None or involved.get("namespace") in (None, row["namespace"])


def _report_memory(row: Row, context: Context) -> None:
    """Say what the history of one Application cannot hold, when that concerns the window."""
    name, held, limit, oldest = (
        row["application"],
        row["history_length"],
        row["history_limit"],
        row["history_oldest_at"],
    )
    start = context.window.start
    if held == 0 and limit == 0:
        context.gap(
            "argocd",
            f"history of {name}",
            "revisionHistoryLimit is 0, so Argo CD keeps no history; earlier syncs are seen only through ReplicaSets and events",
            "Set spec.revisionHistoryLimit above 0.",
            start=start,
            end=context.window.end,
        )
    dropped = (row["history_first_id"] or 0) > 0 or (held and held >= limit)
    if dropped and oldest is not None and oldest > start:
        context.gap(
            "argocd",
            f"history of {name}",
            f"history holds {held}; the oldest is from {(format_ns(oldest) or '')[:19]}Z; changes before are seen only "
            "through ReplicaSets and events",
            "Raise spec.revisionHistoryLimit, or keep bundles.",
            start=start,
            end=oldest,
        )
