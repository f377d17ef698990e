"""Rollouts: what the ReplicaSets and ControllerRevisions of a workload remember of its pod templates.

A ReplicaSet is created once for a pod template and used again when the template comes back; its
``deployment.kubernetes.io/revision`` then moves on and ``revision-history`` keeps the numbers it had. Its creation
time tells only of its first use; that of the last is read from the pods it made.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.templates import (
    RESTARTED_AT,
    TemplateDifference,
    compare_templates,
    image_list,
    images,
)
from incident_kit.correlate.changes.writes import writes_of
from incident_kit.correlate.field_managers import acts_alone
from incident_kit.correlate.objects import Objects, annotation, controller, created_at, name_of, namespace_of
from incident_kit.nested import Document, field, mapping
from incident_kit.window import SECOND, format_ns, parse_rfc3339

#: Kinds whose templates ReplicaSets hold: the API's own, and Argo Rollouts'.
_BY_REPLICA_SETS = frozenset({"Deployment", "Rollout"})
#: Kinds whose pod templates are rolled out and remembered.
ROLLED_OUT = _BY_REPLICA_SETS | {"StatefulSet", "DaemonSet"}
_REVISION = ("deployment.kubernetes.io/revision", "rollout.argoproj.io/revision")
_REVISION_HISTORY = ("deployment.kubernetes.io/revision-history", "rollout.argoproj.io/revision-history")
#: A Deployment's controller makes the ReplicaSet within a second of the write; clocks are whole seconds.
_WRITE_MARGIN = 3 * SECOND


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One pod template in use by a workload from a time on.

    Attributes:
        number: revision of the workload.
        since: when it came into use (ns), None when not known.
        holder: name of the ReplicaSet or ControllerRevision.
        template: the pod template.
        observed: False where ``since`` is inferred.
        first_made: when the holder was created: an older template that came back has an earlier one.
        evidence: what ``since`` rests on.
    """

    number: int
    since: int | None
    holder: str
    template: Document
    observed: bool
    first_made: int | None
    evidence: str


def revisions(workload_kind: str, namespace: str | None, name: str, objects: Objects) -> list[Revision]:
    """Revisions of a workload that its holders remember, oldest first."""
    kind = "ReplicaSet" if workload_kind in _BY_REPLICA_SETS else "ControllerRevision"
    found: list[Revision] = []
    mine = []
    for holder in objects.of(kind):
        owner = controller(holder)
        if owner is None or (owner.get("kind"), owner.get("name")) != (workload_kind, name):
            continue
        if namespace_of(holder) == namespace:
            mine.append(holder)
    numbers = _numbers_of_all(mine, kind)
    newest = max((n[-1] for n in numbers.values()), default=0)
    for holder in mine:
        found += _revisions_of(holder, kind, numbers[name_of(holder)], objects, newest)
    return sorted(found, key=lambda r: (r.number, r.since or 0))


def _numbers_of_all(holders: list[Document], kind: str) -> dict[str, list[int]]:
    """Revision numbers by holder, with first uses that ``revision-history`` does not tell.

    Numbers are given in order of use, so a holder that is older than one with a smaller number was used before it, too.
    """
    numbers = {name_of(h): _numbers(h, kind) for h in holders}
    floor: int | None = None
    for holder in sorted(holders, key=lambda h: (-(created_at(h) or 0), -numbers[name_of(h)][0])):
        mine = numbers[name_of(holder)]
        if floor is not None and created_at(holder) is not None and mine[0] > floor > 1:
            mine.insert(0, floor - 1)
        floor = mine[0] if floor is None else min(floor, mine[0])
    return numbers


def _numbers(holder: Document, kind: str) -> list[int]:
    """Revision numbers that a holder stood for, ascending."""
    if kind == "ControllerRevision":
        number = holder.get("revision")
        return [number if isinstance(number, int) else 0]
    told = [annotation(holder, key) or "" for key in (*_REVISION_HISTORY, *_REVISION)]
    return sorted({int(n) for text in told for n in text.split(",") if n.isdecimal()}) or [0]


