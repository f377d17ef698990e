"""What concerns a pod: itself, its owners, its Application, what it reads, and its namespace's policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from incident_kit.correlate.frames import plain
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.nested import listing, mapping, text
from incident_kit.tables.kubernetes import OBJECTS

if TYPE_CHECKING:
    from incident_kit.correlate.pods.identity import PodIdentity
    from incident_kit.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Subjects:
    """Objects whose changes and findings belong to a pod's story.

    Attributes:
        namespace: the pod's.
        named: (kind, name) of objects in that namespace.
        applications: names of Argo CD Applications, in whatever namespace they are.
        node: the pod's node.
    """

    namespace: str | None
    named: frozenset[tuple[str, str]]
    applications: frozenset[str]
    node: str | None

    def concern(self, kind: Any, namespace: Any, name: Any) -> bool:
        """Whether a change or finding with this subject belongs to the story."""
        kind, namespace, name = plain(kind), plain(namespace), plain(name)
        if kind == "Application":
            return name in self.applications
        if kind == "Node":
            return name is not None and name == self.node
        if namespace is not None and self.namespace is not None and namespace != self.namespace:
            return False
        return kind == "NetworkPolicy" or (kind, name) in self.named


def subjects_of(identity: PodIdentity, lives: list[Lifetime], evidence: tuple[Evidence, ...]) -> Subjects:
    """The subjects of one pod's story."""
    named = {("Pod", identity.pod)}
    applications: set[str] = set()
    for life in lives:
        for kind, name in (("owner_kind", "owner_name"), ("workload_kind", "workload")):
            if life.value(kind) and life.value(name):
                named.add((life.value(kind), life.value(name)))
        if life.value("application"):
            # The tracking label may hold namespace_name, as Argo CD writes it for Applications in any namespace.
            applications |= {life.value("application"), str(life.value("application")).rpartition("_")[2]}
    for one in evidence:
        named |= set(_read_by(identity, one))
    node = next((life.value("node") for life in reversed(lives) if life.value("node")), None)
    return Subjects(identity.namespace, frozenset(named), frozenset(applications), node)


def _read_by(identity: PodIdentity, evidence: Evidence) -> list[tuple[str, str]]:
    """ConfigMaps, Secrets and claims that the pod's spec names."""
    frame = evidence.table(OBJECTS)
    rows = frame[(frame["kind"] == "Pod") & (frame["name"] == identity.pod)]
    found: list[tuple[str, str]] = []
    for row_namespace, document in zip(rows["namespace"], rows["object"], strict=True):
        if identity.namespace not in (None, plain(row_namespace)):
            continue
        spec = mapping(orjson.loads(document), "spec")
        for container in [*listing(spec, "initContainers"), *listing(spec, "containers")]:
            for source in listing(container, "envFrom"):
                found += _reference(source, "configMapRef", "secretRef")
            for variable in listing(container, "env"):
                found += _reference(mapping(variable, "valueFrom"), "configMapKeyRef", "secretKeyRef")
        for volume in listing(spec, "volumes"):
            for source in [volume, *listing(volume, "projected", "sources")]:
                found += _reference(source, "configMap", "secret")
    return found


def _reference(source: dict[str, Any], config_map: str, secret: str) -> list[tuple[str, str]]:
    found = []
    for kind, key in (("ConfigMap", config_map), ("Secret", secret)):
        name = text(source, key, "name") or text(source, key, "secretName")
        if name:
            found.append((kind, name))
    return found
