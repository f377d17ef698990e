"""A bucket's rows as container views for the signatures of causes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.causes.view import ContainerView, Ending
from incident_kit.correlate.reconcile.hints import compile_templates, slot_values
from incident_kit.correlate.reconcile.match import mix
from incident_kit.correlate.reconcile.sides import read
from incident_kit.correlate.reconcile.verdicts import CODE

_COLUMNS = ["level", "format", "mask_hash", "restart_count", "edge", "stream", "properties"]


def container_views(
    bucket: Bucket,
    code: np.ndarray[Any, Any],
    nodes: dict[tuple[str, str], str],
    endings: dict[tuple[str, str, str], dict[int, Ending]],
) -> list[ContainerView]:
    """Views of the containers that lost something."""
    entries = bucket.entries
    table = read(entries.paths, _COLUMNS)
    text = read(entries.paths, ["text"])["text"]
    length = np.asarray(pc.utf8_length(text))
    level = np.asarray(table["level"].to_numpy(zero_copy_only=False), dtype=object)
    level[np.array([not isinstance(word, str) for word in level], dtype=bool)] = None
    stream = np.asarray(table["stream"].to_numpy(zero_copy_only=False), dtype=object)
    logged = np.asarray(pc.is_valid(table["format"]))
    mask, edge = np.asarray(table["mask_hash"]), np.asarray(table["edge"])
    restart = np.asarray(pc.fill_null(table["restart_count"], 0))
    lost = code == CODE["console_only"]
    delivered = ~lost & (code != CODE["unknown"]) & (code != CODE["rejected"])
    owner = mix(entries.pod, entries.namespace, entries.container)
    document_levels = _document_levels(bucket)
    pods_with = set(np.unique(bucket.documents.pod).tolist()) | set(np.unique(entries.pod[delivered]).tolist())
    views = []
    for key in np.unique(owner[lost]).tolist():
        rows = np.flatnonzero(owner == key)
        rows = rows[np.lexsort((rows, entries.time[rows]))]
        first = int(rows[0])
        names = bucket.names.names
        namespace, pod, container = (
            names[entries.namespace[first]],
            names[entries.pod[first]],
            names[entries.container[first]],
        )
        texts = np.full(len(rows), "", dtype=object)
        gone = np.flatnonzero(lost[rows])
        texts[gone] = text.take(pa.array(rows[gone])).to_pylist()
        properties = np.full(len(rows), None, dtype=object)
        properties[gone] = table["properties"].take(pa.array(rows[gone])).to_pylist()
        views.append(
            ContainerView(
                namespace=namespace,
                pod=pod,
                container=container,
                node=nodes.get((namespace, pod)),
                time=entries.time[rows],
                level=level[rows],
                logged=logged[rows],
                mask=mask[rows],
                length=length[rows],
                restart=restart[rows],
                edge=edge[rows],
                stream=stream[rows],
                text=texts.tolist(),
                properties=properties.tolist(),
                delivered=delivered[rows],
                lost=lost[rows],
                endings=endings.get((namespace, pod, container), {}),
                document_levels=document_levels.get(int(entries.pod[first]), set()),
                pod_has_documents=int(entries.pod[first]) in pods_with,
                rows=rows,
            )
        )
    return views


def _document_levels(bucket: Bucket) -> dict[int, set[str]]:
    if not bucket.documents.paths:
        return {}
    levels = read(bucket.documents.paths, ["level"])["level"].combine_chunks()
    levels = pa.concat_arrays(levels.chunks) if isinstance(levels, pa.ChunkedArray) else levels
    encoded = levels.dictionary_encode()
    found: dict[int, set[str]] = {}
    words = encoded.dictionary.to_pylist()
    for index, word in enumerate(words):
        rows = np.asarray(pc.fill_null(pc.equal(encoded.indices, index), False))
        for pod in np.unique(bucket.documents.pod[rows & ~bucket.documents.rejected]).tolist():
            found.setdefault(pod, set()).add(word)
    return found


def entry_hints(bucket: Bucket, view: ContainerView) -> dict[int, dict[str, Any]]:
    """Slot values of lost entries by the templates of the pod's documents."""
    if not bucket.documents.paths:
        return {}
    templates = compile_templates(
        t for t in pc.unique(read(bucket.documents.paths, ["template"])["template"]).to_pylist() if t
    )
    if not templates:
        return {}
    gone = np.flatnonzero(view.lost)
    messages = bucket.entries.text(["message"], view.rows[gone])["message"].to_pylist()
    found = {}
    for position, message in zip(gone.tolist(), messages, strict=True):
        values = slot_values((message or "").partition("\n")[0], templates)
        if values:
            found[position] = values
    return found
