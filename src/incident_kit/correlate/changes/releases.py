"""Releases: Applications that are released together, in the order of the profile's groups."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from incident_kit.correlate.changes.sync import Sync
from incident_kit.window import SECOND


@dataclass(frozen=True, kw_only=True)
class Member:
    """An Application and its place in the release order.

    Attributes:
        application: its name.
        group: name of its group.
        place: position of the group in the profile, from 0.
    """

    application: str
    group: str
    place: int


@dataclass(kw_only=True)
class Release:
    """Syncs of one unit that belong together.

    Attributes:
        unit: what is released: the common part of the names.
        members: every Application of the unit.
        syncs: the first sync of each Application in this release, oldest first.
    """

    unit: str
    members: list[Member]
    syncs: list[tuple[Member, Sync]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every Application of the unit was synced."""
        return len(self.syncs) == len(self.members)


def units(applications: Iterable[str], groups: Sequence[Any]) -> dict[str, list[Member]]:
    """Applications by what they have in common beside the group: ``orders`` for orders-api, orders-service, orders-jobs.

    Args:
        applications: names of Applications.
        groups: the profile's release groups (``name``, ``patterns``), in release order.

    Returns:
        Only units with members in at least two groups: an order needs two.
    """
    found: dict[str, list[Member]] = defaultdict(list)
    for application in sorted(applications):
        for place, group in enumerate(groups):
            stem = next((s for p in group.patterns if (s := _stem(application, p)) is not None), None)
            if stem is not None:
                found[stem].append(Member(application=application, group=str(group.name), place=place))
                break
    return {unit: members for unit, members in found.items() if len({m.place for m in members}) > 1}


def _stem(name: str, pattern: str) -> str | None:
    """What the pattern's first star stands for; the whole pattern's text where it has none."""
    if not fnmatch.fnmatchcase(name, pattern):
        return None
    before, star, after = pattern.partition("*")
    if not star:
        return ""
    match = re.fullmatch(re.escape(before) + "(.*)" + fnmatch.translate(after), name, re.S)
    return match[1] if match else ""


def releases(unit: str, members: list[Member], syncs: Iterable[Sync], pause_seconds: float) -> list[Release]:
    """Releases of one unit, oldest first: syncs by people or the pipeline that follow each other within the pause.

    Args:
        unit: what is released.
        members: every Application of the unit.
        syncs: of any Application.
        pause_seconds: the longest time between two syncs of one release (the profile's ``release_pause_seconds``).
    """
    by_name = {m.application: m for m in members}
    mine = sorted((s for s in syncs if s.application in by_name), key=lambda s: s.order)
    real = [s for s in mine if _moves(s) and not _follows_rollback(s, mine)]
    found: list[Release] = []
    last: int | None = None
    for sync in real:
        time, member = sync.order, by_name[sync.application]
        again = bool(found) and any(m == member for m, _ in found[-1].syncs)
        if last is None or time - last > pause_seconds * SECOND or (again and found[-1].complete):
            found.append(Release(unit=unit, members=members))
            again = False
        if not again:
            found[-1].syncs.append((member, sync))
        last = time
    return found


def _follows_rollback(sync: Sync, syncs: list[Sync]) -> bool:
    """Whether the sync undoes a rollback of its Application: that is no release, and has a rule of its own."""
    earlier = [s for s in syncs if s.application == sync.application and s.order < sync.order]
    whole = [s for s in earlier if s.dry_run is not True and s.succeeded_whole]
    return bool(whole) and whole[-1].rollback is True


def _moves(sync: Sync) -> bool:
    """A whole, real sync that succeeded, not by Argo CD itself, no rollback, and not one that changed nothing."""
    whole = sync.is_real and sync.succeeded_whole
    return whole and not sync.automated and not sync.rollback and not sync.changed_nothing
