"""rollback-undone: somebody rolled back, and a later sync brought the version back.

A rollback is history's entry with a revision from before the one it replaces; Git still holds the newer version, so the
next sync to HEAD, manual, by the pipeline or by autosync, undoes it (argoproj/argo-cd#5351). So does a sync of the Deployment
alone, which Argo CD's history does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.applications import known_applications, known_syncs
from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.sync import Sync
from incident_kit.correlate.changes.table import joined_changes
from incident_kit.rules.rule import Finding, Outcome, Rule, at, severity_at
from incident_kit.tables.argocd import SYNCS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_IMAGE_CHANGES = frozenset({"image", "rollback"})
#: How sure it is where the later sync is to the revision that was rolled back from; where it may have been dry.
_SAME_REVISION, _PERHAPS_DRY = 1.0, 0.7


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    changes = joined_changes(evidence)
    syncs = [s for s in known_syncs(evidence) if _did_something(s)]
    syncs.sort(key=lambda s: (s.application, s.application_uid or "", s.order))
    found = []
    for (application, _), group in groupby(syncs, key=lambda s: s.subject):
        series = list(group)
        if not _is_gone(series[0], evidence):
            mine = [c for c in changes if (c.application or "").rsplit("/", 1)[-1] == application]
            found += _of_application(series, mine, evidence)
    return found


def _did_something(sync: Sync) -> bool:
    return sync.is_real and bool(sync.revisions)


def _moved_the_application(sync: Sync) -> bool:
    return not sync.partial and sync.phase in {"Succeeded", "Running"}


def _of_application(series: list[Sync], changes: list[Change], evidence: Evidence) -> list[Finding]:
    images = [c for c in changes if c.what in _IMAGE_CHANGES and c.old and c.time is not None]
    found = []
    for position, rollback in enumerate(series):
        if not rollback.rollback or not _moved_the_application(rollback):
            continue
        before = next((s for s in reversed(series[:position]) if _moved_the_application(s)), None)
        for later in series[position + 1 :]:
            whole = _moved_the_application(later)
            if whole and later.revisions == rollback.revisions:
                continue
            confidence, why = (
                _weigh(before, rollback, later, images) if whole else _brought_back(rollback, later, images)
            )
            if confidence and not later.rollback:
                found.append(_finding(before, rollback, later, confidence, why, evidence))
            if whole or confidence:
                break
    return found


def _brought_back(rollback: Sync, later: Sync, images: list[Change]) -> tuple[float, str]:
    """Whether a selective or failed sync, which moves no revision, brought the image back."""
    removed, returned = _image_change_at(images, rollback), _image_change_at(images, later)
    if removed is not None and returned is not None and returned.new == removed.old:
        how = "limited to chosen resources" if later.partial else "it failed, and yet changed the image"
        return 0.95, f"the image {returned.new} is the one that was rolled back from ({how})"
    return 0.0, ""


def _weigh(before: Sync | None, rollback: Sync, later: Sync, images: list[Change]) -> tuple[float, str]:
    """How sure it is that the later sync brought back what the rollback had removed."""
    if before is not None and later.revisions == before.revisions:
        return _SAME_REVISION, "it is the very revision that was rolled back from"
    removed = _image_change_at(images, rollback)
    returned = _image_change_at(images, later)
    bad = removed.old if removed is not None else _image_brought_by(images, before)
    if bad is not None and returned is not None:
        if returned.new == bad:
            return 0.95, f"the image {returned.new} is the one that was rolled back from"
        return 0.0, "another image came: the fault was mended, not brought back"
    if removed is not None:
        return 0.0, "the later sync left the images as the rollback had made them"
    return 0.6, "the revision is newer than the one rolled back to; no ReplicaSet shows the images"


def _image_brought_by(images: list[Change], sync: Sync | None) -> str | None:
    change = _image_change_at(images, sync) if sync is not None else None
    return change.new if change is not None else None


def _image_change_at(images: list[Change], sync: Sync) -> Change | None:
    wanted = sync.sentence
    return next((c for c in images if c.sync is not None and c.sync.sentence == wanted), None)


def _is_gone(sync: Sync, evidence: Evidence) -> bool:
    """Whether the Application was deleted since: made anew, or not in its namespace's list.

    Nothing is left to mend then, and its events alone do not tell a dry run from a sync.
    Lists that people collected by hand may be a part.
    """
    beside = [one for one in known_applications(evidence) if one.namespace == sync.namespace]
    uids = [one.uid for one in beside if one.name == sync.name]
    if uids:
        return not any(None in (uid, sync.application_uid) or uid == sync.application_uid for uid in uids)
    return bool(beside) and not evidence.manifest.imported


def _finding(
    before: Sync | None, rollback: Sync, later: Sync, confidence: float, why: str, evidence: Evidence
) -> Finding:
    who = "autosync" if later.automated else later.initiated_by or "somebody who is not recorded"
    if later.initiated_by in evidence.profile.pipeline_accounts:
        who = f"the pipeline ({later.initiated_by})"
    steps = [s.sentence for s in (before, rollback, later) if s is not None]
    if later.dry_run is None and confidence == _SAME_REVISION:
        confidence, why = _PERHAPS_DRY, f"{why}; only an event tells of the sync, which may have been a dry run"
    return RULE.finding(
        f"The rollback of {rollback.application} at {at(rollback.moment)} was undone by a sync by {who} at {at(later.moment)}",
        time=later.moment,
        kind="Application",
        namespace=rollback.namespace,
        name=rollback.name,
        evidence=[*steps, why],
        confidence=confidence,
        next_step="Revert in Git what should stay away; a rollback holds only until the next sync.",
        severity=severity_at(later.moment, evidence),
    )


RULE = Rule(
    name="rollback-undone",
    question="Which rollbacks were undone by a later sync?",
    severity="critical",
    needs=(SYNCS,),
    refuted_by="The later revision holds a fix: compare the images and manifests of the two revisions in Git.",
    judge=_judge,
)