def _revisions_of(holder: Document, kind: str, numbers: list[int], objects: Objects, newest: int) -> list[Revision]:
    """Every revision that one holder stood for: its first use, and its later ones as far as their times are known."""
    made = created_at(holder)
    path = ("data", "spec", "template") if kind == "ControllerRevision" else ("spec", "template")
    later = [t for t in objects.scaled_up.get((namespace_of(holder), name_of(holder)), []) if t > (made or 0) + SECOND]
    found = []
    for position, number in enumerate(numbers):
        since, evidence = made, f"{kind} {name_of(holder)} created"
        if position:
            from_end = len(numbers) - position
            since = later[-from_end] if from_end <= len(later) else None
            evidence = f"{kind} {name_of(holder)} used again"
            if since is None and from_end == 1:
                since = _last_use(holder, objects, current=number == newest)
        revision = Revision(
            number=number,
            since=since,
            holder=name_of(holder),
            template=mapping(holder, *path),
            observed=position == 0,
            first_made=made,
            evidence=evidence,
        )
        found.append(revision)
    return found


def _last_use(replica_set: Document, objects: Objects, *, current: bool) -> int | None:
    """When a ReplicaSet came back into use, by its oldest pod; by its controller's last write where it has no pod.

    The controller writes to a ReplicaSet also when it scales it down for the next one, so only the current one's counts.
    """
    made = created_at(replica_set) or 0
    pods = [t for p in objects.owned_by(replica_set, "Pod") if (t := created_at(p)) is not None and t > made + SECOND]
    if pods or not current:
        return min(pods, default=None)
    writes = [w.time for w in writes_of(replica_set) if w.touches("f:metadata", "f:annotations") and w.time]
    return min((t for t in writes if t > made + SECOND), default=None)


def workloads(objects: Objects) -> list[tuple[str, str | None, str]]:
    """Kind, namespace and name of every workload known by itself or by the holders of its revisions."""
    found = {(kind, namespace_of(d), name_of(d)) for kind in ROLLED_OUT for d in objects.of(kind)}
    for kind in ("ReplicaSet", "ControllerRevision"):
        for holder in objects.of(kind):
            owner = controller(holder)
            if owner is not None and owner.get("kind") in ROLLED_OUT:
                found.add((str(owner["kind"]), namespace_of(holder), str(owner.get("name"))))
    return sorted(found, key=str)


def rollout_changes(objects: Objects) -> list[Change]:
    """One change for each revision of each workload that came into use."""
    changes: list[Change] = []
    for kind, namespace, name in workloads(objects):
        document = objects.get(kind, namespace, name)
        known = revisions(kind, namespace, name, objects)
        if not known and document is not None:
            changes.append(_created(kind, namespace, name, document))
        for position, revision in enumerate(known):
            previous = known[position - 1] if position else None
            change = _change(kind, namespace, name, revision, previous, document)
            later = [r.since for r in known if r.holder == revision.holder and r.number > revision.number]
            change.evidence += _pods_evidence(namespace, revision, later, objects)
            changes.append(change)
    return changes


def _created(kind: str, namespace: str | None, name: str, document: Document) -> Change:
    """A workload of which no revision was captured: its creation is all that is known."""
    return Change(
        time=created_at(document),
        kind=kind,
        namespace=namespace,
        name=name,
        what="created",
        new=image_list(mapping(document, "spec", "template")) or None,
        evidence=[f"{kind} {name} created; its revisions were not captured, so the image is the present one"],
    )


def _change(
    kind: str,
    namespace: str | None,
    name: str,
    revision: Revision,
    previous: Revision | None,
    document: Document | None,
) -> Change:
    change = Change(
        time=revision.since,
        kind=kind,
        namespace=namespace,
        name=name,
        what="created" if revision.number == 1 else "rollout",
        new=image_list(revision.template),
        observed=revision.observed,
        precision_seconds=1.0 if revision.observed else 5.0,
        evidence=[f"{revision.evidence}, revision {revision.number}"],
    )
    if previous is not None:
        difference = compare_templates(previous.template, revision.template)
        _describe(change, difference, revision, previous)
        if revision.number > previous.number + 1:
            change.evidence.append(f"revisions between {previous.number} and {revision.number} are gone")
    _who(change, document)
    return change


