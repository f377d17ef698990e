"""Why entries are lost: each container that lost some is looked at on its own, holes of all containers known."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.causes.assign import assign_causes, assign_own_causes
from incident_kit.correlate.reconcile.causes.field_types import Mappings
from incident_kit.correlate.reconcile.causes.outages import holes_of, unsurprising
from incident_kit.correlate.reconcile.causes.view import Ending, Hole
from incident_kit.correlate.reconcile.files import LogFiles
from incident_kit.correlate.reconcile.pairs import REFUSED, REFUSED_UNLABELLED
from incident_kit.correlate.reconcile.unlabelled import Unlabelled
from incident_kit.correlate.reconcile.views import Known, SlotHints, container_views
from incident_kit.normalise.context import Context
from incident_kit.tables.kubernetes import CONTAINERS, PODS

if TYPE_CHECKING:
    from incident_kit.evidence.bundle import Evidence


def explain(evidence: Evidence, buckets: Sequence[Bucket], unlabelled: Unlabelled, threads: Executor) -> None:
    """Give every console_only entry its cause, and rejected ones their reason."""
    known, mappings = Known(_nodes(evidence), _endings(evidence)), _mappings(evidence)
    losers = [bucket for bucket in buckets if len(bucket.verdicts.rows("console_only"))]
    # Twice, so that the views of one bucket at a time are in memory: holes first, of all containers together.
    holes = [hole for found in threads.map(partial(_holes, known), losers) for hole in found]
    witnesses = [hole for hole in holes if hole.witness]
    for _ in threads.map(partial(_assign, known, witnesses, mappings), losers):
        pass
    for bucket in buckets:
        _tell_refusals(bucket, unlabelled)


def _holes(known: Known, bucket: Bucket) -> list[Hole]:
    return [
        local.hole
        for view in container_views(bucket, known)
        for local in holes_of(view, unsurprising(view, assign_own_causes(view)))
    ]


def _assign(known: Known, witnesses: list[Hole], mappings: Mappings, bucket: Bucket) -> None:
    hints = SlotHints(bucket) if mappings.everywhere else None
    for view in container_views(bucket, known):
        types = mappings.of(view.indices()) if mappings.differing else mappings.everywhere
        losses = assign_causes(view, witnesses, types, hints.of(view) if hints else {})
        lost = np.flatnonzero(view.lost)
        rows = view.rows[lost]
        bucket.verdicts.cause[rows], bucket.verdicts.percent[rows] = losses.cause[lost], losses.percent[lost]
        bucket.verdicts.tell(rows, [losses.notes[note] for note in losses.note[lost].tolist()])


def _tell_refusals(bucket: Bucket, unlabelled: Unlabelled) -> None:
    rows = bucket.verdicts.rows("rejected")
    for where, files in (
        (REFUSED, LogFiles(bucket.document_paths)),
        (REFUSED_UNLABELLED, unlabelled.documents.files),
    ):
        own = rows[bucket.where[rows] == where]
        if len(own):
            bucket.verdicts.tell(own, files.take(["rejected"], bucket.document[own])["rejected"].to_pylist())


def _mappings(evidence: Evidence) -> Mappings:
    quiet = Context(cluster=evidence.cluster, window=evidence.window, captured_at=None, profile=evidence.profile)
    for name in ("elasticsearch/mappings.json", "elasticsearch/mapping.json"):
        document = evidence.raw.json(name, quiet, "elasticsearch")
        if document is not None:
            return Mappings.read(document)
    return Mappings.read(None)


def _endings(evidence: Evidence) -> dict[tuple[str, str, str], dict[int, Ending]]:
    found: dict[tuple[str, str, str], dict[int, Ending]] = {}
    table = evidence.table(CONTAINERS)

    def ns(value: Any) -> int | None:
        return None if value is None or str(value) == "NaT" else int(value.value)

    for row in table.to_dict("records"):
        count = row["restart_count"]
        if count is None or count != count or str(count) == "<NA>":
            continue
        code = row["exit_code"]
        ending = Ending(
            started_at=ns(row["started_at"]),
            finished_at=ns(row["finished_at"]),
            exit_code=None if str(code) in ("<NA>", "nan", "None") else int(code),
            reason=row["reason"] if isinstance(row["reason"], str) else None,
        )
        found.setdefault((row["namespace"], row["pod"], row["container"]), {})[int(count)] = ending
    return found


def _nodes(evidence: Evidence) -> dict[tuple[str, str], str]:
    table = evidence.table(PODS)
    return {
        (n, p): node
        for n, p, node in zip(table["namespace"], table["pod"], table["node"], strict=True)
        if isinstance(node, str)
    }
