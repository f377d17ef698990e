"""SYNCS: the operations that history, operationState and events remember, each once.

What Argo CD 3.5 writes (measured; tests/recordings/argocd):

- history gets an entry only for a sync that succeeded, was not a dry run and not limited to chosen resources;
- operationState remembers the last operation only, whatever it was;
- the events of a dry run are those of a real sync, so events alone cannot tell: history's silence does.
"""

from __future__ import annotations

import json
import re

from incident_kit.nested import instant, listing, mapping, text
from incident_kit.normalise.argocd.applications import revisions_of, sources_of
from incident_kit.normalise.kubernetes.events import event_row
from incident_kit.tables import Row
from incident_kit.window import SECOND

#: Argo CD stamps whole seconds, and an event may be written in the second after the operation's end.
_CLOCK = 2 * SECOND
_INITIATED = re.compile(
    r"^(?:(?P<user>.+?) )?[Ii]nitiated (?:(?P<automated>automated) )?(?P<partial>partial )?(?P<kind>sync|rollback) to "
    r"(?P<target>.+)$"
)
_COMPLETED = re.compile(
    r"^(?P<partial>Partial )?[Ss]ync operation to (?P<target>.*?) (?P<phase>succeeded|failed)(?:: (?P<why>.*))?$", re.S
)
_SHA = re.compile(r"\b[0-9a-f]{40}\b")


def sync_rows(document: Row, application: Row, events: list[Row]) -> list[Row]:
    """SYNCS rows of one Application, oldest first."""
    rows = [_history_row(entry, application) for entry in listing(document, "status", "history")]
    operation = _operation_row(mapping(document, "status", "operationState"), application)
    if operation is not None:
        _merge_operation(rows, operation)
    for seen in _event_operations(events, application):
        _merge_event(rows, seen, application)
    rows.sort(key=lambda row: (_moment(row) or 0, row["history_id"] if row["history_id"] is not None else -1))
    _mark_rollbacks(rows)
    return rows


def _blank(application: Row) -> Row:
    return {
        "cluster": application["cluster"],
        "namespace": application["namespace"],
        "application": application["application"],
        "application_uid": application["uid"],
        "history_id": None,
        "sources": [],
        "selected_resources": [],
        "partial": False,
        "prune": None,
        "rollback": False,
        "message": None,
        "results": None,
    }


def _initiator(holder: Row) -> Row:
    by = mapping(holder, "initiatedBy")
    user = text(by.get("username"))
    if by.get("automated") is True:
        return {"initiated_by": None, "automated": True}
    return {"initiated_by": user, "automated": False if user else None}


def _sources(holder: Row) -> list[str]:
    return [
        " ".join(str(s[key]) for key in ("repoURL", "path", "chart", "targetRevision") if s.get(key))
        for s in sources_of(holder)
    ]


def _history_row(entry: Row, application: Row) -> Row:
    return {
        **_blank(application),
        **_initiator(entry),
        "history_id": entry["id"] if type(entry.get("id")) is int and abs(entry["id"]) < 2**63 else None,
        "revisions": revisions_of(entry),
        "sources": _sources(entry),
        "started_at": instant(entry.get("deployStartedAt")),
        "finished_at": instant(entry.get("deployedAt")),
        "phase": "Succeeded",
        "dry_run": False,
        "source": "history",
    }


def _operation_row(state: Row, application: Row) -> Row | None:
    if not state:
        return None
    operation, result = mapping(state, "operation"), mapping(state, "syncResult")
    sync = mapping(operation, "sync")
    selected = [f"{r.get('kind')}/{r.get('name')}" for r in listing(sync, "resources")]
    return {
        **_blank(application),
        **_initiator(operation),
        "revisions": revisions_of(result) or revisions_of(sync),
        "sources": _sources(result) or _sources(sync),
        "started_at": instant(state.get("startedAt")),
        "finished_at": instant(state.get("finishedAt")),
        "phase": text(state.get("phase")),
        "dry_run": sync.get("dryRun") is True,
        "prune": sync.get("prune") is True,
        "partial": bool(selected),
        "selected_resources": selected,
        "message": text(state.get("message")),
        "results": json.dumps(listing(result, "resources"), ensure_ascii=False) if result else None,
        "source": "operationState",
    }


def _merge_operation(rows: list[Row], operation: Row) -> None:
    """History's entry is added while the operation runs, so a running one has one already."""
    if not operation["dry_run"] and not operation["partial"] and operation["phase"] in {"Succeeded", "Running"}:
        for row in reversed(rows):
            if row["revisions"] == operation["revisions"] and _same_time(row, operation):
                for key in ("phase", "prune", "message", "results"):
                    row[key] = operation[key]
                if row["initiated_by"] is None and row["automated"] is None:  # history of older servers names nobody
                    row["initiated_by"], row["automated"] = operation["initiated_by"], operation["automated"]
                row["source"] = "history+operationState"
                return
    rows.append(operation)