def _describe(change: Change, difference: TemplateDifference, revision: Revision, previous: Revision) -> None:
    change.what = difference.what
    if difference.what == "image":
        change.old, change.new = image_list(previous.template), image_list(revision.template)
    else:
        change.old, change.new = difference.before(), difference.after()
    change.evidence += [f"{c}: image {o or 'none'} -> {n or 'none'}" for c, o, n in difference.images]
    if difference.what == "image":
        change.evidence += difference.sentences()
    went_back = revision.first_made is not None and previous.first_made is not None
    if not revision.observed and went_back and (revision.first_made or 0) < (previous.first_made or 0):
        change.what = "rollback"
        change.old, change.new = image_list(previous.template), image_list(revision.template)
    if difference.what == "deploy_restart" and difference.restarted:
        change.evidence.append(f"annotation {RESTARTED_AT} {difference.restarted}")
        change.time = change.time if change.time is not None else parse_rfc3339(difference.restarted)


def _who(change: Change, document: Document | None) -> None:
    """The field manager whose write to the pod template has the rollout's time."""
    if document is None or change.time is None:
        return
    for write in writes_of(document):
        near = write.time is not None and -_WRITE_MARGIN <= change.time - write.time <= _WRITE_MARGIN
        if near and write.touches("f:spec", "f:template"):
            change.manager, change.automated = write.manager, acts_alone(write.manager)
            change.evidence.append(f"field manager {write.manager} wrote the pod template")
            return


def _pods_evidence(namespace: str | None, revision: Revision, later: list[int | None], objects: Objects) -> list[str]:
    """The captured pods of one use of a ReplicaSet: made in it, before the holder came into use again."""
    holder = objects.get("ReplicaSet", namespace, revision.holder)
    pods = objects.owned_by(holder, "Pod") if holder is not None else []
    since, until = revision.since or 0, min((t for t in later if t is not None), default=None)
    made = {name_of(p): created_at(p) or 0 for p in pods}
    names = sorted(n for n, t in made.items() if (not t or t >= since - SECOND) and (until is None or t < until))
    if not names:
        return []
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return [f"pods {shown} run it"]


def current_images(document: Document) -> dict[str, str | None]:
    """Images that a workload's own template asks for now."""
    return images(mapping(document, "spec", "template"))


def mark_undone(changes: list[Change]) -> None:
    """Say of an image change what brought the images before it back."""
    by_workload: dict[tuple[str, str | None, str], list[Change]] = {}
    for change in changes:
        if change.what in {"image", "rollback"} and change.old and change.time is not None:
            by_workload.setdefault((change.kind, change.namespace, change.name), []).append(change)
    for series in by_workload.values():
        series.sort(key=lambda c: c.time or 0)
        for earlier, later in pairwise(series):
            if later.new == earlier.old and earlier.undone_by is None:
                earlier.undone_by = describe_briefly(later)


def describe_briefly(change: Change) -> str:
    """A change in a few words, for `undone_by`."""
    who = change.by or change.manager
    by = f" by {who}" if who else " by Argo CD" if change.automated else ""
    when = (format_ns(change.time) or "an unknown time")[:19]
    what = "image change" if change.what == "image" else change.what
    return f"{what} to {change.new or '?'}{by} at {when}Z"


def template_of(workload: Document) -> dict[str, Any]:
    """Pod template of any workload: Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob."""
    if workload.get("kind") == "CronJob":
        return mapping(workload, "spec", "jobTemplate", "spec", "template")
    if workload.get("kind") == "Pod":
        return {"metadata": field(workload, "metadata") or {}, "spec": mapping(workload, "spec")}
    return mapping(workload, "spec", "template")
