"""Whose console a file is, by its path: the ways in which kubelets, tools and people name them.

`named_console` knows the paths that say everything by themselves; of any other, the collected pods tell which part is
the pod's name and which the container's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from incident_kit.importing.known_pods import KnownPod, KnownPods
from incident_kit.normalise.kubernetes.names import read_name
from incident_kit.normalise.raw import UNKNOWN

_PACKED = r"(?:\.(?:gz|xz|bz2|zst))?"
_KUBELET = re.compile(rf"(?P<restart>\d+)\.log(?P<rotated>\.\d{{8}}-\d{{6}})?{_PACKED}$", re.IGNORECASE)
#: Endings of a console's file: what it is, which rotation, how it is packed.
_ENDING = re.compile(
    rf"(?:\.(?:log|txt|out|logs|stdout|console)(?:[.-]\d{{1,14}}(?:-\d{{1,6}})?)?|\.\d{{1,4}}\.(?:log|txt))?{_PACKED}$",
    re.IGNORECASE,
)
_PREVIOUS = re.compile(r"[-_. (]*(?<![a-z])(?:previous|prev|last)\)?$", re.IGNORECASE)
_KUBELET_FOLDER = re.compile(r"^(?P<namespace>[^_]+)_(?P<pod>[^_]+)(?:_(?P<uid>[0-9a-f-]{32,36}))?$")
_LINK = re.compile(r"^(?P<pod>[^_]+)_(?P<namespace>[^_]+)_(?P<container>.+)-(?P<id>[0-9a-f]{64})$")
_DOCKER = re.compile(r"^(?P<id>[0-9a-f]{64})(?:-json)?$")
_MUST_GATHER = re.compile(
    r"(?:^|/)namespaces/(?P<namespace>[^/]+)/pods/(?P<pod>[^/]+)/(?P<container>[^/]+)/(?:[^/]+/)?logs/(?P<rest>.+)$"
)
#: Words that people name files and folders with, and that are no container's.
_SAID_OF_ANY = frozenset({"", "log", "logs", "console", "stdout", "output", "current", "pod", "kubectl", "container"})


@dataclass(frozen=True, slots=True)
class ConsoleName:
    """Whose console a file is.

    Attributes:
        namespace: of the pod; `UNKNOWN` where nothing tells it.
        pod: name of the pod.
        container: name of the container.
        restart_count: container instance, where the name tells it.
        rotated: the kubelet's time of rotation, with a dot before it, or "".
        previous: whether it is the instance before the current one.
        note: what was assumed; None where the name said everything.
    """

    namespace: str
    pod: str
    container: str
    restart_count: int | None = None
    rotated: str = ""
    previous: bool = False
    note: str | None = None

    @property
    def destination(self) -> str:
        """The file of the layout that holds it."""
        folder = f"console/{self.namespace}/{self.pod}"
        if self.restart_count is not None:
            return f"{folder}/{self.container}/{self.restart_count}.log{self.rotated}"
        return f"{folder}/{self.container}{'.previous' if self.previous else ''}.log"


def console_name(relative: str, known: KnownPods) -> ConsoleName | None:
    """Whose console a file is; None where its path tells no pod.

    Args:
        relative: path of the file within the folder.
        known: pods of the collected objects.
    """
    return _by_form(relative, known) or _by_known(relative, known) or _by_likeness(relative)


def _by_form(relative: str, known: KnownPods) -> ConsoleName | None:
    """Paths of kubelets, of container runtimes and of must-gather."""
    if gathered := _MUST_GATHER.search(relative):
        owner = (gathered["namespace"], gathered["pod"], gathered["container"])
        rest = gathered["rest"]
        if kubelet := _KUBELET.search(rest):
            return ConsoleName(*owner, int(kubelet["restart"]), kubelet["rotated"] or "")
        return ConsoleName(*owner, previous=rest.startswith("previous"))
    folders, name = _parts(relative)
    kubelet = _KUBELET.fullmatch(name)
    if kubelet and len(folders) >= 2 and (folder := _KUBELET_FOLDER.match(folders[-2])):
        restart, rotated = int(kubelet["restart"]), kubelet["rotated"] or ""
        return ConsoleName(folder["namespace"], folder["pod"], folders[-1], restart, rotated)
    stem = _stem(name)[0]
    if link := _LINK.match(stem):
        return ConsoleName(link["namespace"], link["pod"], link["container"])
    if (docker := _DOCKER.match(stem)) and (owned := known.containers_by_id.get(docker["id"])):
        return ConsoleName(owned[0].namespace, owned[0].pod, owned[1])
    return None


def _by_known(relative: str, known: KnownPods) -> ConsoleName | None:
    """Paths in which a known pod's name stands; of several, the longest, and the one nearest to the file's name."""
    folders, name = _parts(relative)
    stem, previous = _stem(name)
    parts = [*folders, stem]
    for place in range(len(parts) - 1, -1, -1):
        found = _inside(parts[place], known)
        if found is None:
            continue
        before, after = found[1], found[2]
        pod = known.one(found[0]) or next(
            (p for p in known.named[found[0]] if p.namespace in parts[:place] or p.namespace in before), None
        )
        if pod is None:
            return None  # of several namespaces, and the path does not say which
        said = [*([after] if after else [before.removeprefix(pod.namespace)]), *parts[place + 1 :]]
        restart = int(stem) if stem.isdecimal() and place < len(parts) - 1 else None
        container, note = _container(pod, said[:-1] if restart is not None else said)
        return ConsoleName(pod.namespace, pod.pod, container, restart, "", previous, note)
    return None


def _inside(part: str, known: KnownPods) -> tuple[str, str, str] | None:
    """The longest known pod in a part of a path, and what stands before and behind it; None where there is none."""
    if part in known.named:
        return part, "", ""
    best: tuple[str, str, str] | None = None
    for pod in known.named:
        if pod in part and (best is None or len(pod) > len(best[0])):
            before, _, after = part.partition(pod)
            if not (before and before[-1].isalnum()) and not (after and after[0].isalnum()):
                best = (pod, before.strip("-_. "), after.strip("-_. "))
    return best


def _container(pod: KnownPod, said: list[str]) -> tuple[str, str | None]:
    words = [word for part in reversed(said) if (word := part.strip("-_. ")).lower() not in _SAID_OF_ANY]
    for word in words:
        fitting = [c for c in pod.containers if re.search(rf"(?:^|[-_. ]){re.escape(c)}(?:$|[-_. ])", word)]
        if fitting:
            return max(fitting, key=len), None
    if len(pod.containers) == 1:
        return pod.containers[0], None
    if not pod.containers or (len(said) > 1 and words):
        return (words[0] if words else UNKNOWN), None
    if pod.default is None:
        return UNKNOWN, f"its name tells no container of {', '.join(pod.containers)}"
    chosen = pod.default
    return (
        chosen,
        f"its name tells no container of {', '.join(pod.containers)}: it is taken for {chosen}'s, as kubectl logs shows",
    )


def _by_likeness(relative: str) -> ConsoleName | None:
    """Paths with a name as Kubernetes generates them, where no pod of that name was collected."""
    folders, name = _parts(relative)
    stem, previous = _stem(name)
    for place in range(len(folders) - 1, -1, -1):
        folder = _KUBELET_FOLDER.match(folders[place])
        pod = folder["pod"] if folder else folders[place]
        if is_pod_name(pod):
            above = folders[place - 1] if place and folders[place - 1].lower() not in _SAID_OF_ANY else None
            namespace = (folder["namespace"] if folder else above) or UNKNOWN
            below = [part for part in (*folders[place + 1 :], stem) if part.lower() not in _SAID_OF_ANY]
            restart = int(stem) if stem.isdecimal() and len(below) > 1 else None
            container = (below[-2] if restart is not None else below[-1]) if below else UNKNOWN
            return ConsoleName(namespace, pod, container, restart, "", previous, _assumed(namespace))
    words = stem.split("_")
    for number, word in enumerate(words):
        if is_pod_name(word):
            rest = words[number + 1 :]
            namespace = words[number - 1] if number else UNKNOWN
            return ConsoleName(namespace, word, rest[0] if rest else UNKNOWN, None, "", previous, _assumed(namespace))
    return None


def is_pod_name(name: str) -> bool:
    """Whether Kubernetes generates such names for the pods of a Deployment, DaemonSet or Job."""
    reading = read_name(name)
    return reading.template_hash is not None or (reading.owner_name is not None and reading.ordinal is None)


def _assumed(namespace: str) -> str | None:
    if namespace != UNKNOWN:
        return None
    return f"its name tells no namespace: that of the pod's documents is taken, else it is called {UNKNOWN}"


def _parts(relative: str) -> tuple[list[str], str]:
    *folders, name = relative.split("/")
    return folders, name


def _stem(name: str) -> tuple[str, bool]:
    """A file's name without its endings, and whether it says that it is the previous instance's."""
    ending = _ENDING.search(name)
    stem = name[: ending.start()] if ending and ending.start() else name
    before = _PREVIOUS.search(stem)
    return (stem[: before.start()], True) if before else (stem, False)
