"""Syncs and actions of Argo CD, joined with the changes they made.

A sync's own row stays only where no other object shows what it changed: then it is a sync that changed nothing, that
failed, or whose effects nobody remembers.
"""

from __future__ import annotations

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.rollouts import ROLLED_OUT, describe_briefly
from incident_kit.correlate.changes.sync import Sync, is_unchanged
from incident_kit.correlate.changes.writes import writes_of
from incident_kit.correlate.field_managers import is_argo_cd
from incident_kit.correlate.objects import Objects
from incident_kit.nested import Document
from incident_kit.window import SECOND

#: Clocks of Argo CD and of the API server are whole seconds; controllers follow a write within seconds.
_BEFORE, _AFTER = 2 * SECOND, 5 * SECOND
_WORKLOADS = ROLLED_OUT | {"CronJob"}
#: Changes of workloads whose ``new`` is a list of images.
_WITH_IMAGES = frozenset({"image", "created", "rollout", "rollback"})
#: What a sync writes to these is a change of its own: others read it.
_OWN_ROWS = frozenset({"ConfigMap", "Secret", "NetworkPolicy"})
_QUIET = {"ConfigMap": "config", "Secret": "config", "NetworkPolicy": "network_policy"}


def join_syncs(changes: list[Change], syncs: list[Sync], paths: dict[str, str], objects: Objects) -> list[Change]:
    """The changes with the syncs that made them, and as changes of their own the syncs that left no other trace."""
    real = [s for s in syncs if s.is_real]
    changes = [*changes, *_only_in_results(changes, real, objects), *_pruned(real)]
    for change in changes:
        found = _sync_of(change, real)
        if found is not None:
            _adopt(change, found)
    _place_unknown(changes, real)
    used = {id(c.sync) for c in changes if c.sync is not None}
    unseen = [s for s in real if id(s) not in used]
    rest = [_sync_change(s, paths) for s in unseen]
    _mark_undone_rollbacks(rest, unseen, real, paths)
    _images_by_revision(rest, unseen, changes)
    for change in changes:
        change.application = paths.get(change.application or "", change.application)
    return [*changes, *rest]


def _images_by_revision(rest: list[Change], syncs: list[Sync], changes: list[Change]) -> None:
    """Images of syncs that no rollout shows: a revision of an Application brings the images that it brought before."""
    known: dict[tuple[str, tuple[str, ...]], dict[tuple[str | None, str], str]] = {}
    course: dict[str, list[tuple[int, str]]] = {}
    for change in changes:
        sync = change.sync
        if sync is not None and change.kind in _WORKLOADS and change.what in _WITH_IMAGES and change.new:
            images = known.setdefault((sync.application, sync.revisions), {})
            images[(change.namespace, change.name)] = change.new
            course.setdefault(sync.application, []).append((sync.order, change.new))
    for change, sync in sorted(zip(rest, syncs, strict=True), key=lambda pair: pair[1].order):
        images = known.get((sync.application, sync.revisions), {})
        if len(images) != 1 or change.what not in {"sync", "rollback"} or not sync.revisions:
            continue
        [brought] = images.values()
        time = sync.order
        before = max((step for step in course.get(sync.application, []) if step[0] < time), default=None)
        course.setdefault(sync.application, []).append((time, brought))
        if before is None or before[1] != brought:
            change.evidence.append(f"to {change.new}; images inferred: this revision brought {brought} before")
            change.old, change.new = (before[1] if before else None), brought


def _place_unknown(changes: list[Change], syncs: list[Sync]) -> None:
    """A rollout of unknown time is the one sync between the rollouts before and after it that made no other."""
    series: dict[tuple[str, str | None, str], list[Change]] = {}
    for change in changes:
        if change.kind in _WORKLOADS:
            series.setdefault((change.kind, change.namespace, change.name), []).append(change)
    for rollouts in series.values():
        used = {id(c.sync) for c in rollouts if c.sync is not None}
        for position, change in enumerate(rollouts):
            if change.time is not None:
                continue
            before = max((c.time for c in rollouts[:position] if c.time is not None), default=0)
            after = min((c.time for c in rollouts[position + 1 :] if c.time is not None), default=None)
            open_syncs = [
                s
                for s in syncs
                if s.application == change.application
                and id(s) not in used
                and before < s.order
                and (after is None or s.order < after)
                and not s.changed_nothing
            ]
            if len(open_syncs) == 1:
                used.add(id(open_syncs[0]))
                change.time = open_syncs[0].moment
                _adopt(change, open_syncs[0])


def _pruned(syncs: list[Sync]) -> list[Change]:
    """Objects that a sync deleted: nothing else remembers them."""
    return [
        Change(
            time=sync.moment,
            kind=result.kind,
            namespace=result.namespace,
            name=result.name,
            what="pruned",
            old="there",
            evidence=[f"sync result: {result.message or 'Pruned'}"],
            application=sync.application,
        )
        for sync in syncs
        for result in sync.results
        if result.status == "Pruned"
    ]


def _only_in_results(changes: list[Change], syncs: list[Sync], objects: Objects) -> list[Change]:
    """Objects that a sync says it configured and that remember no write themselves (no managedFields)."""
    found = []
    for sync in syncs:
        for result in sync.results:
            kind, name, namespace = result.kind, result.name, result.namespace
            what = _QUIET.get(kind)
            message = result.message or ""
            if what is None or result.status != "Synced" or not message.endswith((" configured", " created")):
                continue
            if _remembers_writes(objects.get(kind, namespace, name)):
                continue  # its managedFields know: what was configured was a label or an annotation
            mine = [c for c in changes if (c.kind, c.namespace, c.name) == (kind, namespace, name)]
            end = sync.order
            if any(c.time is not None and abs(c.time - end) <= 60 * SECOND for c in mine):
                continue
            found.append(
                Change(
                    time=end,
                    kind=kind,
                    namespace=namespace,
                    name=name,
                    what=what if message.endswith(" configured") else "created",
                    evidence=[f"sync result: {message}"],
                    observed=False,
                    application=sync.application,
                )
            )
    return found


