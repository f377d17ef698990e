"""Scope: which pods a capture is about. Objects are cheap and captured whole; consoles and documents are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from incident_kit.errors import UsageError

_APP_LABELS = ("app.kubernetes.io/instance", "argocd.argoproj.io/instance", "app.kubernetes.io/name", "app", "k8s-app")
_TRACKING = "argocd.argoproj.io/tracking-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What was asked for: everything, or one Application, pod or namespace."""

    app: str | None = None
    pod: str | None = None
    namespace: str | None = None

    def __post_init__(self) -> None:
        """Refuse an empty name."""
        for name in (self.app, self.pod, self.namespace):
            if name is not None and not name.strip(" /"):
                raise UsageError("--app, --pod and --namespace need a name.")

    @property
    def whole(self) -> bool:
        """Whether nothing narrows it."""
        return self.app is None and self.pod is None and self.namespace is None

    @property
    def pod_name(self) -> str | None:
        """The pod's name without namespace."""
        return self.pod.rpartition("/")[2] if self.pod else None

    @property
    def pod_namespace(self) -> str | None:
        """The namespace written before the pod's name, or asked for."""
        return (self.pod.rpartition("/")[0] if self.pod else "") or self.namespace

    def includes(self, pod: dict[str, Any]) -> bool:
        """Whether a pod object is meant."""
        metadata = pod.get("metadata", {})
        if self.pod_namespace and metadata.get("namespace") != self.pod_namespace:
            return False
        if self.pod and metadata.get("name") != self.pod_name:
            return False
        return self.app is None or self._is_of_app(metadata)

    def _is_of_app(self, metadata: dict[str, Any]) -> bool:
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        tracked = str(annotations.get(_TRACKING, "")).partition(":")[0]
        return tracked == self.app or any(labels.get(label) == self.app for label in _APP_LABELS)

    def described(self) -> dict[str, str]:
        """For the manifest."""
        return {k: v for k, v in (("app", self.app), ("pod", self.pod), ("namespace", self.namespace)) if v}
