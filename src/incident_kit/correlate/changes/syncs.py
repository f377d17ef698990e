"""Syncs and actions of Argo CD, joined with the changes they made.

A sync's own row stays only where no other object shows what it changed: then it is a sync that changed nothing, that
failed, or whose effects nobody remembers.
"""

from __future__ import annotations

import json
import re
from typing import Any

from incident_kit.correlate.changes.happenings import annotations_of
from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.rollouts import describe_briefly
from incident_kit.window import SECOND, format_ns

Row = dict[str, Any]

#: Clocks of Argo CD and of the API server are whole seconds; controllers follow a write within seconds.
_BEFORE, _AFTER = 2 * SECOND, 5 * SECOND
_ACTION = re.compile(r"^(?P<user>.+) ran action (?P<action>\S+) on resource (?P<group>[^/]*)/(?P<kind>[^/]+)/(?P<name>\S+)$")
_UNCHANGED = re.compile(r"\bunchanged\b")
#: Field managers of Argo CD's application controller.
ARGO_MANAGERS = ("argocd-controller", "argocd-application-controller")


def sync_sentence(sync: Row) -> str:
    """One sync in words, as evidence."""
    who = "autosync" if sync["automated"] else sync["initiated_by"] or "nobody recorded"
    kind = "rollback" if sync["rollback"] else "partial sync" if sync["partial"] else "sync"
    revision = ", ".join(r[:12] for r in sync["revisions"] or []) or "unknown revision"
    number = f" (history id {sync['history_id']})" if sync["history_id"] is not None else " (not in history)"
    when = (format_ns(moment(sync)) or "")[:19]
    return f"{kind} of {sync['application']} to {revision} by {who} at {when}Z, {sync['phase']}{number}, from {sync['source']}"


def moment(sync: Row) -> int | None:
    """When a sync ended, or began where its end is not known."""
    value: int | None = sync["finished_at"] if sync["finished_at"] is not None else sync["started_at"]
    return value


def join_syncs(changes: list[Change], syncs: list[Row], paths: dict[str, str]) -> list[Change]:
    """The changes with the syncs that made them as evidence, and the syncs that left no other trace."""
    real = [s for s in syncs if s["dry_run"] is not True and moment(s) is not None]
    used: set[int] = set()
    for change in changes:
        found = _sync_of(change, real)
        if found is not None:
            used.add(found)
            _adopt(change, real[found])
    rest = [_sync_change(s, paths) for position, s in enumerate(real) if position not in used]
    for change in changes:
        change.application = paths.get(change.application or "", change.application)
    merged = [*changes, *rest]
    _mark_undone_rollbacks(merged, real, paths)
    return merged


def _sync_of(change: Change, syncs: list[Row]) -> int | None:
    """Position of the sync whose operation the change falls into and that covers its object."""
    if change.time is None or change.kind == "Pod" or change.what in {"job", "manual_job", "endpoints", "scale"}:
        return None
    if change.manager is not None and not change.manager.startswith(ARGO_MANAGERS):
        return None
    best: tuple[int, int] | None = None
    for position, sync in enumerate(syncs):
        if sync["application"] != change.application or not _covers(sync, change):
            continue
        end = moment(sync) or 0
        start = sync["started_at"] if sync["started_at"] is not None else end
        if start - _BEFORE <= change.time <= end + _AFTER:
            distance = abs(change.time - end)
            if best is None or distance < best[0]:
                best = (distance, position)
    return best[1] if best else None


def _covers(sync: Row, change: Change) -> bool:
    if sync["selected_resources"]:
        return f"{change.kind}/{change.name}" in sync["selected_resources"]
    results = results_of(sync)
    if not results:
        return True
    mine = [r for r in results if (r.get("kind"), r.get("name")) == (change.kind, change.name)]
    return not mine or not all(_UNCHANGED.search(str(r.get("message"))) for r in mine)


def results_of(sync: Row) -> list[Row]:
    """syncResult.resources of a sync, empty when only history or an event remembers it."""
    found = json.loads(sync["results"]) if sync["results"] else []
    return [r for r in found if isinstance(r, dict)]


