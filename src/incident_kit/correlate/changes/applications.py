"""Applications of Argo CD and their syncs, each under a name that no other Application has.

Argo CD may keep Applications in several namespaces, so that one name does not tell them apart. Where it does not, an
Application goes by ``namespace_name`` here, as in Argo CD's own tracking ids; else by its name.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.sync import Sync, sync_of
from incident_kit.correlate.frames import rows
from incident_kit.nested import Document
from incident_kit.tables import Row
from incident_kit.tables.argocd import APPLICATIONS, SYNCS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One Application of Argo CD as it was at capture.

    Attributes:
        namespace: of its object.
        name: of its object.
        application: name that no other Application has.
        uid: of its object; None in lists that argocd printed without.
        path: all Applications from the root to this one, ``rootapp/apps/orders-api``.
        sync_status: Synced, OutOfSync, Unknown.
        revisions: that Argo CD last compared it with, one a source.
        images: that Argo CD last saw running.
        history_length: how many syncs its history held.
        history_oldest_at: end of the oldest of them (ns); None when it holds none.
        reconciled_at: when Argo CD last compared it with Git (ns).
        resources: items of ``status.resources`` as the server sent them.
        conditions: items of ``status.conditions`` as the server sent them.
    """

    namespace: str | None
    name: str
    application: str
    uid: str | None
    path: str
    sync_status: str | None
    revisions: tuple[str, ...]
    images: tuple[str, ...]
    history_length: int | None
    history_oldest_at: int | None
    reconciled_at: int | None
    resources: tuple[Document, ...]
    conditions: tuple[Document, ...]


def known_applications(evidence: Evidence) -> list[Application]:
    """Every captured Application."""
    return _both(evidence)[0]


def known_syncs(evidence: Evidence) -> list[Sync]:
    """Every sync that history, a status or an event remembers, also of Applications that are gone."""
    return _both(evidence)[1]


def _both(evidence: Evidence) -> tuple[list[Application], list[Sync]]:
    def build() -> tuple[list[Application], list[Sync]]:
        known, told = list(rows(evidence.table(APPLICATIONS))), list(rows(evidence.table(SYNCS)))
        spaces = {(row["namespace"], str(row["application"])) for row in (*known, *told)}
        shared = {name for name, count in Counter(name for _, name in spaces).items() if count > 1}

        def unique(row: Row) -> str:
            name = str(row["application"])
            return f"{row['namespace'] or ''}_{name}" if name in shared else name

        return [_application(row, unique(row)) for row in known], [sync_of(row, unique(row)) for row in told]

    both: tuple[list[Application], list[Sync]] = evidence.memo("applications and syncs", build)
    return both


def _application(row: Row, application: str) -> Application:
    name = str(row["application"])
    before = str(row["path"] or name).rpartition("/")[0]
    return Application(
        namespace=row["namespace"],
        name=name,
        application=application,
        uid=row["uid"],
        path=f"{before}/{application}" if before else application,
        sync_status=row["sync_status"],
        revisions=tuple(row["revisions"] or ()),
        images=tuple(row["images"] or ()),
        history_length=row["history_length"],
        history_oldest_at=row["history_oldest_at"],
        reconciled_at=row["reconciled_at"],
        resources=_documents(row["resources"]),
        conditions=_documents(row["conditions"]),
    )


def _documents(told: str | None) -> tuple[Document, ...]:
    return tuple(item for item in json.loads(told or "[]") if isinstance(item, dict))
