"""image-without-history: an image changed and Argo CD's history has no entry for it.

History leaves out selective and failed syncs, and knows nothing of changes by hand (argo-cd: persistRevisionHistory is
called for whole, successful, real syncs only).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.applications import Application, known_applications
from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.sync import Sync
from incident_kit.correlate.changes.table import joined_changes
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at, severity_at
from incident_kit.tables.argocd import APPLICATIONS
from incident_kit.tables.kubernetes import OBJECTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    applications = {one.application: one for one in known_applications(evidence)}
    found: list[Outcome] = []
    unjudged: dict[str, str] = {}
    for change in joined_changes(evidence):
        name = (change.application or "").rsplit("/", 1)[-1]
        if change.what not in {"image", "rollback"} or change.kind == "Application" or not change.old:
            continue
        application = applications.get(name)
        if application is None or change.time is None:
            continue
        sync = change.sync
        if sync is not None and sync.history_id is not None:
            continue
        why = _not_covered(application, change.time)
        if why is not None and sync is None:
            unjudged[name] = why
            continue
        if why is not None and sync is not None and sync.succeeded_whole:
            continue
        found.append(_finding(change, application, sync, evidence))
    found += [DidNotApply(because=why, about=f"image changes of {name}") for name, why in sorted(unjudged.items())]
    return found


def _not_covered(application: Application, time: int) -> str | None:
    """Why history's silence about an instant says nothing; None when it does."""
    oldest = application.history_oldest_at
    if application.history_length == 0:
        return "its history is empty"
    if oldest is None or time < oldest:
        return f"its history begins only at {at(oldest)}"
    return None


def _finding(change: Change, application: Application, sync: Sync | None, evidence: Evidence) -> Finding:
    how, confidence = _how(change, sync)
    return RULE.finding(
        f"{change.kind} {change.name} changed from {change.old} to {change.new} at {at(change.time)} without an entry in the "
        f"history of {application.application}: {how}",
        time=change.time,
        kind="Application",
        namespace=application.namespace,
        name=application.name,
        evidence=[*change.evidence, f"history holds {application.history_length} entries, none at that time"],
        confidence=confidence,
        next_step="Ask who did it; the next whole sync puts back what Git says.",
        severity=severity_at(change.time, evidence),
    )


def _how(change: Change, sync: Sync | None) -> tuple[str, float]:
    if sync is not None and sync.partial:
        return f"a selective sync at {at(sync.moment)}", 0.95
    if sync is not None and sync.phase in {"Failed", "Error"}:
        return f"a sync that failed at {at(sync.moment)} and yet changed it", 0.95
    if sync is not None:
        return "a sync that only its events remember", 0.6
    if change.manager and not change.manager.startswith("argocd"):
        return f"written by {change.manager}, not by Argo CD", 0.95
    if change.by:
        return f"by {change.by}", 0.9
    return "by hand or by a selective sync; nothing says which", 0.8


RULE = Rule(
    name="image-without-history",
    question="Which image changes does Argo CD's history not know?",
    severity="warning",
    needs=(APPLICATIONS, OBJECTS),
    refuted_by="An entry of history from that time in an earlier copy of the Application.",
    judge=_judge,
)
