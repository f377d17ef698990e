"""A bucket's rows as container views for the signatures of causes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import orjson
import pyarrow.compute as pc

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.causes.view import ContainerView, Ending
from incident_kit.correlate.reconcile.columns import EntryColumns, words_of
from incident_kit.correlate.reconcile.files import LogFiles
from incident_kit.correlate.reconcile.hints import compile_templates, slot_values
from incident_kit.correlate.reconcile.match import codes_among
from incident_kit.correlate.reconcile.pairs import OWN
from incident_kit.correlate.reconcile.verdicts import CODE

#: Delivered entries of a container that are asked for more than their time.
_MOST_LOOKED_AT = 500


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
            document_levels=partial(levels.of, owner),
            delivered_names=partial(_property_names, bucket, rows[delivered[rows]]),
            indices=partial(_indices, bucket, rows[delivered[rows]]),
            pod_has_documents=code_of_pod in pods_with,
            rows=rows,
        )


def _evenly(rows: Integers) -> Integers:
    """Some of many rows, over all of them."""
    return rows[:: max(1, len(rows) // _MOST_LOOKED_AT)]


def _property_names(bucket: Bucket, delivered: Integers) -> frozenset[str]:
    """Names of the properties that some of the delivered entries carry."""
    files = LogFiles(bucket.entry_paths)
    if not len(delivered) or files.all_null("properties"):
        return frozenset()
    found: set[str] = set()
    for text in files.take(["properties"], _evenly(delivered))["properties"].to_pylist():
        document = orjson.loads(text) if text else None
        found |= set(document) if isinstance(document, dict) else set()
    return frozenset(found)


def _indices(bucket: Bucket, delivered: Integers) -> frozenset[str]:
    """Indices of the documents of some of the delivered entries, of those that name their pod."""
    own = delivered[bucket.where[delivered] == OWN]
    if not len(own):
        return frozenset()
    rows = bucket.document[_evenly(own)].astype(np.int64)
    identifiers = LogFiles(bucket.document_paths).take(["document_id"], rows)["document_id"].to_pylist()
    return frozenset(identifier.partition("/")[0] for identifier in identifiers if identifier)


class DocumentLevels:
    """Levels that a bucket's documents have, by container; read when somebody asks."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def of(self, owner: int) -> set[str]:
        """Levels of documents of a container, refused ones apart: that name it, or whose pod has no other console."""
        names, owners = self._bucket.names.names, self._bucket.entries.owners
        pod, container = names[owners[owner, 0]], names[owners[owner, 2]]
        siblings = {names[code] for code in owners[owners[:, 0] == owners[owner, 0], 2].tolist()}
        found = set(self._found.get((pod, container), set()))
        if len(siblings) == 1:
            # What a document says of its container may be something else, an image or a service.
            found |= {level for (of, _), levels in self._found.items() if of == pod for level in levels}
        return found

    @cached_property
    def _found(self) -> dict[tuple[str, str | None], set[str]]:
        files = LogFiles(self._bucket.document_paths)
        if not files.paths:
            return {}
        (pod, pods), (level, levels) = words_of(files, "pod"), words_of(files, "level")
        container, containers = words_of(files, "container")
        known = (pod >= 0) & (level >= 0)
        if not files.all_null("rejected"):
            known &= np.asarray(pc.is_null(files.read(["rejected"])["rejected"]))
        found: dict[tuple[str, str | None], set[str]] = {}
        shape = (len(pods), len(containers) + 1, len(levels))
        # Containers by code; the last place is that of documents that name none.
        triples = np.ravel_multi_index((pod[known], container[known], level[known]), shape, mode="wrap")
        for place in np.unique(triples).tolist():
            one, two, three = (int(part) for part in np.unravel_index(place, shape))
            name = containers[two] if two < len(containers) else None
            found.setdefault((pods[one], name), set()).add(levels[three])
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
