"""Lifetime: one life of one pod, each fact with where it is from and whether it was observed or inferred."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

#: Sightings of pods that were there when somebody looked at all of them.
THERE = ("pod object: there at capture", "list of pods")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a pod.

    Attributes:
        value: what is known.
        observed: False where it is inferred (from a name, or from an owner's object).
        source: what it rests on.
    """

    value: Any
    observed: bool
    source: str


@dataclass(frozen=True, slots=True)
class Held:
    """Addresses that a pod had from one sandbox to the next (ns), and what tells."""

    pod_ips: tuple[str, ...]
    begin: int | None
    end: int | None
    source: str


@dataclass(slots=True)
class Lifetime:
    """One life of one pod: one uid, or one name where no uid is known.

    Attributes:
        namespace: None where only documents without namespace know the pod.
        pod: name.
        pod_uid: None for a pod known only from logs.
        facts: by name of the fact: node, pod_ips, host_network, workload_kind, workload, owner_kind, owner_name,
            template_hash, revision, image, application, created_at, scheduled_at, started_at, ready_at,
            finished_at, deleted_at, phase, status ...
        seen: every sighting as (instant, source).
        captured: whether the pod's own object was captured.
        held: addresses that it had in earlier sandboxes, as another bundle saw them.
    """

    namespace: str | None
    pod: str
    pod_uid: str | None = None
    facts: dict[str, Fact] = field(default_factory=dict)
    seen: list[tuple[int, str]] = field(default_factory=list)
    captured: bool = False
    held: list[Held] = field(default_factory=list)

    @property
    def key(self) -> str:
        """``namespace/pod`` as candidates are named."""
        return f"{self.namespace}/{self.pod}" if self.namespace else self.pod

    def value(self, name: str) -> Any:
        """Value of a fact, None where it is not known."""
        fact = self.facts.get(name)
        return fact.value if fact else None

    def learn(self, name: str, value: Any, source: str, *, observed: bool = True) -> None:
        """Add a fact; what was observed is never replaced by what is inferred, nor by a later reading."""
        if value is None or value == [] or value == "":
            return
        known = self.facts.get(name)
        if known is None or (observed and not known.observed):
            self.facts[name] = Fact(value, observed, source)

    def sight(self, instant: int | None, source: str) -> None:
        """Add a sighting."""
        if instant is not None:
            self.seen.append((int(instant), source))

    @property
    def first_seen(self) -> tuple[int, str] | None:
        """Earliest sighting and where it is from; the creation where it is known, since clocks of logs may be off."""
        created = self.facts.get("created_at")
        if created is not None:
            return int(created.value), created.source
        return min(self.seen) if self.seen else None

    @property
    def last_seen(self) -> tuple[int, str] | None:
        """Latest sighting and where it is from; a finished pod's end."""
        finished = self.facts.get("finished_at")
        if finished is not None:
            return int(finished.value), finished.source
        return max(self.seen) if self.seen else None

    @property
    def begin(self) -> int | None:
        """When the life began: created, else first seen."""
        created = self.value("created_at")
        if created is not None:
            return int(created)
        return self.first_seen[0] if self.first_seen else None

    @property
    def end(self) -> int | None:
        """When it ended; None while it lives, and where nobody knows.

        A pod that was there at capture had not ended by its deletion time: that is the end of the grace period, and
        one on a lost node stays past it.
        """
        names = ("finished_at",) if self.captured else ("finished_at", "deleted_at")
        ends = [value for name in names if (value := self.value(name)) is not None]
        return int(min(ends)) if ends else None

    def may_live_at(self, instant: int) -> bool:
        """Whether the pod may have been alive then; times of the API are whole seconds."""
        created = self.value("created_at")
        if created is not None and instant < created:
            return False
        return self.end is None or instant < self.end + 1_000_000_000


def merge_lifetimes(groups: Iterable[Iterable[Lifetime]]) -> list[Lifetime]:
    """Lives known from several bundles of one cluster, each life once.

    Equal uids are one life. A life without uid joins the only life of that name, else it stays by itself. The
    later bundle's observation wins for what changes in a life (status, end).
    """
    by_uid: dict[str, Lifetime] = {}
    nameless: list[Lifetime] = []
    for group in groups:
        for life in group:
            if life.pod_uid is None:
                nameless.append(life)
            elif life.pod_uid in by_uid:
                _absorb(by_uid[life.pod_uid], life)
            else:
                by_uid[life.pod_uid] = _copy(life)
    merged = list(by_uid.values())
    for life in nameless:
        homes = [
            known
            for known in merged
            if known.pod == life.pod and (life.namespace is None or known.namespace in (None, life.namespace))
        ]
        if len(homes) == 1:
            _absorb(homes[0], life)
        else:
            merged.append(_copy(life))
    return sorted(merged, key=lambda life: (life.begin or 0, life.key, life.pod_uid or ""))


def _copy(life: Lifetime) -> Lifetime:
    return replace(life, facts=dict(life.facts), seen=list(life.seen), held=list(life.held))


_CHANGING = (
    "phase",
    "status",
    "ready",
    "restarts",
    "ready_at",
    "finished_at",
    "deleted_at",
    "reason",
    "message",
)


def _learn_addresses(life: Lifetime, older: Lifetime, newer: Lifetime) -> None:
    """Keep both addresses where the pod's sandbox was made anew between two bundles."""
    before, after = older.facts.get("pod_ips"), newer.facts.get("pod_ips")
    if before is None or after is None or set(before.value) == set(after.value) or not newer.captured:
        return
    since = older.value("sandbox_at") or older.value("started_at") or older.begin
    last = older.last_seen[0] if older.last_seen else None
    made_at = newer.value("sandbox_at")
    anew = Fact(made_at if made_at is not None else last, made_at is not None, f"{after.source}: another address")
    life.held.append(Held(tuple(before.value), since, anew.value, before.source))
    life.facts["pod_ips"] = after
    if anew.value is not None:
        life.facts["sandbox_at"] = anew


def _absorb(life: Lifetime, other: Lifetime) -> None:
    newer = (other.last_seen or (0, ""))[0] >= (life.last_seen or (0, ""))[0]
    life.held += [held for held in other.held if held not in life.held]
    _learn_addresses(life, *((life, other) if newer else (other, life)))
    for name, fact in other.facts.items():
        if name in _CHANGING and newer and other.captured:
            life.facts[name] = fact
        else:
            life.learn(name, fact.value, fact.source, observed=fact.observed)
    life.seen.extend(sighting for sighting in other.seen if sighting not in life.seen)
    life.captured = life.captured or other.captured
    life.namespace = life.namespace or other.namespace
