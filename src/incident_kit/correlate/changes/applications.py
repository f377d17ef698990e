"""Applications of Argo CD and their syncs, each under a name that no other Application has.

Argo CD may keep Applications in several namespaces, so that one name does not tell them apart. Where it does not, an
Application goes by ``namespace_name`` here, as in Argo CD's own tracking ids; else by its name.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.frames import rows
from incident_kit.tables.argocd import APPLICATIONS, SYNCS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

Row = dict[str, Any]


def known_applications(evidence: Evidence) -> list[Row]:
    """APPLICATIONS rows: ``application`` and the end of ``path`` are unique, ``name`` is the object's own."""
    return _both(evidence)[0]


def known_syncs(evidence: Evidence) -> list[Row]:
    """SYNCS rows: ``application`` is unique, ``name`` is the object's own."""
    return _both(evidence)[1]


def _both(evidence: Evidence) -> tuple[list[Row], list[Row]]:
    def build() -> tuple[list[Row], list[Row]]:
        known, told = list(rows(evidence.table(APPLICATIONS))), list(rows(evidence.table(SYNCS)))
        spaces = {(row["namespace"], str(row["application"])) for row in (*known, *told)}
        shared = {name for name, count in Counter(name for _, name in spaces).items() if count > 1}
        for row in (*known, *told):
            name = str(row["application"])
            row["name"] = name
            row["application"] = f"{row['namespace'] or ''}_{name}" if name in shared else name
        for row in known:
            before = str(row["path"] or row["name"]).rpartition("/")[0]
            row["path"] = f"{before}/{row['application']}" if before else row["application"]
        return known, told

    both: tuple[list[Row], list[Row]] = evidence.memo("applications and syncs", build)
    return both
