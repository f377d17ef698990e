"""A bucket's rows as container views for the signatures of causes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow.compute as pc

from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.causes.view import ContainerView, Ending
from incident_kit.correlate.reconcile.columns import EntryColumns, words_of
from incident_kit.correlate.reconcile.files import LogFiles
from incident_kit.correlate.reconcile.hints import compile_templates, slot_values
from incident_kit.correlate.reconcile.match import codes_among
from incident_kit.correlate.reconcile.verdicts import CODE


@dataclass(frozen=True, slots=True)
class Known:
    """What Kubernetes knows of pods and containers.

    Attributes:
        nodes: node by (namespace, pod).
        endings: how instances ended, by (namespace, pod, container) and restart count.
    """

    nodes: dict[tuple[str, str], str]
    endings: dict[tuple[str, str, str], dict[int, Ending]]


def container_views(bucket: Bucket, known: Known) -> Iterator[ContainerView]:
    """Views of the containers that lost something."""
    code, names, owners = bucket.verdicts.code, bucket.names.names, bucket.entries.owners
    lost = code == CODE["console_only"]
    delivered = ~lost & (code != CODE["unknown"]) & (code != CODE["rejected"])
    losers = codes_among(bucket.entries.owner[lost])
    columns = EntryColumns(LogFiles(bucket.entry_paths), np.flatnonzero(lost))
    levels = DocumentLevels(bucket)
    pods_with = {*bucket.document_pods.tolist(), *owners[codes_among(bucket.entries.owner[delivered]), 0].tolist()}
    for owner, rows in bucket.entries.containers().items():
        if owner not in losers:
            continue
        code_of_pod = int(owners[owner, 0])
        pod, namespace, container = (names[one] for one in owners[owner])
        yield ContainerView(
            namespace=namespace,
            pod=pod,
            container=container,
            node=known.nodes.get((namespace, pod)),
            time=bucket.entries.time[rows],
            columns=columns,
            delivered=delivered[rows],
            lost=lost[rows],
            endings=known.endings.get((namespace, pod, container), {}),
            document_levels=partial(levels.of, code_of_pod),
            pod_has_documents=code_of_pod in pods_with,
            rows=rows,
        )


class DocumentLevels:
    """Levels that a bucket's documents have, by pod; read when somebody asks."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def of(self, pod: int) -> set[str]:
        """Levels of a pod's documents, refused ones apart."""
        return self._found.get(self._bucket.names.names[pod], set())

    @cached_property
    def _found(self) -> dict[str, set[str]]:
        files = LogFiles(self._bucket.document_paths)
        if not files.paths:
            return {}
        (pod, pods), (level, levels) = words_of(files, "pod"), words_of(files, "level")
        known = (pod >= 0) & (level >= 0)
        if not files.all_null("rejected"):
            known &= np.asarray(pc.is_null(files.read(["rejected"])["rejected"]))
        found: dict[str, set[str]] = {}
        for pair in np.unique(pod[known].astype(np.int64) * len(levels) + level[known]).tolist():
            found.setdefault(pods[pair // len(levels)], set()).add(levels[pair % len(levels)])
        return found


class SlotHints:
    """Slot values of lost entries by the templates of their bucket's documents."""

    def __init__(self, bucket: Bucket) -> None:
        files = LogFiles(bucket.document_paths)
        words = [] if files.all_null("template") else pc.unique(files.read(["template"])["template"]).to_pylist()
        self._templates = compile_templates(word for word in words if word)

    def of(self, view: ContainerView) -> dict[int, dict[str, Any]]:
        """Values by position of the view."""
        found = {}
        for position in np.flatnonzero(view.lost).tolist() if self._templates else []:
            message = view.columns.lost_text("message", int(view.rows[position])) or ""
            values = slot_values(message.partition("\n")[0], self._templates)
            if values:
                found[position] = values
        return found
