"""release-incomplete: some Applications of a release were synced, others stayed on the earlier version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.applications import Application, known_applications, known_syncs
from incident_kit.correlate.changes.releases import Member, Release, releases, units
from incident_kit.rules.release_order import no_groups
from incident_kit.rules.rule import DidNotApply, Outcome, Rule, at
from incident_kit.tables.argocd import APPLICATIONS, SYNCS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    applications = {one.application: one for one in known_applications(evidence)}
    known = units(applications, evidence.profile.release_groups)
    if not known:
        return [no_groups(evidence.profile.release_groups)]
    syncs = known_syncs(evidence)
    pause = evidence.profile.release_pause_seconds
    seen_at = evidence.captured_at or evidence.window.end
    outcomes: list[Outcome] = []
    for unit, members in known.items():
        series = releases(unit, members, syncs, pause)
        if not series or series[-1].complete:
            continue
        outcomes += _of_last(series[-1], series[:-1], applications, seen_at, pause)
    return outcomes


def _of_last(
    last: Release, earlier: list[Release], applications: dict[str, Application], seen_at: int, pause_seconds: float
) -> list[Outcome]:
    latest = max(s.order for _, s in last.syncs)
    if seen_at - latest < pause_seconds * SECOND:
        return [
            DidNotApply(
                because=f"its last sync was at {at(latest)} and it may still go on", about=f"release {last.unit}"
            )
        ]
    done = {m.application for m, _ in last.syncs}
    left = [m for m in last.members if m.application not in done and not _has_all(applications[m.application], last)]
    if not left:
        return []
    tags = {m.application: _versions(applications[m.application]) for m in last.members}
    confidence, why = _weigh(last, earlier, left, tags)
    if confidence == 0:
        return []
    synced = ", ".join(f"{m.application} ({m.group})" for m, _ in last.syncs)
    return [
        RULE.finding(
            f"The release of {last.unit} stopped half way: {synced} synced, {', '.join(m.application for m in left)} not",
            time=latest,
            kind="Application",
            namespace=applications[member.application].namespace,
            name=applications[member.application].name,
            evidence=[
                *(sync.sentence for _, sync in last.syncs),
                f"no sync of {member.application} in that release",
                *why,
            ],
            confidence=confidence,
            next_step=f"Sync {member.application}, or roll the others back together.",
        )
        for member in left
    ]


def _has_all(application: Application, last: Release) -> bool:
    """Whether Argo CD compared it with a revision that the release brought, and found nothing to sync."""
    brought = {r for _, sync in last.syncs for r in sync.revisions}
    return application.sync_status == "Synced" and bool(brought & set(application.revisions))


def _weigh(
    last: Release, earlier: list[Release], left: list[Member], tags: dict[str, set[str]]
) -> tuple[float, list[str]]:
    """How sure it is that the others should have followed: versions now, and what earlier releases did."""
    new = set.union(*(tags[m.application] for m, _ in last.syncs))
    old = set.union(*(tags[m.application] for m in left))
    images = [f"{name} runs {', '.join(sorted(found)) or 'an unknown version'}" for name, found in sorted(tags.items())]
    if new and old and new == old:
        return 0.0, images  # all run one version already: nothing was left to do
    whole = [r for r in earlier if r.complete]
    if whole:
        return 0.9, [*images, f"{len(whole)} earlier releases synced all {len(last.members)}"]
    if earlier:
        return 0.4, [*images, "earlier releases did not sync all either"]
    return 0.6, [*images, "history shows no earlier release to compare with"]


def _versions(application: Application) -> set[str]:
    """Tags (or digests) of the images that Argo CD last saw."""
    found = set()
    for image in application.images:
        tail = image.rsplit("/", 1)[-1]
        if "@" in tail or ":" in tail:
            found.add(tail.split("@", 1)[-1] if "@" in tail else tail.split(":", 1)[1])
    return found


RULE = Rule(
    name="release-incomplete",
    question="Which releases synced only part of what is released together?",
    severity="warning",
    needs=(APPLICATIONS, SYNCS),
    refuted_by="The other Applications had nothing to change in this release.",
    judge=_judge,
)