def _remembers_writes(document: Document | None) -> bool:
    return document is not None and any(not write.inferred for write in writes_of(document))


def fold(changes: list[Change], paths: dict[str, str]) -> list[Change]:
    """One change for each sync: what it rolled out is its evidence. What it wrote to configuration stays beside it."""
    groups: dict[int, list[Change]] = {}
    folded: list[Change] = []
    for change in changes:
        alone = change.kind in _OWN_ROWS and change.what != "pruned"
        if change.sync is None or alone or change.what == "hook_job":
            folded.append(change)
        else:
            groups.setdefault(id(change.sync), []).append(change)
    for parts in groups.values():
        folded.append(_folded(parts, paths))
    return folded


def _folded(parts: list[Change], paths: dict[str, str]) -> Change:
    assert parts[0].sync is not None
    sync = parts[0].sync
    change = _sync_change(sync, paths)
    rollouts = [p for p in parts if p.kind in _WORKLOADS]
    told = rollouts or parts
    change.old = "; ".join(dict.fromkeys(p.old for p in told if p.old)) or None
    change.new = "; ".join(dict.fromkeys(p.new for p in told if p.new)) or change.new
    if any(p.what == "rollback" for p in rollouts):
        change.what = "rollback"
    elif change.what == "sync_without_changes":
        change.what = "sync"
    for part in parts:
        change.evidence += [f"{part.kind} {part.name}: {part.what}", *part.evidence]
    change.evidence = list(dict.fromkeys(change.evidence))
    change.undone_by = next((p.undone_by for p in parts if p.undone_by), None)
    if change.time is None or sync.source == "event":
        change.time = min((p.time for p in parts if p.time is not None), default=change.time)
    return change


def _sync_of(change: Change, syncs: list[Sync]) -> Sync | None:
    """The sync whose operation the change falls into and that covers its object, of the same kind; else the nearest."""
    if change.time is None or change.kind == "Pod" or change.what in {"job", "manual_job", "endpoints", "scale"}:
        return None
    if change.manager and not is_argo_cd(change.manager):
        return None
    best: tuple[tuple[int, bool, int], Sync] | None = None
    slack = int((change.precision_seconds - 1) * SECOND)
    for sync in syncs:
        if sync.application != change.application or not _covers(sync, change):
            continue
        end = sync.order
        start = sync.started_at if sync.started_at is not None else end
        if start - _BEFORE - slack <= change.time <= end + _AFTER:
            outside = max(start - change.time, change.time - end, 0)
            distance = outside, (change.what == "rollback") != bool(sync.rollback), abs(change.time - end)
            if best is None or distance < best[0]:
                best = (distance, sync)
    return best[1] if best else None


def _covers(sync: Sync, change: Change) -> bool:
    if sync.selected_resources:
        return f"{change.kind}/{change.name}" in sync.selected_resources
    mine = [r for r in sync.results if (r.kind, r.name) == (change.kind, change.name)]
    return not mine or not all(is_unchanged(r) for r in mine)


def _adopt(change: Change, sync: Sync) -> None:
    change.sync = sync
    change.evidence.insert(0, sync.sentence)
    if sync.initiated_by or sync.automated is not None:
        change.by, change.automated = sync.initiated_by, sync.automated
    if sync.rollback and change.what in {"image", "rollout", "template"}:
        change.what = "rollback"


def _sync_change(sync: Sync, paths: dict[str, str]) -> Change:
    what = "sync"
    new = ", ".join(sync.revisions) or None
    if sync.rollback:
        what = "rollback"
    elif sync.phase in {"Failed", "Error"}:
        what = "failed_sync"
    elif sync.partial:
        what = "partial_sync"
    elif sync.changed_nothing:
        what, new = "sync_without_changes", f"{new}: every resource was unchanged"
    evidence = [sync.sentence]
    if sync.selected_resources:
        evidence.append(f"limited to {', '.join(sync.selected_resources)}")
    if len(sync.revisions) > 1:
        evidence.append("multi-source: " + "; ".join(
            f"{source} at {revision}" for source, revision in zip(sync.sources, sync.revisions, strict=False)
        ))  # fmt: skip
    if sync.message and sync.phase != "Succeeded":
        evidence.append(str(sync.message)[:500])
    evidence += [f"{r.kind}/{r.name}: {r.status}" for r in sync.results if r.status in _TELLING]
    return Change(
        time=sync.moment,
        kind="Application",
        namespace=sync.namespace,
        name=sync.name,
        what=what,
        new=new,
        by=sync.initiated_by,
        automated=sync.automated,
        evidence=evidence,
        observed=not (sync.source == "event" and not sync.partial and sync.phase == "Succeeded"),
        application=paths.get(sync.application, sync.application),
    )


_TELLING = frozenset({"PruneSkipped", "Pruned", "SyncFailed"})


def _mark_undone_rollbacks(changes: list[Change], mine: list[Sync], syncs: list[Sync], paths: dict[str, str]) -> None:
    for change, sync in zip(changes, mine, strict=True):
        if change.what != "rollback" or change.undone_by is not None or change.kind != "Application":
            continue
        later = [s for s in syncs if s.subject == sync.subject and s.order > (change.time or 0)]
        whole = [s for s in later if s.succeeded_whole]
        other = next((s for s in whole if ", ".join(s.revisions) != change.new), None)
        if other is not None and not other.rollback:
            change.undone_by = describe_briefly(_sync_change(other, paths))
