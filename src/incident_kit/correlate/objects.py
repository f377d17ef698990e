"""Objects: the captured Kubernetes objects, decoded once, found by kind, name and owner."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pandas import NA

from incident_kit.correlate.changes.version_clock import version_clock, with_inferred_write
from incident_kit.nested import Document, field, instant, listing, mapping
from incident_kit.tables.kubernetes import EVENTS, OBJECTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_TRACKING = "argocd.argoproj.io/tracking-id"


class Objects:
    """All objects of one bundle. Documents are shared: read them, never change them."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_kind: dict[str, list[Document]] = defaultdict(list)
        self._by_name: dict[tuple[str, str | None, str], Document] = {}
        self._by_label: dict[tuple[str, str | None, str, str], list[Document]] = defaultdict(list)
        self._by_owner: dict[str | tuple[str, str | None, str], list[Document]] = defaultdict(list)
        #: When events say that a ReplicaSet was scaled up from nothing, by (namespace, name), oldest first.
        self.scaled_up: dict[tuple[str | None, str], list[int]] = {}
        for document in map(well_typed, documents):
            kind, name = document.get("kind"), field(document, "metadata", "name")
            if not isinstance(kind, str) or not isinstance(name, str):
                continue
            self._by_kind[kind].append(document)
            self._by_name[(kind, namespace_of(document), name)] = document
            for label, value in labels_of(document).items():
                self._by_label[(kind, namespace_of(document), label, value)].append(document)
            for owner in owners(document):
                # The API always writes the uid; what people wrote or trimmed may name its owner only.
                named = (str(owner.get("kind")), namespace_of(document), str(owner.get("name")))
                self._by_owner[owner["uid"] if isinstance(owner.get("uid"), str) else named].append(document)

    def of(self, kind: str) -> list[Document]:
        """Every object of a kind."""
        return self._by_kind.get(kind, [])

    def get(self, kind: str, namespace: str | None, name: str) -> Document | None:
        """The object of this kind and name, or None."""
        return self._by_name.get((kind, namespace, name))

    def labelled(self, kind: str, namespace: str | None, labels: dict[str, str]) -> list[Document]:
        """Objects of a kind in a namespace that carry all of these labels; none where no label is asked for."""
        wanted = {label: str(value) for label, value in labels.items()}
        sets = [self._by_label.get((kind, namespace, label, value), []) for label, value in wanted.items()]
        fewest = min(sets, key=len, default=[])
        return [d for d in fewest if wanted.items() <= labels_of(d).items()]

    def owned_by(self, document: Document, kind: str) -> list[Document]:
        """Objects of a kind whose ownerReferences name this object's uid, or without any uid its kind and name."""
        named = (str(document.get("kind")), namespace_of(document), name_of(document))
        uid = field(document, "metadata", "uid")
        found = [*self._by_owner.get(str(uid), []), *self._by_owner.get(named, [])]
        return [d for d in found if d.get("kind") == kind]

    @property
    def kinds(self) -> set[str]:
        """Kinds of which at least one object was captured."""
        return set(self._by_kind)


#: Fields that the API promises to be strings, wherever they stand.
_STRINGS = frozenset(
    {"name", "namespace", "uid", "kind", "image", "phase", "operator", "key", "manager", "secretName", "nodeName", "subPath",
     "schedule", "timeZone", "protocol", "cidr", "reason", "subresource", "concurrencyPolicy", "type"}
)  # fmt: skip
_STRING_LISTS = frozenset({"values", "except", "policyTypes", "addresses"})
_NUMBERS = frozenset({"endPort", "containerPort", "number", "restartCount", "startingDeadlineSeconds", "revision"})
_NUMBERS_OR_NAMES = frozenset({"port", "targetPort"})


def well_typed(value: Any) -> Any:
    """The document without those fields that hold another type than the API promises: imports may hold anything."""
    if isinstance(value, dict):
        return {k: v if isinstance(v, str) else well_typed(v) for k, v in value.items() if _fits(k, v)}
    if isinstance(value, list):
        return [v if isinstance(v, str) else well_typed(v) for v in value]
    return value


