"""Owner chains: from a pod to its workload and its Argo CD Application."""

from __future__ import annotations

from dataclasses import dataclass

from incident_kit.nested import Document, listing, mapping, text
from incident_kit.normalise.kubernetes.names import cron_job_of, deployment_of

_REVISION = "deployment.kubernetes.io/revision"
_ROLLOUT_REVISION = "rollout.argoproj.io/revision"
_TRACKING = "argocd.argoproj.io/tracking-id"
_INSTANCE = "argocd.argoproj.io/instance"


@dataclass(frozen=True, slots=True)
class Owner:
    """A controller as an object's ownerReferences name it."""

    kind: str
    name: str
    uid: str | None


def revision_of(replica_set: Document | None) -> str | None:
    """Revision that a ReplicaSet carries, of its Deployment or its Argo Rollout."""
    annotations = mapping(replica_set, "metadata", "annotations")
    return text(annotations, _REVISION) or text(annotations, _ROLLOUT_REVISION)


def controller(document: Document) -> Owner | None:
    """The managing owner; the only owner where none is marked as controller."""
    references = listing(document, "metadata", "ownerReferences")
    marked = [reference for reference in references if reference.get("controller") is True]
    chosen = marked[0] if marked else references[0] if len(references) == 1 else None
    if chosen is None or not text(chosen, "kind") or not text(chosen, "name"):
        return None
    return Owner(str(chosen["kind"]), str(chosen["name"]), text(chosen, "uid"))


class OwnerIndex:
    """Objects by identity, for walking from owner to owner."""

    def __init__(self, objects: list[Document]) -> None:
        self._by_uid: dict[str, Document] = {}
        self._by_name: dict[tuple[str, str | None, str], Document] = {}
        for document in objects:
            uid, name = text(document, "metadata", "uid"), text(document, "metadata", "name")
            if uid:
                self._by_uid[uid] = document
            if name:
                self._by_name[str(document.get("kind")), text(document, "metadata", "namespace"), name] = document

    def find(self, owner: Owner, namespace: str | None) -> Document | None:
        """The owner's object, when it was captured."""
        if owner.uid is not None:
            return self._by_uid.get(owner.uid)
        return self._by_name.get((owner.kind, namespace, owner.name))

    def chain(self, document: Document) -> list[tuple[Owner, Document | None]]:
        """Owners from the direct one upwards; the last known one has no object or no owner."""
        namespace = text(document, "metadata", "namespace")
        found: list[tuple[Owner, Document | None]] = []
        current: Document | None = document
        while current is not None and len(found) < 8:  # ownerReferences may form a ring
            owner = controller(current)
            if owner is None:
                break
            current = self.find(owner, namespace)
            found.append((owner, current))
        return found

    def workload(self, document: Document) -> Owner | None:
        """The top owner; read from the direct owner's name where its object was not captured."""
        chain = self.chain(document)
        if not chain:
            return None
        owner, found = chain[-1]
        if found is None and owner.kind == "ReplicaSet":
            deployment = deployment_of(owner.name, text(document, "metadata", "labels", "pod-template-hash"))
            return Owner("Deployment", deployment, None) if deployment else owner
        if found is None and owner.kind == "Job":
            cron_job = cron_job_of(owner.name)
            return Owner("CronJob", cron_job, None) if cron_job else owner
        return owner

    def revision(self, document: Document) -> str | None:
        """Revision of the pod's ReplicaSet, or the hash of its ControllerRevision."""
        for _, found in self.chain(document):
            revision = revision_of(found)
            if revision:
                return revision
        return text(document, "metadata", "labels", "controller-revision-hash")

    def application(self, document: Document) -> str | None:
        """Argo CD Application that tracks the object or one of its owners."""
        for candidate in (document, *(found for _, found in self.chain(document))):
            if candidate is not None and (name := _tracked_by(candidate)):
                return name
        return None


def _tracked_by(document: Document) -> str | None:
    annotations = mapping(document, "metadata", "annotations")
    tracking = annotations.get(_TRACKING)
    if isinstance(tracking, str) and ":" in tracking:
        return tracking.split(":", 1)[0]
    labels = mapping(document, "metadata", "labels")
    instance = annotations.get(_INSTANCE) or labels.get(_INSTANCE)
    return instance if isinstance(instance, str) else None
