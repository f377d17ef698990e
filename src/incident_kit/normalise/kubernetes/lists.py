"""From the lists of the raw folder to the Kubernetes tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson

from incident_kit.nested import Document, instant, mapping, text
from incident_kit.normalise.context import Context
from incident_kit.normalise.kubernetes.events import event_row
from incident_kit.normalise.kubernetes.owners import OwnerIndex, controller
from incident_kit.normalise.kubernetes.pods import container_rows, pod_row
from incident_kit.normalise.kubernetes.without_uid import with_uids
from incident_kit.normalise.raw import RawFolder
from incident_kit.tables.kubernetes import CONTAINERS, EVENTS, OBJECTS, PODS

#: Kinds of the plurals people collect; a list made by hand (jq, --chunk) may have lost the kind of its items.
KINDS = {
    "pods": "Pod",
    "events": "Event",
    "replicasets": "ReplicaSet",
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "controllerrevisions": "ControllerRevision",
    "jobs": "Job",
    "cronjobs": "CronJob",
    "nodes": "Node",
    "namespaces": "Namespace",
    "configmaps": "ConfigMap",
    "secrets": "Secret",
    "networkpolicies": "NetworkPolicy",
    "services": "Service",
    "endpoints": "Endpoints",
    "endpointslices": "EndpointSlice",
    "ingresses": "Ingress",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "serviceaccounts": "ServiceAccount",
}


def normalise_kubernetes(raw: RawFolder, context: Context) -> dict[str, list[dict[str, Any]]]:
    """Rows of OBJECTS, PODS, CONTAINERS and EVENTS, by table name.

    Every file ``kubernetes/<plural>.json`` is read, whatever its plural, and ``argocd/events.json``; one that cannot be
    read is a gap. A pod stands in PODS and in OBJECTS; an event only in EVENTS.
    """
    documents = with_uids(_newest([*_events_of_argocd(raw, context), *_documents(raw, context)]))
    owners = OwnerIndex(documents)
    tables: dict[str, list[dict[str, Any]]] = {table.name: [] for table in (OBJECTS, PODS, CONTAINERS, EVENTS)}
    for document in documents:
        if document.get("kind") == "Event":
            tables[EVENTS.name].append(event_row(document, context.cluster))
            continue
        try:
            tables[OBJECTS.name].append(object_row(document, context.cluster))
        except orjson.JSONEncodeError as error:  # nested deeper than any real object
            name = f"{document.get('kind')} {text(document, 'metadata', 'name')}"
            context.gap("kubernetes", name, f"the object cannot be kept: {error}")
            continue
        if document.get("kind") == "Pod":
            containers = container_rows(document, context.cluster)
            tables[CONTAINERS.name] += containers
            tables[PODS.name].append(pod_row(document, context.cluster, owners, containers))
    return tables


def object_row(document: Document, cluster: str) -> dict[str, Any]:
    """The OBJECTS row of one object."""
    owner = controller(document)
    annotations = {
        key: value
        for key, value in mapping(document, "metadata", "annotations").items()
        if not key.endswith("last-applied-configuration")
    }
    return {
        "cluster": cluster,
        "kind": text(document, "kind"),
        "api_version": text(document, "apiVersion"),
        "namespace": text(document, "metadata", "namespace"),
        "name": text(document, "metadata", "name"),
        "uid": text(document, "metadata", "uid"),
        "created_at": instant(document, "metadata", "creationTimestamp"),
        "deleted_at": instant(document, "metadata", "deletionTimestamp"),
        "owner_kind": owner.kind if owner else None,
        "owner_name": owner.name if owner else None,
        "owner_uid": owner.uid if owner else None,
        "labels": orjson.dumps(mapping(document, "metadata", "labels")).decode(),
        "annotations": orjson.dumps(annotations).decode(),
        "object": orjson.dumps(document).decode(),
    }


def _documents(raw: RawFolder, context: Context) -> list[Document]:
    found: list[Document] = []
    for path in _files(raw):
        name = raw.relative(path).removesuffix(".gz")
        plural = name.rpartition("/")[2].removesuffix(".json")
        nameless = 0
        for item in raw.items(name, context, "kubernetes") or []:
            kind = text(item, "kind") or KINDS.get(_plural_of(plural))
            if kind is None or text(item, "metadata", "name") is None:
                nameless += 1
                continue
            found.append(item if item.get("kind") == kind else {"kind": kind, **item})
        if nameless:
            context.gap(
                "kubernetes",
                name,
                f"{nameless} elements have no kind or no name and are left out",
                f"Collect it with: kubectl get {plural} -A -o json",
            )
    return found


def _files(raw: RawFolder) -> list[Path]:
    """Lists of objects: also one folder for each namespace, and ``kubectl get all`` or ``pods-shop`` by any name."""
    return raw.files("kubernetes/**/*.json") + raw.files("kubernetes/**/*.json.gz")


def _plural_of(stem: str) -> str:
    """The plural that a file's stem begins with: ``pods.shop``, ``pods-2``, ``Pods (1)``."""
    return re.split(r"[^a-z]", stem.lower(), maxsplit=1)[0]


def collected_plurals(raw: RawFolder, context: Context) -> set[str]:
    """Plurals of which a list was collected, as a file of its own or among the objects of another."""
    found: set[str] = set()
    plurals = {kind: plural for plural, kind in KINDS.items()} | {"Application": "applications"}
    for path in _files(raw):
        plural = _plural_of(path.name)
        if plural in KINDS:
            found.add(plural)
            continue
        items = raw.items(raw.relative(path).removesuffix(".gz"), context, "kubernetes") or []
        found |= {plurals[kind] for item in items if (kind := text(item, "kind")) in plurals}
    return found


def _events_of_argocd(raw: RawFolder, context: Context) -> list[Document]:
    """Events about Applications that a capture lists by themselves; their versions may be another cluster's clock."""
    found = []
    for item in raw.items("argocd/events.json", context, "argocd") or []:
        metadata = {k: v for k, v in mapping(item, "metadata").items() if k != "resourceVersion"}
        if text(metadata, "name") is not None:
            found.append({**item, "kind": "Event", "metadata": metadata})
    return found


def _newest(documents: list[Document]) -> list[Document]:
    """One copy per object, the newest by resourceVersion: a capture reads pods before and after their logs."""
    kept: dict[tuple[Any, ...], Document] = {}
    for document in documents:
        metadata = mapping(document, "metadata")
        key = tuple(str(v) for v in (document.get("kind"), *map(metadata.get, ("namespace", "name", "uid"))))
        if key not in kept or _version(document) >= _version(kept[key]):
            kept[key] = document
    return list(kept.values())


def _version(document: Document) -> int:
    version = text(document, "metadata", "resourceVersion") or ""
    return int(version) if version.isdecimal() else -1