def _fits(key: str, value: Any) -> bool:
    if value is None:
        return True
    if key in _STRINGS:
        return isinstance(value, str)
    if key in _STRING_LISTS:
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    if key in _NUMBERS:
        return type(value) is int
    return key not in _NUMBERS_OR_NAMES or type(value) in (int, str, dict)


def read_objects(evidence: Evidence) -> Objects:
    """The evidence's Kubernetes objects, decoded once per opened bundle."""

    def decode() -> Objects:
        documents = [json.loads(text) for text in evidence.table(OBJECTS)["object"] if isinstance(text, str)]
        clock = version_clock(_versions(evidence), documents)
        objects = Objects(documents if clock is None else [with_inferred_write(d, clock) for d in documents])
        objects.scaled_up = _scaled_up(evidence)
        return objects

    return evidence.memo("objects", decode)


_FROM_NOTHING = re.compile(r"^Scaled up replica set (?P<name>\S+) (?:from 0 to [1-9]|to [1-9]\d*(?: from 0)?$)")


def _scaled_up(evidence: Evidence) -> dict[tuple[str | None, str], list[int]]:
    events = evidence.table(EVENTS)
    told = events[(events["reason"] == "ScalingReplicaSet") & events["last_at"].notna()]
    found: dict[tuple[str | None, str], list[int]] = defaultdict(list)
    for namespace, message, time in zip(
        told["namespace"], told["message"], told["last_at"].astype("int64"), strict=True
    ):
        match = _FROM_NOTHING.match(str(message))
        if match:
            found[(namespace, match["name"])].append(int(time))
    return {key: sorted(times) for key, times in found.items()}


def _versions(evidence: Evidence) -> list[tuple[int | None, int | None, int | None]]:
    columns = evidence.table(EVENTS)[["resource_version", "last_at", "count"]]
    times = columns["last_at"].astype("int64")
    return [
        (None if version is NA else int(version), None if isnull else int(time), None if count is NA else int(count))
        for version, time, isnull, count in zip(
            columns["resource_version"], times, columns["last_at"].isna(), columns["count"], strict=True
        )
    ]


def name_of(document: Document) -> str:
    """metadata.name."""
    return str(field(document, "metadata", "name"))


def namespace_of(document: Document) -> str | None:
    """metadata.namespace, None for cluster-scoped objects."""
    namespace = field(document, "metadata", "namespace")
    return namespace if isinstance(namespace, str) and namespace else None


def labels_of(document: Document) -> dict[str, str]:
    """metadata.labels."""
    return {k: str(v) for k, v in mapping(document, "metadata", "labels").items()}


def annotation(document: Document, key: str) -> str | None:
    """One of metadata.annotations."""
    value = mapping(document, "metadata", "annotations").get(key)
    return value if isinstance(value, str) else None


def created_at(document: Document) -> int | None:
    """metadata.creationTimestamp (ns)."""
    return instant(document, "metadata", "creationTimestamp")


def owners(document: Document) -> list[Document]:
    """metadata.ownerReferences."""
    return listing(document, "metadata", "ownerReferences")


def controller(document: Document, kind: str | None = None) -> Document | None:
    """The owner that controls the object (of a kind), or its only owner of that kind."""
    named = [o for o in owners(document) if o.get("kind") and o.get("name")]
    references = [o for o in named if kind is None or o["kind"] == kind]
    controlling = [o for o in references if o.get("controller") is True]
    return next(iter(controlling or references), None)


def tracked_by(document: Document) -> str | None:
    """Name of the Argo CD Application that tracks the object by annotation, or None."""
    tracking = tracking_name(document)
    return tracking.rsplit("_", 1)[-1] if tracking else None


def tracking_name(document: Document) -> str | None:
    """What the tracking annotation calls the Application: its name, before it its namespace where that is not Argo CD's own."""
    tracking = annotation(document, _TRACKING)
    return tracking.split(":", 1)[0] if tracking and ":" in tracking else None
