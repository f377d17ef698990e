"""Doctor: can each source be reached and read, and which command grants what is missing?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from incident_kit.capture.elasticsearch import connect
from incident_kit.capture.rabbitmq import broker_of
from incident_kit.errors import ProfileError, SourceError
from incident_kit.profile import Profile
from incident_kit.sources.elasticsearch import Search
from incident_kit.sources.kubernetes import SERVED, Cluster
from incident_kit.sources.rabbitmq import read_broker

_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
#: Without these an answer is missing; without the others it is poorer.
_NEEDED = ("events", "pods", "replicasets", "deployments", "jobs", "nodes", "configmaps", "networkpolicies", "services")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was tried.

    Attributes:
        source: kubernetes, argocd, elasticsearch, rabbitmq or redaction.
        what: what was tried.
        passed: whether a capture can rest on it; None where the profile names no such source, so that nothing was tried.
        reason: what was seen, or why it failed.
        remedy: the command that helps, when it failed.
    """

    source: str
    what: str
    passed: bool | None
    reason: str
    remedy: str = ""


def examine(profile: Profile) -> list[Check]:
    """Every check of every source that the profile names, side by side, in a fixed order."""
    examinations = (_redaction, _kubernetes, _argocd, _elasticsearch, _rabbitmq)
    with ThreadPoolExecutor(len(examinations), thread_name_prefix="doctor") as pool:
        outcomes = [pool.submit(_checked, examination, profile) for examination in examinations]
        return [check for outcome in outcomes for check in outcome.result()]


def _checked(examination: Callable[[Profile], Iterator[Check]], profile: Profile) -> list[Check]:
    return list(examination(profile))


def _redaction(profile: Profile) -> Iterator[Check]:
    from incident_kit.redaction import default_redactor

    try:
        redactor = default_redactor(profile.keep_readable)
    except ProfileError as error:
        yield Check(source="redaction", what="key", passed=False, reason=str(error))
    else:
        yield Check(source="redaction", what="key", passed=True, reason=f"key {redactor.key_id}")


def _kubernetes(profile: Profile) -> Iterator[Check]:
    settings = profile.kubernetes
    try:
        cluster = Cluster(
            context=settings.context,
            kubeconfig=settings.kubeconfig,
            timeout_seconds=min(10.0, settings.timeout_seconds),
        )
        version = cluster.json("GET", "/version").get("gitVersion")
    except SourceError as error:
        yield _failed("kubernetes", "reach the API server", error)
        return
    yield Check(source="kubernetes", what="reach the API server", passed=True, reason=f"version {version}")
    namespaces: tuple[str | None, ...] = settings.namespaces or (None,)
    for namespace in namespaces:
        for plural in (p for p in SERVED if p != "applications"):
            yield _may(cluster, Right("list", plural, namespace, needed=plural in _NEEDED))
        yield _may(cluster, Right("get", "pods", namespace, "log"))
    yield _may(cluster, Right("get", "nodes", None, "proxy", needed=False))


@dataclass(frozen=True, slots=True)
class Right:
    """A permission that a capture uses; without one that is not needed the capture is only poorer."""

    verb: str
    plural: str
    namespace: str | None
    subresource: str = ""
    needed: bool = True

    @property
    def group(self) -> str:
        """API group; empty for the core group."""
        path = SERVED[self.plural][0]
        return path.split("/")[2] if path.startswith("/apis/") else ""

    @property
    def resource(self) -> str:
        """As kubectl writes it, e.g. ``pods/log`` or ``jobs.batch``."""
        written = f"{self.plural}.{self.group}" if self.group else self.plural
        return f"{written}/{self.subresource}" if self.subresource else written

    def review(self) -> dict[str, object]:
        """The question to the API server."""
        attributes = {"verb": self.verb, "resource": self.plural, "group": self.group}
        if self.subresource:
            attributes["subresource"] = self.subresource
        if self.namespace and SERVED[self.plural][1]:
            attributes["namespace"] = self.namespace
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }


def _may(cluster: Cluster, right: Right) -> Check:
    """Ask the API server whether we may; what is not needed passes, and the reason says what is lost."""
    what = f"{right.verb} {right.resource}" + (f" in {right.namespace}" if right.namespace else "")
    try:
        status = cluster.json("POST", _REVIEW, body=right.review()).get("status", {})
    except SourceError as error:
        return _failed(cluster.source, what, error)
    if status.get("allowed"):
        return Check(source=cluster.source, what=what, passed=True, reason="allowed")
    name = f"incident-kit-{right.plural}{'-' + right.subresource if right.subresource else ''}"
    remedy = (
        f"kubectl create clusterrole {name} --verb={right.verb} --resource={right.resource} && "
        f"kubectl create clusterrolebinding {name} --clusterrole={name} --user=YOU (deploy/rbac.yaml has all)"
    )
    lost = "--rotated will fail" if right.subresource == "proxy" else f"{right.plural} will be a gap"
    reason = str(status.get("reason") or "denied") if right.needed else f"not allowed: {lost}"
    return Check(source=cluster.source, what=what, passed=not right.needed, reason=reason, remedy=remedy)


