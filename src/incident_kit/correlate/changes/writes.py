"""Writes: what an object's managedFields tell of who wrote which fields when.

There is one entry for each manager, operation and subresource; it holds the time of that manager's last change, so an
earlier write by the same manager is not seen. Times are whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.templates import image_list
from incident_kit.correlate.field_managers import acts_alone
from incident_kit.correlate.objects import Objects, created_at, labels_of, name_of, namespace_of
from incident_kit.nested import Document, field, instant, listing, mapping
from incident_kit.window import SECOND

#: ConfigMaps that the cluster itself writes into every namespace.
_CLUSTER_CONFIG = frozenset({"kube-root-ca.crt", "istio-ca-root-cert", "openshift-service-ca.crt"})
#: Secrets that hold no configuration of a service.
_NO_CONFIG_TYPES = frozenset(
    {"kubernetes.io/service-account-token", "helm.sh/release.v1", "bootstrap.kubernetes.io/token"}
)


@dataclass(frozen=True, kw_only=True)
class Write:
    """One entry of managedFields.

    Attributes:
        manager: field manager, e.g. kubectl-edit.
        time: when this manager last changed a field (ns).
        fields: fieldsV1 of the entry.
        subresource: status, scale; None for the object itself.
        precision_seconds: how precise the time is.
        inferred: whether it was read from resource versions, for want of managedFields; then no manager is known.
    """

    manager: str | None
    time: int | None
    fields: Document
    subresource: str | None
    precision_seconds: float = 1.0
    inferred: bool = False

    @property
    def writer(self) -> str:
        """The manager, in words."""
        return self.manager or "somebody"

    def touches(self, *path: str) -> bool:
        """Whether the manager owns a field at this path (``f:spec``, ``f:template``)."""
        return field(self.fields, *path) is not None

    def keys(self, *path: str) -> list[str]:
        """Names of the fields owned below a path."""
        return sorted(k.removeprefix("f:") for k in mapping(self.fields, *path) if k.startswith("f:"))


def writes_of(document: Document) -> list[Write]:
    """Writes to an object that its managedFields remember, oldest first."""
    found = [
        Write(
            manager=str(entry["manager"]) if entry.get("manager") else None,
            time=instant(entry, "time"),
            fields=mapping(entry, "fieldsV1"),
            subresource=entry.get("subresource") or None,
            precision_seconds=float(entry.get("precisionSeconds") or 1.0),
            inferred=entry.get("inferred") is True,
        )
        for entry in listing(document, "metadata", "managedFields")
    ]
    return sorted(found, key=lambda w: w.time or 0)


def data_writes(document: Document) -> list[Write]:
    """Writes to the data of a ConfigMap or Secret, oldest first."""
    paths = ("f:data", "f:binaryData", "f:stringData")
    return [w for w in writes_of(document) if any(w.touches(p) for p in paths)]


def is_configuration(document: Document) -> bool:
    """Whether a ConfigMap or Secret is configuration that people change."""
    if document.get("kind") == "ConfigMap":
        return name_of(document) not in _CLUSTER_CONFIG
    return document.get("type") not in _NO_CONFIG_TYPES


def config_changes(objects: Objects) -> list[Change]:
    """Writes to the data of ConfigMaps and Secrets: keys, never values."""
    changes: list[Change] = []
    for kind in ("ConfigMap", "Secret"):
        for document in objects.of(kind):
            if is_configuration(document):
                changes += _object_changes(document, "config", data_writes(document), _data_summary)
    return changes


def _data_summary(_: Document, write: Write | None) -> str | None:
    if write is None:
        return None
    keys = sorted({k for path in ("f:data", "f:binaryData", "f:stringData") for k in write.keys(path)})
    return f"data keys {', '.join(keys)}" if keys else "data"


Summary = Callable[[Document, Write | None], str | None]


def _object_changes(document: Document, what: str, writes: list[Write], summary: Summary) -> list[Change]:
    """The object's creation, and each remembered write after it."""
    made = created_at(document)
    at_creation = [w for w in writes if made is not None and w.time is not None and w.time <= made + SECOND]
    changes: list[Change] = []
    if made is not None:
        first = at_creation[0] if at_creation else None
        new = summary(document, first) if first or not writes else None
        changes.append(_creation(document, made, first, new))
    for write in writes:
        if write not in at_creation and write.time is not None:
            changes.append(_later_write(document, what, write.time, write, summary(document, write)))
    return changes


