"""Pods that the collected objects know: what names a file or a line leaves out is asked of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

from incident_kit.nested import listing, mapping, text
from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.fields import FieldRoles
from incident_kit.normalise.logs.hits import Reading, hit_files, is_lines, read_hits
from incident_kit.normalise.logs.times import time_value
from incident_kit.normalise.raw import UNKNOWN, RawFolder, read_chunks

#: Hits of each file that are asked which pods there were.
_SAMPLED_HITS = 3_000
_LARGEST_ANSWER = 64 << 20
#: Of each pod's, so many times and messages are kept.
_TOLD = 200
_ASKED = ("pod", "namespace", "container", "time", "message")
_ROLES = FieldRoles()
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_DEFAULT = "kubectl.kubernetes.io/default-container"


@dataclass(frozen=True, slots=True)
class KnownPod:
    """One pod object.

    Attributes:
        namespace: its namespace; `UNKNOWN` where nothing tells it.
        pod: its name.
        containers: names of its containers, init containers last.
        default: the container that kubectl logs shows when it is asked for none; None where no object tells.
    """

    namespace: str
    pod: str
    containers: tuple[str, ...]
    default: str | None


@dataclass(slots=True)
class _Said:
    """What documents say of one pod."""

    namespaces: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    told: list[tuple[int, str]] = field(default_factory=list)


class KnownPods:
    """The pods of the lists that were copied to ``raw/``; read when first asked, for most folders need none of it."""

    def __init__(self, raw: RawFolder, context: Context) -> None:
        self._raw = raw
        # Whoever makes the tables reads the lists again, and tells what is wrong with them.
        self._quiet = replace(context, gaps=[])

    @cached_property
    def pods(self) -> dict[str, list[KnownPod]]:
        """Pods by name."""
        found: dict[str, list[KnownPod]] = defaultdict(list)
        for document in self._documents:
            pod = _known(document)
            if pod is not None and pod not in found[pod.pod]:
                found[pod.pod].append(pod)
        return dict(found)

    @cached_property
    def named(self) -> dict[str, list[KnownPod]]:
        """Pods by name, and those that only documents name: a pod that is gone has no object."""
        return self._of_documents | self.pods

    @cached_property
    def containers_by_id(self) -> dict[str, tuple[KnownPod, str]]:
        """Pod and container by the runtime's id of an instance."""
        found: dict[str, tuple[KnownPod, str]] = {}
        for document in self._documents:
            pod = _known(document)
            for kind in ("containerStatuses", "initContainerStatuses"):
                for status in listing(document, "status", kind):
                    states = (mapping(status, "state", "terminated"), mapping(status, "lastState", "terminated"))
                    for holder in (status, *states):
                        identifier = (text(holder, "containerID") or "").rpartition("/")[2]
                        if identifier and pod is not None:
                            found[identifier] = (pod, str(status.get("name")))
        return found

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """Namespaces of all known pods."""
        return frozenset(pod.namespace for pods in self.pods.values() for pod in pods)

    def one(self, name: str, namespace: str | None = None) -> KnownPod | None:
        """The pod of a name; None where there is none, or several in different namespaces."""
        fitting = [pod for pod in self.named.get(name, []) if namespace in (None, pod.namespace)]
        return fitting[0] if len({pod.namespace for pod in fitting}) == 1 else None

    def told(self, pods: Iterable[str]) -> list[tuple[int, str]]:
        """Times (ns) and first lines of messages of documents of some pods; a sample."""
        return [one for pod in pods if pod in self._sampled for one in self._sampled[pod].told]

    @cached_property
    def _of_documents(self) -> dict[str, list[KnownPod]]:
        return {
            pod: [
                KnownPod(space, pod, tuple(sorted(one.containers)), None)
                for space in sorted(one.namespaces) or [UNKNOWN]
            ]
            for pod, one in self._sampled.items()
        }

    @cached_property
    def _sampled(self) -> dict[str, _Said]:
        """What a sample of the documents says of each pod."""
        said: dict[str, _Said] = defaultdict(_Said)
        for path in hit_files(self._raw):
            if not is_lines(path) and path.stat().st_size > _LARGEST_ANSWER:
                continue  # it would be decoded as a whole
            for hit in islice(read_hits(self._raw, [path], self._quiet, Reading()), _SAMPLED_HITS):
                pod, namespace, container, time, message = (_ROLES.value(hit.source, role) for role in _ASKED)
                if not isinstance(pod, str) or not _NAME.fullmatch(pod):
                    continue
                one = said[pod]
                for names, name in ((one.namespaces, namespace), (one.containers, container)):
                    names.update({name} if isinstance(name, str) and _NAME.fullmatch(name) else ())
                if len(one.told) < _TOLD and isinstance(message, str) and (when := time_value(time)) is not None:
                    one.told.append((when, message.partition("\n")[0]))
        return said

    @cached_property
    def _documents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for path in self._raw.files("kubernetes/**/*.json") + self._raw.files("kubernetes/**/*.json.gz"):
            if any(b'"containers"' in chunk for chunk in read_chunks(path)):
                name = self._raw.relative(path).removesuffix(".gz")
                pods = "pod" in path.name.lower()
                for document in self._raw.items(name, self._quiet, "kubernetes") or []:
                    if document.get("kind") == "Pod" or (pods and "kind" not in document):
                        found.append(document)
        return found


def _known(document: dict[str, Any]) -> KnownPod | None:
    name, namespace = text(document, "metadata", "name"), text(document, "metadata", "namespace")
    if name is None or namespace is None:
        return None
    named = [text(c, "name") for kind in ("containers", "initContainers") for c in listing(document, "spec", kind)]
    containers = tuple(name for name in named if name)
    default = text(mapping(document, "metadata", "annotations").get(_DEFAULT))
    return KnownPod(namespace, name, containers, default or (containers[0] if containers else None))
