"""orphan: objects that left Git and live on, because no sync prunes.

Not orphans (measured on Argo CD 3.5): everything requires pruning while manifests cannot be compared (ComparisonError,
sync status Unknown), and so do finished hook Jobs, which stand in ``resources`` without a status. Nor what its own
annotations ask Argo CD to keep (``Prune=false``) or not to mind (``IgnoreExtraneous``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.applications import Application, known_applications, known_syncs
from incident_kit.correlate.changes.sync import Sync
from incident_kit.correlate.objects import (
    Objects,
    annotation,
    created_at,
    name_of,
    namespace_of,
    read_objects,
    tracked_by,
)
from incident_kit.nested import Document, text
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at
from incident_kit.tables.argocd import APPLICATIONS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    syncs = known_syncs(evidence)
    applications = known_applications(evidence)
    outcomes: list[Outcome] = []
    for application in applications:
        required = [r for r in application.resources if _requires_pruning(r, objects)]
        trouble = _cannot_compare(application)
        if trouble and required:
            about = f"the resources of {application.application}"
            outcomes.append(DidNotApply(because=f"Argo CD could not compare them: {trouble}", about=about))
            continue
        suspicious = len(required) > 1 and len(required) == len([r for r in application.resources if "status" in r])
        mine = [s for s in syncs if s.application == application.application]
        outcomes += [_finding(r, application, mine, suspicious=suspicious) for r in required]
    known = {a.name for a in applications}
    outcomes += [_left_behind(d, a) for d, a in _of_missing_applications(objects, known)]
    return outcomes


def _cannot_compare(application: Application) -> str | None:
    for condition in application.conditions:
        if condition.get("type") in {"ComparisonError", "InvalidSpecError", "UnknownError"}:
            return f"{condition.get('type')}: {str(condition.get('message'))[:200]}"
    return "sync status Unknown" if application.sync_status == "Unknown" else None


def _requires_pruning(resource: Document, objects: Objects) -> bool:
    if resource.get("requiresPruning") is not True or "status" not in resource or resource.get("hook") is True:
        return False
    kind, name = str(resource.get("kind")), str(resource.get("name"))
    # Where the kind was captured and the object is not there, it is gone already.
    document = objects.get(kind, text(resource.get("namespace")), name)
    return kind not in objects.kinds if document is None else not _meant_to_stay(document)


def _meant_to_stay(document: Document) -> bool:
    return any(
        wanted in [option.strip() for option in (annotation(document, key) or "").split(",")]
        for key, wanted in (
            ("argocd.argoproj.io/sync-options", "Prune=false"),
            ("argocd.argoproj.io/compare-options", "IgnoreExtraneous"),
        )
    )


def _finding(resource: Document, application: Application, syncs: list[Sync], *, suspicious: bool) -> Finding:
    kind, name = str(resource.get("kind")), str(resource.get("name"))
    evidence = [
        f"resources of Application {application.application}: {kind} {name} requiresPruning, {resource['status']}"
    ]
    skipped = [s for s in syncs if s.dry_run is not True and _skipped(s, kind, name)]
    evidence += [f"sync at {at(s.moment)}: PruneSkipped" for s in skipped]
    if suspicious:
        evidence.append("every resource of the Application requires pruning: a manifest that is skipped looks the same")
    called = application.name
    if called != application.application:  # another namespace has one of that name: as argocd's own commands want it
        called = f"{application.namespace}/{called}"
    return RULE.finding(
        f"{kind} {name} is no longer in Git and lives on: no sync of {application.application} pruned it",
        time=skipped[-1].moment if skipped else application.reconciled_at,
        kind=kind,
        namespace=text(resource.get("namespace")),
        name=name,
        evidence=evidence,
        confidence=0.5 if suspicious else 0.95,
        next_step=f"Decide whether it is still wanted; if not, prune it by hand: argocd app sync "
        f"{called} --prune --resource {resource.get('group') or ''}:{kind}:{name}",
    )


def _skipped(sync: Sync, kind: str, name: str) -> bool:
    return any((r.kind, r.name, r.status) == (kind, name, "PruneSkipped") for r in sync.results)


def _of_missing_applications(objects: Objects, known: set[str]) -> Iterable[tuple[Document, str]]:
    """Objects tracked by an Application that is gone: one pruned without finalizer leaves them behind."""
    for kind in sorted(objects.kinds):
        for document in objects.of(kind):
            application = tracked_by(document)
            if application is None or application in known:
                continue
            # Controllers copy annotations to what they make; only the tracked object itself counts.
            tracking = annotation(document, "argocd.argoproj.io/tracking-id") or ""
            if tracking.endswith(f"/{kind}:{namespace_of(document) or ''}/{name_of(document)}"):
                yield document, application


def _left_behind(document: Document, application: str) -> Finding:
    kind, name = str(document["kind"]), name_of(document)
    return RULE.finding(
        f"{kind} {name} is tracked by Application {application}, which does not exist any more",
        time=created_at(document),
        kind=kind,
        namespace=namespace_of(document),
        name=name,
        evidence=[f"tracking id names {application}", "no Application of that name was captured"],
        confidence=0.7,
        next_step="Delete it, or bring its Application back.",
    )


RULE = Rule(
    name="orphan",
    question="Which objects are no longer in Git and were not pruned?",
    severity="info",
    needs=(APPLICATIONS,),
    refuted_by="The manifest is in Git and Argo CD could not read it, or the object is a hook's.",
    judge=_judge,
)
