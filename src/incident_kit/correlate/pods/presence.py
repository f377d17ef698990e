"""Presence: what one bundle's list of pods says of the pods of another: still there, or gone by then.

A capture lists every pod of the namespaces it reads, and a snapshot, which stores only pods that changed, lists the uids
of the others beside them. What people collected by hand may be narrowed by a label, so its silence says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from incident_kit.correlate.frames import plain, records
from incident_kit.correlate.pods.lifetimes import THERE, Lifetime
from incident_kit.tables.kubernetes import PODS
from incident_kit.window import parse_rfc3339

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: In a snapshot's raw folder: when the pods were listed, and their uids by namespace.
PRESENT = "present.json"


@dataclass(frozen=True, slots=True)
class Present:
    """The pods that a cluster had at one time.

    Attributes:
        listed_at: when the list was asked for (ns): who is on it was there then.
        captured_at: when the bundle was finished (ns): who is not on it was gone by then.
        uids: by namespace; of a namespace without any pod nothing is said.
    """

    listed_at: int
    captured_at: int
    uids: dict[str, frozenset[str]]


def learn_presence(lives: Sequence[Lifetime], evidences: Iterable[Evidence]) -> Sequence[Lifetime]:
    """Add to merged lives when they were last listed, and by when (``absent_at``) a list did not have them any more."""
    lists = [present for evidence in evidences if (present := present_pods(evidence)) is not None]
    for life in lives:
        if life.pod_uid is None or life.namespace is None:
            continue
        for present in lists:
            if life.pod_uid in present.uids.get(life.namespace, ()):
                life.sight(present.listed_at, THERE[1])
        last = life.last_seen
        gone = [
            present.captured_at
            for present in lists
            if life.namespace in present.uids
            and life.pod_uid not in present.uids[life.namespace]
            and last is not None
            and present.listed_at > last[0]
        ]
        if gone:
            life.learn("absent_at", min(gone), "not in the list of pods any more", observed=False)
    return lives


def present_pods(evidence: Evidence) -> Present | None:
    """The whole list of pods that a bundle knows; None where it may be a part."""
    if evidence.manifest.imported or evidence.captured_at is None:
        return None
    path = evidence.raw.find(PRESENT)
    if path is not None:
        told = orjson.loads(evidence.raw.open(path).read())
        uids = {str(space): frozenset(map(str, names)) for space, names in told["pods"].items()}
        return Present(int(told["listed_at"]), evidence.captured_at, uids)
    asked = [row for row in evidence.manifest.asked if row.get("what") == "kubernetes pods"]
    if not asked or any(_about_pods(gap) for gap in evidence.manifest.gaps):
        return None
    listed_at = parse_rfc3339(str(asked[-1].get("at")))
    if listed_at is None:
        return None
    found: dict[str, set[str]] = {}
    for row in records(evidence.table(PODS)):
        found.setdefault(str(plain(row["namespace"])), set()).add(str(plain(row["pod_uid"])))
    return Present(listed_at, evidence.captured_at, {space: frozenset(uids) for space, uids in found.items()})


def _about_pods(gap: dict[str, Any]) -> bool:
    return gap.get("source") == "kubernetes" and "pods" in str(gap.get("what"))
