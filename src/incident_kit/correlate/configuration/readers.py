"""Config readers: which containers read which ConfigMap or Secret, by which way, and whether a change reaches them.

What Kubernetes does (https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically):
environment variables never change in a running process, a subPath mount never does, a mounted volume does after the
kubelet's sync period and then depends on whether the application reads its files again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from incident_kit.nested import Document, listing, mapping

#: Ways that a running container never sees a change by.
FIXED_WAYS = frozenset({"env", "envFrom", "subPath"})
_ORDER = ("env", "envFrom", "subPath", "volume", "projected")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way one container reads one ConfigMap or Secret.

    Attributes:
        container: name of the container.
        kind: ConfigMap or Secret.
        name: name of the ConfigMap or Secret.
        way: env, envFrom, subPath, volume or projected.
        keys: data keys read; empty when all are.
        optional: whether the container starts without it.
    """

    container: str
    kind: str
    name: str
    way: str
    keys: tuple[str, ...] = ()
    optional: bool = False

    @property
    def fixed(self) -> bool:
        """Whether the running container keeps what it read when it started."""
        return self.way in FIXED_WAYS


def config_readings(pod_spec: Document) -> list[Reading]:
    """Every ConfigMap and Secret that the containers of a pod specification read, surest way first."""
    volumes = {str(v.get("name")): list(_volume_sources(v)) for v in listing(pod_spec, "volumes")}
    found: list[Reading] = []
    for kind in ("initContainers", "containers"):
        for container in listing(pod_spec, kind):
            found += _environment(container)
            found += _mounts(container, volumes)
    return sorted(dict.fromkeys(found), key=lambda r: (r.container, r.kind, r.name, _ORDER.index(r.way)))


def _environment(container: Document) -> Iterator[Reading]:
    name = str(container.get("name"))
    for variable in listing(container, "env"):
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            reference = mapping(variable, "valueFrom", field)
            if reference.get("name"):
                keys = (str(reference["key"]),) if reference.get("key") else ()
                yield _reading(name, kind, reference["name"], "env", keys, reference)
    for source in listing(container, "envFrom"):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            reference = mapping(source, field)
            if reference.get("name"):
                yield _reading(name, kind, reference["name"], "envFrom", (), reference)


def _reading(container: str, kind: str, name: object, way: str, keys: tuple[str, ...], reference: Document) -> Reading:
    optional = reference.get("optional") is True
    return Reading(container=container, kind=kind, name=str(name), way=way, keys=keys, optional=optional)


#: Kind, name, keys, way, reference.
_Source = tuple[str, str, tuple[str, ...], str, Document]


def _volume_sources(volume: Document) -> Iterator[_Source]:
    yield from _one_source(volume, "volume")
    for projected in listing(volume, "projected", "sources"):
        yield from _one_source(projected, "projected")


def _one_source(holder: Document, way: str) -> Iterator[_Source]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        reference = mapping(holder, field)
        # A secret volume says secretName, a projected source says name.
        name = reference.get("name") or reference.get("secretName")
        if name:
            keys = tuple(str(item.get("key")) for item in listing(reference, "items"))
            yield kind, str(name), keys, way, reference


def _mounts(container: Document, volumes: dict[str, list[_Source]]) -> Iterable[Reading]:
    name = str(container.get("name"))
    for mount in listing(container, "volumeMounts"):
        sub_path = mount.get("subPath") or mount.get("subPathExpr")
        for kind, source, keys, way, reference in volumes.get(str(mount.get("name")), []):
            read = keys
            if sub_path and mount.get("subPath"):
                read = _keys_at(str(sub_path), reference, keys)
            yield _reading(name, kind, source, "subPath" if sub_path else way, read, reference)


def _keys_at(sub_path: str, reference: Document, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The key behind a subPath: items may give a key another path."""
    for item in listing(reference, "items"):
        if item.get("path") == sub_path:
            return (str(item.get("key")),)
    return keys or (sub_path,)
