"""Capture of Argo CD: its Application objects, through the (possibly other) cluster that holds them."""

from __future__ import annotations

from typing import Any

from incident_kit.capture.session import Session
from incident_kit.errors import SourceError
from incident_kit.sources.kubernetes import Cluster, NotServed

_ABOUT_APPLICATIONS = "involvedObject.kind=Application"


def capture_argocd(session: Session) -> None:
    """All Applications, and the events about them where the capture of Kubernetes does not list those.

    Only events tell of dry runs, of selective and failed syncs but the last, and of who ran an action.
    """
    if session.profile.argocd.enabled:
        session.step("argocd applications", "argocd", lambda: _applications(session))


def _applications(session: Session) -> str:
    """Capture them; how many there were, in words."""
    cluster, homes = _cluster(session), set[str]()

    def kept(item: dict[str, Any]) -> dict[str, Any]:
        homes.add(str(item.get("metadata", {}).get("namespace")))
        found: dict[str, Any] = session.store.redactor.document("applications", item)
        return found

    wanted = session.profile.argocd.namespaces or (None,)
    listed = (item for name in wanted for item in cluster.list("applications", name))
    try:
        count = session.store.objects("argocd/applications.json", listed, kept)
    except NotServed as error:
        raise SourceError(
            "argocd",
            "applications.argoproj.io",
            "this cluster has no Applications",
            "Set argocd.context to the cluster that runs Argo CD, or argocd.enabled = false.",
        ) from error
    unseen = sorted(name for name in homes if _is_elsewhere(session) or not _events_are_captured(session, name))
    if unseen:
        session.store.objects(
            "argocd/events.json",
            (item for name in unseen for item in cluster.list("events", name, fieldSelector=_ABOUT_APPLICATIONS)),
            lambda item: session.store.redactor.document("events", item),
        )
    return f"{count} applications"


def _cluster(session: Session) -> Cluster:
    """The cluster that holds the Applications: the profile's own unless it names another."""
    settings, kubernetes = session.profile.argocd, session.profile.kubernetes
    return Cluster(
        context=settings.context if _is_elsewhere(session) else kubernetes.context,
        kubeconfig=settings.kubeconfig or kubernetes.kubeconfig,
        timeout_seconds=kubernetes.timeout_seconds,
        source="argocd",
    )


def _is_elsewhere(session: Session) -> bool:
    """Whether Argo CD has a cluster of its own, whose events nobody else captures."""
    settings = session.profile.argocd
    return bool(settings.context or settings.kubeconfig)


def _events_are_captured(session: Session, namespace: str) -> bool:
    """Whether the capture of Kubernetes lists the events of a namespace: it may be narrowed to others."""
    scope, chosen = session.scope.pod_namespace, session.profile.kubernetes.namespaces
    return namespace == scope if scope else not chosen or namespace in chosen