def _same_time(row: Row, operation: Row) -> bool:
    """Whether an entry of history is of the operation; entries of old versions lack their start."""
    if row["started_at"] is None:
        return _near(row["finished_at"], operation["finished_at"])
    return _near(row["started_at"], operation["started_at"])


def _near(one: int | None, other: int | None, within: int = _CLOCK) -> bool:
    return one is not None and other is not None and abs(one - other) <= within


def _event_operations(events: list[Row], application: Row) -> list[Row]:
    """Operations as events tell them: a start and its completion are one."""
    told = [(event_row(event, application["cluster"]), event) for event in events]
    told = sorted(
        ((row, event) for row, event in told if row["last_at"] is not None), key=lambda pair: pair[0]["last_at"]
    )
    operations: list[Row] = []
    for row, event in told:
        time, message, reason = row["last_at"], row["message"] or "", row["reason"]
        started = _INITIATED.match(message) if reason == "OperationStarted" else None
        completed = _COMPLETED.match(message) if reason == "OperationCompleted" else None
        if started:
            operations.append(_started(started, time, event, application))
        elif completed:
            _complete(operations, completed, time, message, application)
        elif reason == "OperationCompleted" and operations and operations[-1]["finished_at"] is None:
            operations[-1].update(finished_at=time, phase="Failed", message=message)  # terminated, or no revision
    return operations


def _started(match: re.Match[str], time: int, event: Row, application: Row) -> Row:
    user = text(mapping(event, "metadata", "annotations").get("user")) or match["user"]
    sha = _SHA.search(match["target"])
    automated = bool(match["automated"])
    return {
        **_blank(application),
        "initiated_by": None if automated else user,
        "automated": automated,
        "revisions": [sha[0]] if sha else [],
        "started_at": time,
        "finished_at": None,
        "phase": None,
        "dry_run": None,
        "partial": bool(match["partial"]),
        "rollback": match["kind"] == "rollback",
        "message": match.string,
        "source": "event",
    }


def _complete(operations: list[Row], match: re.Match[str], time: int, message: str, application: Row) -> None:
    revisions = [r for r in re.split(r"[\s,\[\]]+", match["target"]) if r]
    phase = "Succeeded" if match["phase"] == "succeeded" else "Failed"
    known = {"finished_at": time, "phase": phase}
    last = operations[-1] if operations else None
    if last is not None and last["finished_at"] is None:
        last.update(known, revisions=revisions or last["revisions"], message=f"{last['message']}; {message}")
        return
    # A sync set by a patch of .operation has no OperationStarted: nobody is named.
    operations.append(
        {
            **_blank(application),
            "initiated_by": None,
            "automated": None,
            "revisions": revisions,
            "started_at": None,
            "dry_run": None,
            "partial": bool(match["partial"]),
            "message": message,
            "source": "event",
            **known,
        }
    )


def _merge_event(rows: list[Row], seen: Row, application: Row) -> None:
    for row in rows:
        if "event" in row["source"].split("+") or bool(row["partial"]) != bool(seen["partial"]):
            continue
        same = not seen["revisions"] or not row["revisions"] or set(seen["revisions"]) <= set(row["revisions"])
        ends = _near(row["finished_at"], seen["finished_at"]) or _near(row["started_at"], seen["started_at"])
        if same and ends:
            row["source"] += "+event"
            row["rollback"] = row["rollback"] or seen["rollback"]
            if row["initiated_by"] is None and row["automated"] is None:
                row["initiated_by"], row["automated"] = seen["initiated_by"], seen["automated"]
            return
    seen["dry_run"] = _was_dry_run(rows, seen, application)
    rows.append(seen)


def _was_dry_run(rows: list[Row], seen: Row, application: Row) -> bool | None:
    """A whole sync that succeeded leaves a history entry; where history covers its time and has none, it was dry.

    History covers what lies after its oldest entry. Not more: a limit of 0 empties it and ids begin again at 0.
    """
    if seen["phase"] == "Failed" or seen["partial"] or seen["finished_at"] is None or application["history_limit"] == 0:
        return None
    remembered = [r["finished_at"] for r in rows if r["history_id"] is not None and r["finished_at"] is not None]
    return True if remembered and min(remembered) < seen["finished_at"] - _CLOCK else None


def _mark_rollbacks(rows: list[Row]) -> None:
    """A sync that goes back to a revision first seen before the one it replaces; forward again is no rollback.

    One that its event calls a rollback is one whichever way it goes: somebody chose an entry of history.
    """
    first_seen: dict[tuple[str, ...], int] = {}
    current: tuple[str, ...] | None = None
    for position, row in enumerate(rows):
        if row["dry_run"] or row["partial"] or row["phase"] not in {"Succeeded", "Running"} or not row["revisions"]:
            continue
        revision = tuple(row["revisions"])
        if current is not None and revision != current and revision in first_seen:
            row["rollback"] = row["rollback"] or first_seen[revision] < first_seen[current]
        first_seen.setdefault(revision, position)
        current = revision


def _moment(row: Row) -> int | None:
    for key in ("finished_at", "started_at"):
        if row[key] is not None:
            found: int = row[key]
            return found
    return None