def _creation(document: Document, made: int, first: Write | None, new: str | None) -> Change:
    kind, name = str(document.get("kind")), name_of(document)
    manager = first.manager if first else None
    return Change(
        time=made,
        kind=kind,
        namespace=namespace_of(document),
        name=name,
        what="created",
        new=new,
        manager=manager,
        automated=acts_alone(manager) if first else None,
        evidence=[f"{kind} {name} created", *([f"field manager {manager}"] if manager else [])],
    )


def _later_write(document: Document, what: str, time: int, write: Write, new: str | None) -> Change:
    kind, name = str(document.get("kind")), name_of(document)
    told = (
        f"resourceVersion of {kind} {name} lies between those of events"
        if write.inferred
        else f"managedFields of {kind} {name}: {write.writer} wrote last"
    )
    return Change(
        time=time,
        kind=kind,
        namespace=namespace_of(document),
        name=name,
        what=what,
        new=new,
        manager=write.manager,
        automated=acts_alone(write.manager),
        evidence=[told],
        observed=not write.inferred,
        precision_seconds=write.precision_seconds,
    )


#: Kind -> what a write to its specification is called.
_SPECIFIED = {
    "NetworkPolicy": "network_policy",
    "Service": "service",
    "Ingress": "ingress",
    "HorizontalPodAutoscaler": "autoscaler",
    "CronJob": "schedule",
}


def specification_changes(objects: Objects) -> list[Change]:
    """Writes to the specification of NetworkPolicies, Services, Ingresses, autoscalers and CronJobs."""
    changes: list[Change] = []
    for kind, what in _SPECIFIED.items():
        for document in objects.of(kind):
            writes = [w for w in writes_of(document) if w.subresource is None and w.touches("f:spec")]
            changes += _object_changes(document, what, writes, _specification_summary)
    changes += [c for d in objects.of("EndpointSlice") for c in _endpoint_changes(d)]
    return changes


def _endpoint_changes(document: Document) -> list[Change]:
    writes = [w for w in writes_of(document) if w.touches("f:endpoints")]
    found = _object_changes(document, "endpoints", writes, _endpoint_summary)
    for change in found:
        service = labels_of(document).get("kubernetes.io/service-name")
        if service:
            change.evidence.append(f"EndpointSlice of Service {service}")
    return [c for c in found if c.what != "created"]


def _endpoint_summary(document: Document, _: Write | None) -> str:
    endpoints = listing(document, "endpoints")
    ready = sum(field(e, "conditions", "ready") is not False for e in endpoints)
    return f"{ready} of {len(endpoints)} endpoints ready at capture"


def _specification_summary(document: Document, write: Write | None) -> str | None:
    kind, spec = document.get("kind"), mapping(document, "spec")
    if kind == "CronJob":
        zone = f" {spec['timeZone']}" if spec.get("timeZone") else ""
        images = image_list(mapping(spec, "jobTemplate", "spec", "template"))
        return f"{images}, schedule {spec.get('schedule')}{zone}, suspend {str(bool(spec.get('suspend'))).lower()}"
    if kind == "Service":
        selector = ",".join(f"{k}={v}" for k, v in sorted(mapping(spec, "selector").items()))
        ports = ",".join(str(p.get("port")) for p in listing(spec, "ports"))
        return f"selector {selector or 'none'}, ports {ports or 'none'}"
    if kind == "NetworkPolicy":
        types = "+".join(str(t) for t in given) if isinstance(given := spec.get("policyTypes"), list) else "Ingress"
        return f"{types}: {len(listing(spec, 'ingress'))} ingress and {len(listing(spec, 'egress'))} egress rules"
    if kind == "HorizontalPodAutoscaler":
        return f"{spec.get('minReplicas', 1)} to {spec.get('maxReplicas')} replicas"
    return f"fields {', '.join(write.keys('f:spec'))}" if write is not None else None
