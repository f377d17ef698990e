"""Capture of Argo CD: its Application objects, through the (possibly other) cluster that holds them."""

from __future__ import annotations

from incident_kit.capture.session import Session
from incident_kit.errors import SourceError
from incident_kit.sources.kubernetes import Cluster, NotServed


def capture_argocd(session: Session) -> None:
    """All Applications, and the events about them when they live in another cluster."""
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
        namespaces = settings.namespaces or (None,)
        try:
            count = session.store.objects(
                "argocd/applications.json",
                (item for namespace in namespaces for item in cluster.list("applications", namespace)),
                lambda item: session.store.redactor.document("applications", item),
            )
        except NotServed as error:
            raise SourceError(
                "argocd",
                "applications.argoproj.io",
                "this cluster has no Applications",
                "Set argocd.context to the cluster that runs Argo CD, or argocd.enabled = false.",
            ) from error
        if elsewhere:
            session.store.objects(
                "argocd/events.json",
                (item for namespace in namespaces for item in cluster.list("events", namespace)),
                lambda item: session.store.redactor.document("events", item),
            )
        return f"{count} applications"

    session.step("argocd applications", "argocd", applications)
