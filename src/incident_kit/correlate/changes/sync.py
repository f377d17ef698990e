"""Sync: one operation of Argo CD on one Application, what it did to each object, and how it is told in words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from incident_kit.tables import Row
from incident_kit.window import format_ns

_UNCHANGED = re.compile(r"\bunchanged\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What a sync did to one object: an item of ``syncResult.resources``.

    Attributes:
        kind: of the object.
        namespace: of the object, None for one that is cluster-scoped.
        name: of the object.
        status: Synced, SyncFailed, Pruned, PruneSkipped; None for hooks.
        message: kubectl's word for it (``... configured``, ``... unchanged``), or why it failed.
        is_hook: whether the object is a hook's.
        images: of a workload as applied; empty where Argo CD did not say.
    """

    kind: str
    namespace: str | None
    name: str
    status: str | None
    message: str | None
    is_hook: bool
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sync:
    """One sync of an Application that some evidence remembers; two are equal only where they are the same one.

    Attributes:
        namespace: of the Application's object.
        name: of the Application's object.
        application: name that no other Application has.
        application_uid: of the Application's object, None where nobody knows: one that was made anew has another.
        history_id: id in history; None where history does not hold it.
        revisions: one per source; empty where none is known.
        sources: one per source, in words.
        started_at: nanoseconds, to the second; None where nobody knows.
        finished_at: nanoseconds, to the second; None where it runs, or nobody knows.
        initiated_by: user; None when automated or not recorded.
        automated: by Argo CD itself; None when not recorded.
        phase: Succeeded, Failed, Error, Running, Terminating.
        dry_run: None where nobody knows.
        partial: limited to chosen resources.
        selected_resources: those, as ``kind/name``; empty for a whole sync.
        rollback: whether it goes back to a revision from before the one it replaces.
        message: Argo CD's own word for how it ended.
        results: what it did to each object; empty where only history or an event remembers it.
        source: history, operationState, event, joined by +.
    """

    namespace: str | None
    name: str
    application: str
    application_uid: str | None
    history_id: int | None
    revisions: tuple[str, ...]
    sources: tuple[str, ...]
    started_at: int | None
    finished_at: int | None
    initiated_by: str | None
    automated: bool | None
    phase: str | None
    dry_run: bool | None
    partial: bool | None
    selected_resources: tuple[str, ...]
    rollback: bool | None
    message: str | None
    results: tuple[SyncResult, ...]
    source: str

    @property
    def subject(self) -> tuple[str, str | None]:
        """Whose it is: an Application that was deleted and made anew under the same name begins anew."""
        return self.application, self.application_uid

    @property
    def moment(self) -> int | None:
        """When it ended (ns), or began where its end is not known."""
        return self.finished_at if self.finished_at is not None else self.started_at

    @property
    def order(self) -> int:
        """Its moment, for sorting and comparing: of an unknown time it is before all others."""
        return self.moment or 0

    @property
    def is_real(self) -> bool:
        """Whether it may have changed something, at a time that is known."""
        return self.dry_run is not True and self.moment is not None

    @property
    def succeeded_whole(self) -> bool:
        """Whether it was a whole sync that succeeded."""
        return not self.partial and self.phase == "Succeeded"

    @property
    def changed_nothing(self) -> bool:
        """Whether it succeeded and found every resource unchanged, or left it although Git has it no more."""
        told = [result for result in self.results if not result.is_hook and result.status != "PruneSkipped"]
        return self.phase == "Succeeded" and bool(told) and all(is_unchanged(result) for result in told)

    @property
    def sentence(self) -> str:
        """It in words, as evidence."""
        who = "autosync" if self.automated else self.initiated_by or "nobody recorded"
        kind = "rollback" if self.rollback else "partial sync" if self.partial else "sync"
        revision = ", ".join(revision[:12] for revision in self.revisions) or "unknown revision"
        number = f" (history id {self.history_id})" if self.history_id is not None else " (not in history)"
        when = (format_ns(self.moment) or "")[:19]
        return (
            f"{kind} of {self.application} to {revision} by {who} at {when}Z, {self.phase}{number}, from {self.source}"
        )


def is_unchanged(result: SyncResult) -> bool:
    """Whether applying the object changed nothing in it."""
    return _UNCHANGED.search(str(result.message)) is not None


def sync_of(row: Row, application: str) -> Sync:
    """A row of SYNCS as a sync of the Application that goes by this name."""
    return Sync(
        namespace=row["namespace"],
        name=str(row["application"]),
        application=application,
        application_uid=row["application_uid"],
        history_id=row["history_id"],
        revisions=tuple(row["revisions"] or ()),
        sources=tuple(row["sources"] or ()),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        initiated_by=row["initiated_by"],
        automated=row["automated"],
        phase=row["phase"],
        dry_run=row["dry_run"],
        partial=row["partial"],
        selected_resources=tuple(row["selected_resources"] or ()),
        rollback=row["rollback"],
        message=row["message"],
        results=_results(row["results"]),
        source=row["source"],
    )


def _results(told: str | None) -> tuple[SyncResult, ...]:
    found = []
    for item in json.loads(told) if told else []:
        if isinstance(item, dict):
            texts = {name: value for name, value in item.items() if isinstance(value, str)}
            images = item.get("images")
            result = SyncResult(
                kind=str(texts.get("kind")),
                namespace=texts.get("namespace") or None,
                name=str(texts.get("name")),
                status=texts.get("status"),
                message=texts.get("message"),
                is_hook=bool(texts.get("hookType")),
                images=tuple(i for i in images if isinstance(i, str)) if isinstance(images, list) else (),
            )
            found.append(result)
    return tuple(found)
