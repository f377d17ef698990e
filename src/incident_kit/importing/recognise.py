"""What a collected file is: the one place that decides it, by its path in the layout, its content, then its name.

A file of the layout is taken as it is, unless its content says that it is written otherwise (Docker's JSON in the place
of a console). Any other is told by its content (`shapes`), and a text that is none of them is a console where its path
names a pod.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from incident_kit.importing.console_names import console_name, is_pod_name
from incident_kit.importing.known_pods import KnownPods
from incident_kit.importing.layout import file_kind
from incident_kit.importing.own_times import KUBELET_TIME, lacks_kubelet_times
from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.argocd_history import HISTORY
from incident_kit.importing.shapes.describe import DESCRIBED
from incident_kit.importing.shapes.documents import ANSWER, BARE_LINES, LINES, TABLE
from incident_kit.importing.shapes.kubectl_tables import TABLES
from incident_kit.importing.shapes.log_exports import LOGCLI, LOKI, ROWS
from incident_kit.importing.shapes.objects import APPLICATIONS, MISNAMED_API, OBJECTS, RABBIT_API
from incident_kit.importing.shapes.prefixed import PREFIXED
from incident_kit.importing.shapes.rabbitmqctl import RABBIT_LISTS, RABBIT_STATUS
from incident_kit.importing.shapes.shape import Shape
from incident_kit.importing.shapes.wrapped import BARE, DOCKER
from incident_kit.normalise.rabbitmq.records import read_record

#: Every shape, in the order in which they are tried: what says most of itself first.
SHAPES = (
    DOCKER, LOKI, ROWS, LOGCLI, RABBIT_LISTS, RABBIT_STATUS, TABLES, DESCRIBED, HISTORY, PREFIXED, TABLE, LINES, ANSWER, OBJECTS, APPLICATIONS,
    RABBIT_API,
)  # fmt: skip
#: Shapes that a file in a place of the layout may have instead of its own.
_INSTEAD: dict[str, tuple[Shape, ...]] = {
    "console": (DOCKER, LOKI, ROWS, LOGCLI, PREFIXED),
    "answers": (TABLE, LINES, ANSWER),
    "rabbitmq": (RABBIT_LISTS, RABBIT_STATUS, MISNAMED_API),
    "rabbitmq_log": (DOCKER, PREFIXED),
}
_PLACES = ("console", "elasticsearch", "kubernetes", "rabbitmq", "argocd")
_ENDINGS = re.compile(r"(?:\.(?:log|json|ya?ml|ndjson|jsonl|gz|xz|bz2|zst))+$", re.IGNORECASE)
_REPACKED = re.compile(r"\.(?:xz|bz2|zst)$")
_PREVIOUS = re.compile(r"(?P<container>[^.]+?)[-_]previous\.log(?P<rest>.*)")
_NUMBERED = re.compile(r"(?P<container>[^.]+)\.(?P<number>\d+)\.log(?P<rest>.*)")
#: Texts of these endings are no console, whatever they are named after.
_NO_CONSOLE = re.compile(r"\.(?:ya?ml|csv|tsv|md|html?|xml|json|pdf|docx?|xlsx?|sh|py)$", re.IGNORECASE)
_SAID_OF_ANY_BROKER = frozenset({"rabbitmq", "rabbit", "broker", "console", "log", "logs", "current", "previous", "0"})
#: Of a text without a shape, at least this share of the first lines must be a broker's.
_BROKER_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is.

    Attributes:
        shape: how it becomes files of the layout; None where it is one.
        destination: where the layout has it; None where only its shape tells, or a console that nobody owns.
    """

    shape: Shape | None
    destination: str | None


def recognise(sample: Sample) -> Recognised | None:
    """What a file is as far as content and layout tell; None where only its name can."""
    destination = layout_path(sample.relative)
    kind = file_kind(destination) if destination else None
    for shape in () if sample.is_binary else SHAPES if kind is None else _INSTEAD.get(kind, ()):
        if shape.fits(sample):
            return Recognised(shape, destination)
    if destination is not None:
        if kind == "console" and lacks_kubelet_times(sample.lines, 0):
            return Recognised(BARE, destination)
        return Recognised(None, destination)
    if _is_broker_log(sample) and not any(map(KUBELET_TIME.match, sample.lines[:5])):
        return Recognised(None, _broker_log(sample))
    return None


def recognise_console(sample: Sample, known: KnownPods) -> tuple[Recognised, str | None] | None:
    """What a text is by its name, and what was assumed; None where neither its name tells a pod nor it holds documents."""
    if not sample.lines or sample.place in ("elasticsearch", "kubernetes", "argocd"):
        return None
    name = console_name(sample.relative, known) if not _NO_CONSOLE.search(sample.relative) else None
    if name is not None:
        return Recognised(BARE if lacks_kubelet_times(sample.lines, 0) else None, name.destination), name.note
    if BARE_LINES.fits(sample):
        return Recognised(BARE_LINES, None), None
    return (Recognised(None, _broker_log(sample)), None) if _is_broker_log(sample) else None


def layout_path(relative: str) -> str | None:
    """The path of a file within the layout, wherever in the folder that begins and however its name is cased and packed."""
    parts = relative.split("/")
    parts[-1] = _REPACKED.sub("", _ENDINGS.sub(lambda found: found[0].lower(), parts[-1]))
    for place, part in enumerate(parts):
        folder = part.lower() if part.lower() in _PLACES or place == len(parts) - 1 else part
        candidate = "/".join([folder, *parts[place + 1 :]])
        if (part.lower() in _PLACES or folder.startswith("window.json")) and file_kind(candidate):
            return _console_path(candidate) if folder == "console" else candidate
    return None


def _console_path(path: str) -> str | None:
    """A console's path with the container's own name; None where it has the form of one and is none.

    Names of containers are DNS labels: what follows a dot or an underscore says which file of the container it is. A number
    below what looks like a pod is the kubelet's, of a tree that lacks the namespace.
    """
    parts = path.split("/")
    if len(parts) != 4:
        return path
    _, namespace, pod, name = parts
    if name.split(".")[0].isdecimal() or (is_pod_name(namespace) and not is_pod_name(pod)):
        return None
    if previous := _PREVIOUS.match(name):
        name = f"{previous['container']}.previous.log{previous['rest']}"
    elif numbered := _NUMBERED.match(name):
        name = f"{numbered['container']}.log.{numbered['number']}{numbered['rest']}"
    return "/".join([*parts[:3], name])


def _broker_log(sample: Sample) -> str:
    """The place of a broker's log: the node's name is the file's, unless that says nothing."""
    folder = sample.relative.split("/")[-2:-1]
    stem = sample.stem
    if folder and stem.lower() in _SAID_OF_ANY_BROKER:
        stem = "".join(c if c.isalnum() or c in "-_.@" else "-" for c in folder[0])
    return f"rabbitmq/{stem}.log"


def _is_broker_log(sample: Sample) -> bool:
    if sample.place not in (None, "rabbitmq") or sample.is_json:
        return False
    read = sum(1 for line in sample.lines if read_record(line) is not None)
    return bool(sample.lines) and read >= _BROKER_SHARE * len(sample.lines) and "<0." in sample.text