def _adopt(change: Change, sync: Row) -> None:
    change.evidence.insert(0, sync_sentence(sync))
    if sync["initiated_by"] or sync["automated"] is not None:
        change.by, change.automated = sync["initiated_by"], sync["automated"]
    if sync["rollback"] and change.what in {"image", "rollout", "template"}:
        change.what = "rollback"


def changed_nothing(sync: Row) -> bool:
    """Whether every resource of a sync that succeeded was said to be unchanged."""
    results = [r for r in results_of(sync) if not r.get("hookType")]
    messages = [str(r.get("message")) for r in results]
    return sync["phase"] == "Succeeded" and bool(messages) and all(_UNCHANGED.search(m) for m in messages)


def _sync_change(sync: Row, paths: dict[str, str]) -> Change:
    what = "sync"
    new = ", ".join(sync["revisions"] or []) or None
    if sync["rollback"]:
        what = "rollback"
    elif sync["phase"] in {"Failed", "Error"}:
        what = "failed_sync"
    elif sync["partial"]:
        what = "partial_sync"
    elif changed_nothing(sync):
        what, new = "sync_without_changes", f"{new}: every resource was unchanged"
    evidence = [sync_sentence(sync)]
    if sync["selected_resources"]:
        evidence.append(f"limited to {', '.join(sync['selected_resources'])}")
    if len(sync["revisions"] or []) > 1:
        evidence.append("multi-source: " + "; ".join(
            f"{source} at {revision}" for source, revision in zip(sync["sources"], sync["revisions"], strict=False)
        ))  # fmt: skip
    if sync["message"] and sync["phase"] != "Succeeded":
        evidence.append(str(sync["message"])[:500])
    evidence += [
        f"{r.get('kind')}/{r.get('name')}: {r.get('status')}" for r in results_of(sync) if r.get("status") in _TELLING
    ]
    return Change(
        time=moment(sync),
        kind="Application",
        namespace=sync["namespace"],
        name=sync["application"],
        what=what,
        new=new,
        by=sync["initiated_by"],
        automated=sync["automated"],
        evidence=evidence,
        observed=not (sync["source"] == "event" and not sync["partial"] and sync["phase"] == "Succeeded"),
        application=paths.get(sync["application"], sync["application"]),
    )


_TELLING = frozenset({"PruneSkipped", "Pruned", "SyncFailed"})


def _mark_undone_rollbacks(changes: list[Change], syncs: list[Row], paths: dict[str, str]) -> None:
    for change in changes:
        if change.what != "rollback" or change.undone_by is not None or change.kind != "Application":
            continue
        later = [s for s in syncs if s["application"] == change.name and (moment(s) or 0) > (change.time or 0)]
        whole = [s for s in later if not s["partial"] and s["phase"] == "Succeeded"]
        if whole and not whole[0]["rollback"] and ", ".join(whole[0]["revisions"] or []) != change.new:
            change.undone_by = describe_briefly(_sync_change(whole[0], paths))


def name_actors(changes: list[Change], events: list[Row]) -> None:
    """Who ran an action in Argo CD (Restart, Create Job), which only an event tells."""
    for event in events:
        match = _ACTION.match(str(event["message"] or "")) if event["reason"] == "ResourceActionRan" else None
        time = event["last_at"] if event["last_at"] is not None else event["first_at"]
        if match is None or time is None:
            continue
        namespace = annotations_of(event).get("dest-namespace")
        for change in changes:
            near = change.time is not None and abs(change.time - time) <= _AFTER
            if near and change.namespace in (namespace, None) and _acted_on(change, match):
                change.by, change.automated = match["user"], False
                change.evidence.append(f"event ResourceActionRan: {event['message']}")


def _acted_on(change: Change, match: re.Match[str]) -> bool:
    if change.what == "manual_job" and match["kind"] == "CronJob":
        return change.name.startswith(match["name"])
    return change.kind == match["kind"] and change.name == match["name"]
