"""Field managers: the programs that wrote an object's fields, as its managedFields name them, and who stands behind each.

A name is a prefix: versions and binaries add to it (``kubectl-client-side-apply``, ``argocd-controller-2``).
"""

from __future__ import annotations

_ARGO_CD = ("argocd-controller", "argocd-application-controller")
#: What brings objects from a repository.
_GITOPS = (*_ARGO_CD, "helm", "flux", "kustomize-controller")
#: Programs that act on their own.
_CONTROLLERS = (
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "cert-manager",
    "keda",
    "vpa-",
    "cluster-autoscaler",
    "karpenter",
    "external-secrets",
    "Reloader",
)
#: People's tools.
_PEOPLE = ("kubectl", "k9s", "lens", "argocd-server", "Mozilla", "dashboard", "oc")


def acts_alone(manager: str | None) -> bool | None:
    """Whether a write by this field manager was automated; None where the name does not tell."""
    if not manager:
        return None
    if manager.startswith(_CONTROLLERS):
        return True
    return False if manager.startswith(_PEOPLE) else None


def is_argo_cd(manager: str) -> bool:
    """Whether it is Argo CD's application controller."""
    return manager.startswith(_ARGO_CD)


def is_gitops(manager: str) -> bool:
    """Whether it brings objects from a repository."""
    return manager.startswith(_GITOPS)