def _argocd(profile: Profile) -> Iterator[Check]:
    settings, kubernetes = profile.argocd, profile.kubernetes
    if not settings.enabled:
        return
    try:
        cluster = Cluster(
            context=settings.context or (None if settings.kubeconfig else kubernetes.context),
            kubeconfig=settings.kubeconfig or kubernetes.kubeconfig,
            timeout_seconds=min(10.0, kubernetes.timeout_seconds),
            source="argocd",
        )
        kinds = cluster.json("GET", "/apis/argoproj.io/v1alpha1").get("resources") or []
    except SourceError as error:
        remedy = "Set argocd.context to the cluster that runs Argo CD, or argocd.enabled = false."
        yield Check(source="argocd", what="find Applications", passed=False, reason=error.reason, remedy=remedy)
        return
    yield Check(source="argocd", what="find Applications", passed=True, reason=f"{len(kinds)} kinds of argoproj.io")
    for namespace in settings.namespaces or (None,):
        yield _may(cluster, Right("list", "applications", namespace))


def _elasticsearch(profile: Profile) -> Iterator[Check]:
    settings = profile.elasticsearch
    if not settings.url:
        yield _unset("elasticsearch", "elasticsearch.url", "documents, so console-only cannot be answered")
        return
    try:
        search = connect(profile)
        info = search.ask("GET", "/", what="reach it")
    except (SourceError, ValueError) as error:
        yield _failed("elasticsearch", "reach it", error)
        return
    version = (info.get("version") or {}).get("number")
    yield Check(source="elasticsearch", what="reach it", passed=True, reason=f"version {version}")
    wanted = [{"names": list(settings.indices), "privileges": ["read", "view_index_metadata"]}]
    try:
        answer = search.ask("POST", "/_security/user/_has_privileges", {"index": wanted}, what="privileges")
    except SourceError as error:
        # A server without security has no such question, and refuses nothing.
        if "no handler" not in error.reason and "security is not enabled" not in error.reason.lower():
            yield _failed("elasticsearch", "privileges", error)
    else:
        yield from _privileges(answer)
    yield _documents(search, settings.indices)


def _privileges(answer: dict[str, Any]) -> Iterator[Check]:
    user = answer.get("username")
    for index, granted in (answer.get("index") or {}).items():
        missing = sorted(name for name, has in granted.items() if not has)
        role = f'{{"indices": [{{"names": ["{index}"], "privileges": ["read", "view_index_metadata"]}}]}}'
        yield Check(
            source="elasticsearch",
            what=f"read {index} as {user}",
            passed=not missing,
            reason=f"lacks {', '.join(missing)}" if missing else "allowed",
            remedy=f"PUT /_security/role/incident-kit {role}, and give {user} that role" if missing else "",
        )


def _documents(search: Search, indices: tuple[str, ...]) -> Check:
    what = f"find {', '.join(indices)}"
    try:
        mapping = search.mapping(indices)
    except SourceError as error:
        return _failed("elasticsearch", what, error)
    if mapping:
        return Check(source="elasticsearch", what=what, passed=True, reason=f"{len(mapping)} indices")
    reason = "no index matches, or none that this user may read"
    remedy = "Correct elasticsearch.indices in the profile."
    return Check(source="elasticsearch", what=what, passed=False, reason=reason, remedy=remedy)


def _rabbitmq(profile: Profile) -> Iterator[Check]:
    if not profile.rabbitmq.urls:
        yield _unset("rabbitmq", "rabbitmq.urls", "answers of the management API")
        return
    problems: list[Check] = []

    def problem(what: str, reason: str, remedy: str) -> None:
        problems.append(Check(source="rabbitmq", what=what, passed=False, reason=reason, remedy=remedy))

    try:
        answers = read_broker(broker_of(profile), problem)
    except SourceError as error:
        yield from problems
        yield _failed("rabbitmq", "reach the management API", error)
        return
    overview = answers["overview"][0] if answers["overview"] else {}
    counts = ", ".join(f"{len(answers[name])} {name}" for name in ("nodes", "connections", "queues"))
    reason = f"version {overview.get('rabbitmq_version')}, {counts}"
    yield Check(source="rabbitmq", what="reach the management API", passed=True, reason=reason)
    yield from problems


def _failed(source: str, what: str, error: Exception) -> Check:
    if isinstance(error, SourceError):
        return Check(source=source, what=what, passed=False, reason=error.reason, remedy=error.remedy)
    return Check(source=source, what=what, passed=False, reason=str(error))


def _unset(source: str, setting: str, without: str) -> Check:
    """A source that the profile does not name is no failure: it may be for snapshots, or its shop has none."""
    reason = f"{setting} is not set: captures hold no {without}"
    return Check(source=source, what="not configured", passed=None, reason=reason, remedy=f"Set {setting} to have it.")
