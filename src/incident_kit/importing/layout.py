"""The raw layout (contract): which file of a folder is what, and which ones people usually forget."""

from __future__ import annotations

import re
from difflib import get_close_matches

#: Kubernetes lists that answers are made from, most important first.
KUBERNETES_PLURALS = (
    "pods",
    "replicasets",
    "deployments",
    "events",
    "configmaps",
    "nodes",
    "jobs",
    "cronjobs",
    "statefulsets",
    "daemonsets",
    "networkpolicies",
    "services",
    "endpointslices",
    "ingresses",
    "namespaces",
    "horizontalpodautoscalers",
    "secrets",
    "controllerrevisions",
    "serviceaccounts",
    "persistentvolumeclaims",
    "poddisruptionbudgets",
)
#: What the layout page names: their absence is said.
KUBERNETES_EXPECTED = (*KUBERNETES_PLURALS[:8], "networkpolicies", "services", "endpointslices", "ingresses")
RABBITMQ_LISTS = ("overview", "nodes", "connections", "channels", "consumers", "queues")

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("window", r"window\.json(\.gz)?"),
        ("kubernetes", r"kubernetes/(.+/)?[^/]+\.(json|ya?ml)(\.gz)?"),
        ("console", r"console/[^/]+/[^/]+/[^/]+\.log(\.[\w-]+){0,2}"),
        ("console", r"console/[^/]+/[^/]+/[^/]+/\d+\.log(\.[\w-]+){0,3}"),
        ("hits", r"elasticsearch/(.+/)?[^/]+\.(ndjson|jsonl)(\.gz)?"),
        ("elasticsearch", r"elasticsearch/(query|mappings)\.json(\.gz)?"),
        ("answers", r"elasticsearch/(.+/)?[^/]+\.json(\.gz)?"),
        ("rabbitmq", r"rabbitmq/[^/]+\.json(\.gz)?"),
        ("rabbitmq_log", r"rabbitmq/[^/]+\.log([.\w-]*)?(\.gz)?"),
        ("argocd", r"argocd/[^/]+\.(json|ya?ml)(\.gz)?"),
    )
)
_CONSOLE = "console/NAMESPACE/POD/CONTAINER.log"
_NAMES = [f"kubernetes/{plural}.json" for plural in KUBERNETES_PLURALS] + [
    *(f"rabbitmq/{name}.json" for name in RABBITMQ_LISTS),
    "elasticsearch/hits.ndjson",
    "argocd/applications.json",
    "window.json",
    _CONSOLE,
]
#: What file managers and archivers leave in any folder.
_LITTER = re.compile(r"(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*|__MACOSX/.*)$", re.IGNORECASE)


def is_litter(relative: str) -> bool:
    """Whether a file is none that anybody collected, so that nobody need be told of it."""
    return _LITTER.search(relative) is not None


def file_kind(relative: str) -> str | None:
    """What a file of the folder is by its path, or None when the layout does not know it."""
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(relative)), None)


def shown_name(relative: str, source: str) -> str:
    """A file's name as gaps state it; of documents one that says so, because what was not read of them leaves doubt."""
    if source == "elasticsearch" and not relative.startswith("elasticsearch/"):
        return f"elasticsearch/{relative}"
    return relative


def nearest_name(relative: str) -> str:
    """The layout's file that a misnamed one probably means."""
    near = get_close_matches(relative, _NAMES, 1, 0.5)
    if near:
        return near[0]
    if re.search(r"\.(log|txt)(\.gz)?$", relative):
        return f"{_CONSOLE}, or rabbitmq/NODE.log for a broker's own log"
    return "one of the files in docs/bundle.md"
