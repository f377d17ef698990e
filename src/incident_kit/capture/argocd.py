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
    settings, kubernetes = session.profile.argocd, session.profile.kubernetes
    if not settings.enabled:
        return
    elsewhere = bool(settings.context or settings.kubeconfig)

    def applications() -> str:
        cluster = Cluster(
            context=settings.context if elsewhere else kubernetes.context,
            kubeconfig=settings.kubeconfig or kubernetes.kubeconfig,
            timeout_seconds=kubernetes.timeout_seconds,
            source="argocd",
        )
        wanted = settings.namespaces or (None,)
        homes: set[str] = set()

        def kept(item: dict[str, Any]) -> dict[str, Any]:
            homes.add(str(item.get("metadata", {}).get("namespace")))
            found: dict[str, Any] = session.store.redactor.document("applications", item)
            return found

        try:
            count = session.store.objects(
                "argocd/applications.json",
                (item for name in wanted for item in cluster.list("applications", name)),
                kept,
            )
        except NotServed as error:
            raise SourceError(
                "argocd",
                "applications.argoproj.io",
                "this cluster has no Applications",
                "Set argocd.context to the cluster that runs Argo CD, or argocd.enabled = false.",
            ) from error
        unseen = sorted(name for name in homes if elsewhere or not _events_are_captured(session, name))
        if unseen:
            session.store.objects(
                "argocd/events.json",
                (item for name in unseen for item in cluster.list("events", name, fieldSelector=_ABOUT_APPLICATIONS)),
                lambda item: session.store.redactor.document("events", item),
            )
        return f"{count} applications"

    session.step("argocd applications", "argocd", applications)


def _events_are_captured(session: Session, namespace: str) -> bool:
    """Whether the capture of Kubernetes lists the events of a namespace: it may be narrowed to others."""
    scope, chosen = session.scope.pod_namespace, session.profile.kubernetes.namespaces
    return namespace == scope if scope else not chosen or namespace in chosen
