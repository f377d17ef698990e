"""release-order: Applications of one release were synced in another order than the profile's groups."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.applications import known_applications, known_syncs
from incident_kit.correlate.changes.releases import Release, releases, units
from incident_kit.correlate.changes.sync import Sync
from incident_kit.rules.rule import DidNotApply, Outcome, Rule, at, is_near
from incident_kit.tables.argocd import APPLICATIONS, SYNCS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Ends are stamped in whole seconds; syncs this close were asked for together and have no order to break.
_TOGETHER = 2 * SECOND


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    groups = evidence.profile.release_groups
    applications = [one.application for one in known_applications(evidence)]
    known = units(applications, groups)
    if not known:
        return [no_groups(groups)]
    syncs = known_syncs(evidence)
    found: list[Outcome] = []
    for unit, members in known.items():
        for release in releases(unit, members, syncs, evidence.profile.release_pause_seconds):
            finding = _of_release(release, evidence)
            found += [finding] if finding is not None else []
    return found


def no_groups(groups: Iterable[object]) -> DidNotApply:
    """Why neither order nor completeness can be judged."""
    names = ", ".join(str(getattr(g, "patterns", g)) for g in groups)
    return DidNotApply(
        because=f"no two Applications of different release groups belong together ({names or 'the profile has none'})",
        remedy="Set release_groups in the profile.",
    )


def _of_release(release: Release, evidence: Evidence) -> Outcome | None:
    broken = [
        (early, late)
        for early, late in combinations(release.syncs, 2)
        if late[0].place < early[0].place and _begun(late[1]) - early[1].order > -_TOGETHER
    ]
    broken = [(e, s) for e, s in broken if _one_after_the_other(e[1], s[1])]
    if not broken or not is_near(broken[0][0][1].order, evidence):
        return None
    (first, first_sync), (second, second_sync) = broken[0]
    pipeline = evidence.profile.pipeline_accounts
    who = first_sync.initiated_by or "somebody who is not recorded"
    return RULE.finding(
        f"{first.application} ({first.group}) was synced at {at(first_sync.moment)}, before {second.application} "
        f"({second.group}) at {at(second_sync.moment)}",
        time=first_sync.moment,
        kind="Application",
        namespace=first_sync.namespace,
        name=first_sync.name,
        evidence=[
            *(sync.sentence for _, sync in release.syncs),
            f"release order of the profile: {' -> '.join(_order(release))}",
            f"{who} is {'the pipeline' if who in pipeline else 'not one of the pipeline accounts'}",
        ],
        confidence=0.9,
        next_step="Look whether the earlier group met versions of the later one that it did not know yet.",
    )


def _one_after_the_other(early: Sync, late: Sync) -> bool:
    """Whether there is an order to break: the later sync began in a second after the earlier one's end, or ended well after it."""
    began, ended = late.started_at, early.order
    return (began is not None and began > ended) or late.order - ended > _TOGETHER


def _begun(sync: Sync) -> int:
    return sync.started_at if sync.started_at is not None else sync.order


def _order(release: Release) -> list[str]:
    return [m.application for m in sorted(release.members, key=lambda m: m.place)]


RULE = Rule(
    name="release-order",
    question="Which releases did not follow the order API, Service, Jobs?",
    severity="warning",
    needs=(APPLICATIONS, SYNCS),
    refuted_by="The syncs were not one release: two changes that happened to come within half an hour.",
    judge=_judge,
)
