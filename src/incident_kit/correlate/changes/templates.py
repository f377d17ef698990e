"""Pod templates compared: what a rollout changed, in words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from incident_kit.correlate.quantities import same_amount
from incident_kit.nested import Document, listing, mapping

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
#: Reloader marks the pod template when it restarts a workload for a changed ConfigMap or Secret.
RELOADED_FROM = "reloader.stakater.com/last-reloaded-from"
#: Its default strategy sets a variable instead, named after what changed: ``STAKATER_ORDERS_CONFIG_CONFIGMAP``.
_RELOADED_BY_VARIABLE = re.compile(r"^STAKATER_(?P<name>\w+)_(?P<kind>CONFIGMAP|SECRET)$")
#: Labels that a controller adds to the template it makes pods from.
_HASHES = frozenset({"pod-template-hash", "rollouts-pod-template-hash"})
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


class FieldDifference(NamedTuple):
    """One field of a container before and after, both in words; printed as ``container: field old -> new``."""

    field: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.field} {self.old} -> {self.new}"


@dataclass(kw_only=True)
class TemplateDifference:
    """What differs between two pod templates, by area.

    Attributes:
        images: (container, old, new) of every changed image.
        resources: requests and limits.
        probes: liveness, readiness and startup probes.
        restarted: restartedAt of a Deploy Restart, when it changed.
        reloaded: what Reloader restarted for, when it did.
        other: everything else.
    """

    images: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    resources: list[FieldDifference] = field(default_factory=list)
    probes: list[FieldDifference] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    restarted: str | None = None
    reloaded: str | None = None

    @property
    def what(self) -> str:
        """The most telling area."""
        for name, found in (("image", self.images), ("resources", self.resources), ("probes", self.probes)):
            if found:
                return name
        if self.reloaded:
            return "config_reload"
        if self.restarted and not self.other:
            return "deploy_restart"
        return "template"

    def before(self) -> str | None:
        """The values that changed, as they were; None where only the fields that changed are known."""
        return "; ".join(f"{d.field} {d.old}" for d in (*self.resources, *self.probes)) or None

    def after(self) -> str:
        """The values that changed, as they became, and every other difference but the images."""
        values = [f"{d.field} {d.new}" for d in (*self.resources, *self.probes)]
        return "; ".join([*values, *self._without_values()]) or "the pod template came back"

    def sentences(self) -> list[str]:
        """Every difference but the images."""
        return [*map(str, self.resources), *map(str, self.probes), *self._without_values()]

    def _without_values(self) -> list[str]:
        lines = list(self.other)
        if self.restarted:
            lines.append(f"restartedAt {self.restarted}")
        if self.reloaded:
            lines.append(f"restarted by Reloader for {self.reloaded}")
        return lines


def containers(template: Document) -> dict[str, Document]:
    """Containers of a pod template by name, init containers included."""
    found = [*listing(template, "spec", "initContainers"), *listing(template, "spec", "containers")]
    return {str(c.get("name")): c for c in found}


def images(template: Document) -> dict[str, str | None]:
    """Image reference by container."""
    return {name: c.get("image") for name, c in containers(template).items()}


def image_list(template: Document) -> str:
    """The template's images in one line."""
    return ", ".join(sorted({str(image) for image in images(template).values() if image}))


def compare_templates(old: Document, new: Document) -> TemplateDifference:
    """What a rollout from one pod template to another changes."""
    difference = TemplateDifference()
    before, after = containers(old), containers(new)
    for name in sorted(before.keys() | after.keys()):
        _compare_container(name, before.get(name, {}), after.get(name, {}), difference)
    _compare_annotations(old, new, difference)
    rest_old = {k: v for k, v in mapping(old, "spec").items() if k not in {"containers", "initContainers"}}
    rest_new = {k: v for k, v in mapping(new, "spec").items() if k not in {"containers", "initContainers"}}
    difference.other += _changed_keys("pod", rest_old, rest_new)
    labels_old, labels_new = mapping(old, "metadata", "labels"), mapping(new, "metadata", "labels")
    difference.other += _changed_keys(
        "labels",
        {k: v for k, v in labels_old.items() if k not in _HASHES},
        {k: v for k, v in labels_new.items() if k not in _HASHES},
    )
    return difference


def _compare_container(name: str, old: Document, new: Document, difference: TemplateDifference) -> None:
    if old.get("image") != new.get("image"):
        difference.images.append((name, old.get("image"), new.get("image")))
    difference.resources += resource_differences(name, old, new)
    for probe in PROBES:
        if old.get(probe) != new.get(probe):
            difference.probes.append(
                FieldDifference(f"{name}: {probe}", _short(old.get(probe)), _short(new.get(probe)))
            )
    env_old = {str(e.get("name")): e for e in listing(old, "env")}
    env_new = {str(e.get("name")): e for e in listing(new, "env")}
    changed = sorted(k for k in env_old.keys() | env_new.keys() if env_old.get(k) != env_new.get(k))
    marks = [m for k in changed if k in env_new and (m := _RELOADED_BY_VARIABLE.match(k))]
    if marks:
        named = [f"{'Secret' if m['kind'] == 'SECRET' else 'ConfigMap'} {m['name']}" for m in marks]
        difference.reloaded = ", ".join(named)
        changed = [k for k in changed if not _RELOADED_BY_VARIABLE.match(k)]
    if changed:
        difference.other.append(f"{name}: env {', '.join(changed)} changed")
    known = {"image", "resources", "env", *PROBES}
    difference.other += _changed_keys(
        name, {k: v for k, v in old.items() if k not in known}, {k: v for k, v in new.items() if k not in known}
    )


def resource_differences(name: str, old: Document, new: Document) -> list[FieldDifference]:
    """Requests and limits that differ: ``app: limits.memory 256Mi -> 512Mi``."""
    lines = []
    for side in ("requests", "limits"):
        before, after = mapping(old, "resources", side), mapping(new, "resources", side)
        for resource in sorted(before.keys() | after.keys()):
            if not same_amount(before.get(resource), after.get(resource)):
                was, becomes = str(before.get(resource, "none")), str(after.get(resource, "none"))
                lines.append(FieldDifference(f"{name}: {side}.{resource}", was, becomes))
    return lines


def _compare_annotations(old: Document, new: Document, difference: TemplateDifference) -> None:
    before, after = mapping(old, "metadata", "annotations"), mapping(new, "metadata", "annotations")
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) == after.get(key):
            continue
        if key == RESTARTED_AT:
            difference.restarted = str(after.get(key)) if key in after else None
        elif key == RELOADED_FROM and key in after:
            difference.reloaded = _reloaded_source(str(after[key]))
        else:
            difference.other.append(f"annotation {key} changed")


def _reloaded_source(value: str) -> str:
    try:
        source = json.loads(value)
    except ValueError:
        return "a changed ConfigMap or Secret"
    parts = [source.get("type"), source.get("name")] if isinstance(source, dict) else []
    return " ".join(str(part) for part in parts if part) or "a changed ConfigMap or Secret"


def _changed_keys(name: str, old: Document, new: Document) -> list[str]:
    return [f"{name}: {key} changed" for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]


def _short(value: Any) -> str:
    return "none" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)[:200]
