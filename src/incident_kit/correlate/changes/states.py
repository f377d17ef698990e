"""States: what was so at one instant and is not at another, in one bundle or between two."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.changes.model import Change
from incident_kit.correlate.changes.rollouts import ROLLED_OUT, Revision, revisions, template_of, workloads
from incident_kit.correlate.changes.table import joined_changes
from incident_kit.correlate.changes.templates import compare_templates, image_list
from incident_kit.correlate.objects import Objects, name_of, namespace_of, read_objects
from incident_kit.correlate.pods.identity import lifetimes
from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.owners import matched_connections
from incident_kit.nested import Document, field, mapping
from incident_kit.normalise.kubernetes import KINDS
from incident_kit.tables import Row
from incident_kit.window import format_ns

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Kinds whose every change is somebody else's effect, or noise.
_LEFT_OUT = frozenset(
    {"Event", "Lease", "Endpoints", "EndpointSlice", "ReplicaSet", "ControllerRevision", "Node", "Pod", "Job"}
)


def _row(document: tuple[str, str | None, str], what: str, **more: Any) -> Row:
    kind, namespace, name = document
    return {"kind": kind, "namespace": namespace, "name": name, "what": what, "observed": True, "evidence": [], **more}


def states_apart(evidence: Evidence, at_1: int, at_2: int) -> list[Row]:
    """DIFF rows of one bundle between two instants."""
    return [
        *_pods_apart(evidence, at_1, at_2),
        *_templates_apart(evidence, at_1, at_2),
        *_sizes_apart(evidence, at_1, at_2),
        *_others_apart(evidence, at_1, at_2),
        *_connections_apart(evidence, at_1, at_2),
    ]


def _connections_apart(evidence: Evidence, at_1: int, at_2: int) -> Iterable[Row]:
    """Pods whose connections, as far as they are surely theirs, were on other RabbitMQ nodes."""
    by_pod: dict[tuple[str | None, str], list[Connection]] = {}
    for matched in matched_connections(evidence):
        if matched.match.single:
            life = matched.match.lives[0]
            by_pod.setdefault((life.namespace, life.pod), []).append(matched.connection)
    for (namespace, pod), connections in sorted(by_pod.items(), key=str):
        then, now = ([c for c in connections if c.open_at(moment)] for moment in (at_1, at_2))
        before, after = ({c.rabbit_node or "an unknown node" for c in found} for found in (then, now))
        if before == after:
            continue
        moved = [c.begin for c in now if c.rabbit_node not in before] + [c.closed_at for c in then]
        yield _row(
            ("Pod", namespace, pod),
            "rabbit_node",
            time=min((t for t in moved if t is not None and min(at_1, at_2) < t <= max(at_1, at_2)), default=None),
            before=", ".join(sorted(before)) or None,
            after=", ".join(sorted(after)) or None,
            evidence=[f"{c.connection} on {c.rabbit_node}, from {c.source}" for c in (then + now)[:10]],
            observed=all(c.observed for c in then + now),
        )


def _pods_apart(evidence: Evidence, at_1: int, at_2: int) -> Iterable[Row]:
    objects = read_objects(evidence)
    for life in lifetimes(evidence):
        then, now = life.may_live_at(at_1), life.may_live_at(at_2)
        if (
            life.begin is None
            or then == now
            or (not life.captured and life.end is None and life.begin <= min(at_1, at_2))
        ):
            continue
        document = objects.get("Pod", life.namespace, life.pod)
        images = image_list(template_of(document)) if document is not None else ", ".join(life.value("images") or ())
        shown = f"alive on {life.value('node') or 'an unknown node'}, image {images or 'unknown'}"
        moment = life.begin if life.begin > min(at_1, at_2) else life.end
        yield _row(
            ("Pod", life.namespace, life.pod),
            "alive",
            time=moment,
            before=shown if then else None,
            after=shown if now else None,
            evidence=sorted({f.source for f in life.facts.values()}),
            observed=life.captured,
        )


def _templates_apart(evidence: Evidence, at_1: int, at_2: int) -> Iterable[Row]:
    objects = read_objects(evidence)
    known_times = {
        (c.kind, c.namespace, c.name, position): c.time
        for (kind, namespace, name), series in _rollouts(evidence).items()
        for position, c in enumerate(series)
        if c.kind == kind
    }
    for kind, namespace, name in workloads(objects):
        series = revisions(kind, namespace, name, objects)
        timed = [(known_times.get((kind, namespace, name, i), r.since), r) for i, r in enumerate(series)]
        then, now = _in_use(timed, at_1), _in_use(timed, at_2)
        if then is None or now is None or then[1].number == now[1].number:
            continue
        difference = compare_templates(then[1].template, now[1].template)
        key, evidence_lines = (
            (kind, namespace, name),
            [f"revision {then[1].number} -> {now[1].number}", now[1].evidence],
        )
        if difference.images:
            before, after = image_list(then[1].template), image_list(now[1].template)
            yield _row(key, "image", time=now[0], before=before, after=after, evidence=evidence_lines)
        if difference.sentences():
            yield _row(
                key,
                "template",
                time=now[0],
                before=difference.before(),
                after=difference.after(),
                evidence=[*evidence_lines, *difference.sentences()],
            )


def _sizes_apart(evidence: Evidence, at_1: int, at_2: int) -> Iterable[Row]:
    """Workloads that were scaled in between, from the size before the first change to that after the last."""
    first, last = sorted((at_1, at_2))
    scaled: dict[tuple[str, str | None, str], list[Change]] = {}
    for change in joined_changes(evidence):
        if change.what == "scale" and change.time is not None and first < change.time <= last:
            scaled.setdefault((change.kind, change.namespace, change.name), []).append(change)
    for subject, changes in sorted(scaled.items(), key=str):
        changes.sort(key=lambda c: c.time or 0)
        before, after = changes[0].old, changes[-1].new
        if before is not None and before == after:
            continue
        yield _row(
            subject,
            "scale",
            time=changes[-1].time,
            before=before if at_1 <= at_2 else after,
            after=after if at_1 <= at_2 else before,
            evidence=[line for change in changes for line in change.evidence],
        )


def _rollouts(evidence: Evidence) -> dict[tuple[str, str | None, str], list[Change]]:
    found: dict[tuple[str, str | None, str], list[Change]] = {}
    for change in joined_changes(evidence):
        if change.kind in ROLLED_OUT and change.what != "scale":
            found.setdefault((change.kind, change.namespace, change.name), []).append(change)
    return found


def _in_use(series: list[tuple[int | None, Revision]], instant: int) -> tuple[int, Revision] | None:
    known = [(time, revision) for time, revision in series if time is not None and time <= instant]
    return max(known, key=lambda pair: pair[0]) if known else None


def _others_apart(evidence: Evidence, at_1: int, at_2: int) -> Iterable[Row]:
    """What changed in between, of everything that remembers only its last change."""
    first, last = sorted((at_1, at_2))
    forward = at_1 <= at_2
    for change in joined_changes(evidence):
        between = change.time is not None and first < change.time <= last
        gone = change.what == "pruned"
        if not between or change.what in {"restart", "job", "manual_job", "hook_job", "scale"}:
            continue
        if change.kind in ROLLED_OUT and not gone:
            continue
        made = change.what == "created"
        text = change.new or (f"since {_clock(change.time)}" if not made else "there")
        before, after = (None if made else change.old or f"as before {_clock(change.time)}"), None if gone else text
        yield _row(
            (change.kind, change.namespace, change.name),
            "existence" if made or gone else change.what,
            time=change.time,
            before=before if forward else after,
            after=after if forward else before,
            evidence=change.evidence,
            observed=change.observed,
        )


def _clock(time: int | None) -> str:
    return (format_ns(time) or "")[:19] + "Z"


def bundles_apart(before: Evidence, after: Evidence) -> list[Row]:
    """DIFF rows between the objects of two bundles of one cluster."""
    old, new = read_objects(before), read_objects(after)
    rows: list[Row] = []
    # A list that was collected and holds nothing says that there was nothing.
    for kind in sorted((old.kinds | _listed(before)) & (new.kinds | _listed(after))):
        rows += _kind_apart(kind, old, new)
    return rows


def _listed(evidence: Evidence) -> set[str]:
    """Kinds of which a list was collected, and read without a gap."""
    troubled = [str(gap["what"]) for gap in evidence.manifest.gaps]
    return {
        kind
        for plural, kind in KINDS.items()
        if evidence.raw.find(name := f"kubernetes/{plural}.json") is not None
        and not any(what.startswith(name) for what in troubled)
    }


def _kind_apart(kind: str, old: Objects, new: Objects) -> Iterable[Row]:
    then = {(namespace_of(d), name_of(d)): d for d in old.of(kind)}
    now = {(namespace_of(d), name_of(d)): d for d in new.of(kind)}
    for namespace, name in sorted(then.keys() | now.keys(), key=str):
        key = (kind, namespace, name)
        was, becomes = then.get((namespace, name)), now.get((namespace, name))
        if was is None or becomes is None:
            if kind not in _LEFT_OUT or kind in {"Pod", "Node"}:
                yield _row(
                    key,
                    "existence",
                    before=_shown(was),
                    after=_shown(becomes),
                    evidence=[f"{kind} {name} in the {'first' if was else 'second'} bundle only"],
                )
        elif kind not in _LEFT_OUT:
            yield from _object_apart(key, was, becomes)


def _shown(document: Document | None) -> str | None:
    if document is None:
        return None
    return image_list(template_of(document)) or "there"


def _object_apart(key: tuple[str, str | None, str], was: Document, becomes: Document) -> Iterable[Row]:
    evidence = ["both bundles hold the object"]
    old_template, new_template = template_of(was), template_of(becomes)
    if old_template and new_template:
        difference = compare_templates(old_template, new_template)
        if difference.images:
            before, after = image_list(old_template), image_list(new_template)
            yield _row(key, "image", before=before, after=after, evidence=evidence)
        if difference.sentences():
            yield _row(
                key,
                "template",
                before=difference.before(),
                after=difference.after(),
                evidence=[*evidence, *difference.sentences()],
            )
    for part in ("data", "binaryData"):
        changed = _changed(mapping(was, part), mapping(becomes, part))
        if changed:
            yield _row(
                key, "config", before=f"other {', '.join(changed)}", after=f"changed {', '.join(changed)}",
                evidence=["keyed hashes of the values differ"],
            )  # fmt: skip
    ignored = {"template", "jobTemplate"}
    for name in _changed(mapping(was, "spec"), mapping(becomes, "spec")):
        if name not in ignored:
            old_value, new_value = field(was, "spec", name), field(becomes, "spec", name)
            yield _row(key, f"spec.{name}", before=_text(old_value), after=_text(new_value), evidence=evidence)


def _changed(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)[:400]
