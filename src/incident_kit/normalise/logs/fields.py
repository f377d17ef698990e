"""Field roles: which field of a document (or of a JSON console line) is the pod, the time, the message ...

Each role has ordered candidates. A candidate counts where a document carries it; the pod role may also be any field
whose values are known pod names. A profile's choice comes first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from incident_kit.normalise.logs.candidates import CANDIDATES
from incident_kit.normalise.logs.levels import are_levels, fold_level
from incident_kit.normalise.logs.pod_identities import PodIdentities

JsonObject = Mapping[str, Any]

ROLES = tuple(CANDIDATES)
#: An object is a message only when it holds one of these.
SPOKEN = ("message", "msg", "@m", "@mt", "Message", "text", "event", "short_message")
#: What of a document's values is kept: this many, lists and texts up to these lengths.
MOST_PROPERTIES, LONGEST_LIST, LONGEST_TEXT = 60, 20, 400
_SKIPPED_PREFIXES = (
    "kubernetes.",
    "ecs.",
    "agent.",
    "host.",
    "process.",
    "log.",
    "resource.",
    "@version",
    "container.",
    "input.",
    "event.",
)


def lookup(document: JsonObject, path: str) -> Any:
    """The value at a path, nested, dotted or any mix of both; None when there is none."""
    value = document.get(path)
    if value is not None:
        return value
    position = path.find(".")
    while position > 0:
        child = document.get(path[:position])
        if isinstance(child, dict):
            value = lookup(child, path[position + 1 :])
            if value is not None:
                return value
        position = path.find(".", position + 1)
    return None


def flatten(document: JsonObject, prefix: str = "", depth: int = 8) -> Iterator[tuple[str, Any]]:
    """Every leaf with its dotted path; lists are leaves."""
    for name, value in document.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and depth:
            yield from flatten(value, f"{path}.", depth - 1)
        else:
            yield path, value


#: User agents (RFC 9110's products, with comments) and request lines have blanks and are no messages.
_OF_HTTP = re.compile(r"[\w.!#$%&'*+^`|~-]+/\d[\w.+-]*(?= |$)|[A-Z]{3,8} \S+ HTTP/\d(?:\.\d)?$")
_MOST_OF_HTTP = 0.8


@dataclass(slots=True)
class FieldRoles:
    """The paths of each role, in the order in which they are tried.

    Attributes:
        paths: role to paths.
        proved_only: pod paths that count only where their value is a known pod name (``host.name`` and the like).
        tagged: pod paths whose value is tags, one of which names a known pod (Datadog's ``pod_name:NAME``).
        identifying: pod paths whose value names no pod but identifies one, where no other field names any.
        known_pods: names that the console files and pod objects know.
        level_words: words of the level field that were learnt from the documents' levels.
    """

    paths: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(CANDIDATES))
    proved_only: frozenset[str] = frozenset()
    tagged: frozenset[str] = frozenset()
    identifying: frozenset[str] = frozenset()
    identities: PodIdentities = field(default_factory=PodIdentities)
    known_pods: frozenset[str] = frozenset()
    level_words: dict[Any, str] = field(default_factory=dict)
    _used: frozenset[str] | None = None
    _by_shape: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def value(self, document: JsonObject, role: str) -> Any:
        """The first value that the document has for a role."""
        shape = tuple(document)
        known = self._by_shape.get(shape)
        if known is None:
            known = self._shape(shape)
            if len(self._by_shape) > 20_000:
                self._by_shape.clear()
            self._by_shape[shape] = known
        for path in known[role]:
            value = lookup(document, path)
            if value is not None and value != "":
                if (
                    role == "message"
                    and isinstance(value, dict)
                    and not any(isinstance(value.get(name), str) for name in SPOKEN)
                ):
                    continue  # ECS has objects of these names: event.ingested is no message
                if role == "pod" and path in self.tagged | self.identifying:
                    tagged = path in self.tagged
                    named = tagged_pod(value, self.known_pods) if tagged else self.identities.pod_of(value)
                    if named is not None:
                        return named
                    continue
                if role == "pod" and (
                    not isinstance(value, str | list)
                    or (path in self.proved_only and (not isinstance(value, str) or value not in self.known_pods))
                ):
                    continue
                return value
        return None

    def level(self, document: JsonObject) -> str | None:
        """The folded level of the first path whose value is one; a learnt word comes first."""
        if self._by_shape.get(tuple(document)) is None:
            self.value(document, "level")
        for path in self._by_shape[tuple(document)]["level"]:
            said = lookup(document, path)
            if isinstance(said, str | int) and said in self.level_words:
                return self.level_words[said]
            folded = fold_level(said)
            if folded is not None:
                return folded
        return None

    def used(self) -> frozenset[str]:
        """Paths that carry a role and so are no properties."""
        if self._used is None:
            told = (
                "pod",
                "namespace",
                "container",
                "time",
                "ingested",
                "level",
                "message",
                "template",
                "exception",
                "original",
            )
            self._used = frozenset(path for role in told for path in self.paths[role])
        return self._used

    def _shape(self, shape: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        keys = set(shape)
        possible: dict[str, tuple[str, ...]] = {}
        for role, paths in self.paths.items():
            possible[role] = tuple(
                p for p in paths if p in keys or any(p[:i] in keys for i, c in enumerate(p) if c == ".")
            )
        return possible


def first_text(value: Any) -> str | None:
    """A text from a field's value: lists are joined by line ends, numbers are shown, objects are not text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [part for part in (first_text(one) for one in value) if part is not None]
        return "\n".join(parts) if parts else None
    if isinstance(value, bool | int | float):
        return str(value)
    return None


def tagged_pod(value: Any, pods: frozenset[str]) -> str | None:
    """The known pod that tags name: a list of ``key:value``, or all of them in one text; None for what is no tags."""
    tags = value.split(",") if isinstance(value, str) and " " not in value else value
    if not isinstance(tags, list):
        return None
    values = (tag.partition(":")[2] for tag in tags if isinstance(tag, str))
    return next((name for name in values if name in pods), None)


def detect_roles(
    samples: Iterable[JsonObject],
    known_pods: Iterable[str],
    overrides: Mapping[str, str | Sequence[str]] | None = None,
    identities: PodIdentities | None = None,
) -> tuple[FieldRoles, dict[str, Counter[str]]]:
    """Roles for the documents of a sample, and how often each path carried each role.

    A path outside the candidates becomes a pod path when at least one of its values is a known pod name; its other
    values are then not believed. Where none is, what identifies pods otherwise becomes one.
    """
    identities = identities or PodIdentities()
    pods = frozenset(known_pods)
    seen: Counter[str] = Counter()
    proved: Counter[str] = Counter()
    tagged: Counter[str] = Counter()
    identified: Counter[str] = Counter()
    samples_seen = list(samples)
    for sample in samples_seen:
        for path, value in flatten(sample):
            seen[path] += 1
            if isinstance(value, str) and value in pods:
                proved[path] += 1
            elif tagged_pod(value, pods) is not None:
                tagged[path] += 1
            elif identities.pod_of(value) is not None:
                identified[path] += 1
    paths = {role: tuple(candidates) for role, candidates in CANDIDATES.items()}
    candidates = list(paths["pod"])
    good = [p for p in candidates if proved[p]]
    extra = [p for p, _ in proved.most_common() if p not in candidates and not p.startswith("message")]
    rest = [p for p in candidates if p not in good]
    identifying = tuple(p for p, _ in identified.most_common()) if not (good or extra or tagged) else ()
    paths["pod"] = (*good, *rest, *extra, *tagged, *identifying)
    proved_only = frozenset(extra) | {
        p
        for p in ("pod", "kubernetes.pod", "k8s.pod", "fields.pod", "labels.pod", "orchestrator.resource.name")
        if p not in good and pods
    }
    for role, chosen in (overrides or {}).items():
        if role in paths and chosen:
            first = (chosen,) if isinstance(chosen, str) else tuple(chosen)
            paths[role] = first + tuple(p for p in paths[role] if p not in first)
            proved_only -= frozenset(first)
    paths["message"] += _texts(samples_seen, paths)
    paths["level"] += level_fields(samples_seen, FieldRoles(paths=paths))
    counts = {role: Counter({p: seen[p] for p in found if seen[p]}) for role, found in paths.items()}
    counts["proved_pod"] = proved
    roles = FieldRoles(
        paths=paths,
        proved_only=proved_only,
        tagged=frozenset(tagged),
        identifying=frozenset(p for p in paths["pod"] if identified[p] and not proved[p]),
        identities=identities,
        known_pods=pods,
    )
    return roles, counts


def _texts(samples: Sequence[JsonObject], paths: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Paths that look like a message, for documents that have no candidate: long texts of several words, longest first."""
    bare = FieldRoles(paths={"message": tuple(paths["message"]), "template": tuple(paths["template"])})
    lengths: dict[str, list[int]] = {}
    known: Counter[str] = Counter()
    used = {path for role in CANDIDATES if role != "message" for path in paths[role]}
    for sample in samples:
        if bare.value(sample, "message") is not None or bare.value(sample, "template") is not None:
            continue
        for path, value in flatten(sample):
            if (
                isinstance(value, str)
                and path not in used
                and not path.startswith(_SKIPPED_PREFIXES)
                and " " in value.strip()
            ):
                lengths.setdefault(path, []).append(len(value))
                known[path] += _OF_HTTP.match(value) is not None
    told = [path for path in lengths if known[path] < _MOST_OF_HTTP * len(lengths[path])]
    ranked = sorted(told, key=lambda path: -len(lengths[path]) * (sum(lengths[path]) / len(lengths[path])) ** 0.5)
    return tuple(path for path in ranked[:3] if path not in paths["message"])


def level_fields(samples: Iterable[JsonObject], roles: FieldRoles) -> tuple[str, ...]:
    """Fields of the shop's own that tell the level of samples in which no candidate does."""
    words: dict[str, set[Any]] = {}
    for sample in samples:
        if roles.level(sample) is None:
            for path, value in flatten(sample):
                # Unhashable values and long texts are no levels.
                words.setdefault(path, set()).add(value if isinstance(value, str) and len(value) < 16 else None)
    return tuple(path for path, values in words.items() if are_levels(values))


def is_property(path: str, roles: FieldRoles) -> bool:
    """Whether the value at a path is the application's: neither the platform's nor one of a role."""
    return path not in roles.used() and not path.startswith(_SKIPPED_PREFIXES)


def properties_of(document: JsonObject, roles: FieldRoles) -> dict[str, Any]:
    """Flat values that the application gave, without those of the platform and of the roles; null is no value."""
    found: dict[str, Any] = {}
    for path, value in flatten(document):
        if value is None or not is_property(path, roles) or (isinstance(value, list) and len(value) > LONGEST_LIST):
            continue
        found[path] = value[:LONGEST_TEXT] if isinstance(value, str) else value
        if len(found) >= MOST_PROPERTIES:
            break
    return found
