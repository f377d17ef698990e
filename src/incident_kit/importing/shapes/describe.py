"""``kubectl describe pod`` as pod objects and events, with what it shows; environments are never taken over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.kubectl_tables import SEEN, ago, event, report_no_now
from incident_kit.importing.shapes.shape import Pieces, Shape, Source

_FIELD = re.compile(r"^(?P<indent> *)(?P<name>[A-Z][\w ./()-]*?):(?: +(?P<value>.*))?$")
_CONTAINER = re.compile(r"^  (?P<name>[a-z0-9][a-z0-9.-]*):$")
_SECTIONS = (
    "Containers",
    "Init Containers",
    "Ephemeral Containers",
    "Conditions",
    "Events",
    "IPs",
    "Labels",
    "Annotations",
    "Volumes",
)
_NONE = ("<none>", "<unset>", "")


def _fits(sample: Sample) -> bool:
    text = sample.body
    return (
        sample.place not in ("elasticsearch", "rabbitmq") and not (sample.place == "console" and sample.is_log) and text.startswith("Name: ")
        and all(f"\n{name}:" in text for name in ("Namespace", "Node", "Containers"))
    )  # fmt: skip


def _convert(source: Source) -> Pieces:
    pods: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    aged = 0
    now = source.context.captured_at
    for number, lines in enumerate(_each(source.lines())):
        pod, rows = _pod(lines)
        pods.append(pod)
        subject = {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
        for row in rows:
            if now is None:
                aged += 1
                continue
            seen = SEEN.fullmatch(row["Age"])
            last = ago(seen["last"], now) if seen else None
            first = (ago(seen["first"], now) if seen and seen["first"] else None) or last
            said = {"TYPE": row["Type"], "REASON": row["Reason"], "MESSAGE": row["Message"], "SOURCE": row["From"]}
            count = int(seen["count"]) if seen and seen["count"] else 1
            events.append(event(subject, said, first, last, count, f"{source.number}.{number}.{len(events)}"))
    yield f"kubernetes/pods-{source.number}.json", orjson.dumps(pods)
    if events:
        yield f"kubernetes/events-{source.number}.json", orjson.dumps(events)
    if aged:
        report_no_now(source, f"its {aged} events have ages, and nobody says when it was printed; they are left out")
    source.context.gap(
        "kubernetes", source.relative, "a description: it lacks uids, when the pods were created, and what conditions hold since",
        "kubectl get pods -A -o json > kubernetes/pods.json",
    )  # fmt: skip


def _each(lines: Iterator[str]) -> Iterator[list[str]]:
    """The lines of each pod that is described."""
    own: list[str] = []
    for line in lines:
        if line.startswith("Name: ") and own:
            yield own
            own = []
        own.append(line)
    if own:
        yield own


def _pod(lines: list[str]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The object that a description shows, and the rows of its events."""
    sections, top = _sections(lines)
    labels = _pairs(top.get("Labels"), sections.get("Labels", []), "=")
    node, _, host = top.get("Node", "").partition("/")
    kind, _, owner = top.get("Controlled By", "").partition("/")
    spec: dict[str, Any] = {
        "nodeName": _said(node),
        "serviceAccountName": _said(top.get("Service Account")),
        "containers": [],
    }
    status: dict[str, Any] = {
        "phase": top.get("Status", "").partition(" ")[0] or None, "hostIP": _said(host), "podIP": _said(top.get("IP")),
        "podIPs": [{"ip": line.partition(":")[2].strip()} for line in sections.get("IPs", []) if _said(line.partition(":")[2])],
        "startTime": _time(top.get("Start Time")), "reason": _said(top.get("Reason")), "message": _said(top.get("Message")),
        "qosClass": _said(top.get("QoS Class")), "conditions": _conditions(sections.get("Conditions", [])),
    }  # fmt: skip
    for heading, own, states in (
        ("Containers", "containers", "containerStatuses"), ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):  # fmt: skip
        for name, fields in _containers(sections.get(heading, [])):
            spec.setdefault(own, []).append({"name": name, "image": _said(fields.get("Image"))})
            status.setdefault(states, []).append(_status(name, fields))
    metadata: dict[str, Any] = {
        "name": top.get("Name", "").strip(),
        "namespace": _said(top.get("Namespace")),
        "labels": labels,
    }
    if owner:
        metadata["ownerReferences"] = [{"kind": kind, "name": owner, "controller": True}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
    return pod, _events(sections.get("Events", []))


def _sections(lines: list[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Lines under each heading of the first column, and the values that stand beside headings."""
    sections: dict[str, list[str]] = {}
    top: dict[str, str] = {}
    current: list[str] = []
    for line in lines:
        field = _FIELD.match(line)
        if field and not field["indent"]:
            current = sections.setdefault(field["name"], [])
            top.setdefault(field["name"], (field["value"] or "").strip())
        elif line.strip():
            current.append(line)
    return sections, top


def _containers(lines: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and fields of each container; a state's own fields are in a mapping of their own."""
    name: str | None = None
    fields: dict[str, Any] = {}
    state: dict[str, Any] = {}
    for line in lines:
        if begins := _CONTAINER.match(line):
            if name is not None:
                yield name, fields
            name, fields, state = begins["name"], {}, {}
        elif field := _FIELD.match(line):
            value = (field["value"] or "").strip()
            if len(field["indent"]) == 4:
                state = {"": value}
                fields[field["name"]] = state if field["name"] in ("State", "Last State") else value
            else:
                state[field["name"]] = value
    if name is not None:
        yield name, fields


def _status(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    restarts = str(fields.get("Restart Count", "0"))
    return {
        "name": name, "image": _said(fields.get("Image")), "imageID": _said(fields.get("Image ID")),
        "containerID": _said(fields.get("Container ID")), "ready": fields.get("Ready") == "True",
        "restartCount": int(restarts) if restarts.isdecimal() else 0,
        "state": _state(fields.get("State")), "lastState": _state(fields.get("Last State")),
    }  # fmt: skip


def _state(fields: dict[str, str] | None) -> dict[str, Any]:
    if not fields:
        return {}
    code, signal = fields.get("Exit Code", ""), fields.get("Signal", "")
    told = {
        "reason": _said(fields.get("Reason")), "message": _said(fields.get("Message")), "startedAt": _time(fields.get("Started")),
        "finishedAt": _time(fields.get("Finished")), "exitCode": int(code) if code.lstrip("-").isdecimal() else None,
        "signal": int(signal) if signal.isdecimal() else None,
    }  # fmt: skip
    return {fields[""].lower(): {key: value for key, value in told.items() if value is not None}}


def _conditions(lines: list[str]) -> list[dict[str, str]]:
    words = [line.split() for line in lines[1:]]
    return [{"type": one[0], "status": one[1]} for one in words if len(one) == 2]


def _events(lines: list[str]) -> list[dict[str, str]]:
    names = re.findall(r"\S+", lines[0]) if len(lines) > 2 else []
    if names != ["Type", "Reason", "Age", "From", "Message"]:
        return []  # <none>, or a heading that is damaged
    starts = [found.start() for found in re.finditer(r"\S+", lines[0])]
    ends = [*starts[1:], 1 << 30]
    return [{name: line[a:b].strip() for name, a, b in zip(names, starts, ends, strict=True)} for line in lines[2:]]


def _pairs(beside: str | None, below: list[str], mark: str) -> dict[str, str]:
    parts = [(beside or "").strip(), *(line.strip() for line in below)]
    return {key: value for key, found, value in (part.partition(mark) for part in parts) if found}


def _said(value: str | None) -> str | None:
    return None if value is None or value.strip() in _NONE else value.strip()


def _time(value: str | None) -> str | None:
    """RFC 3339 of a time as kubectl describe writes it (RFC 1123 with a zone)."""
    try:
        return parsedate_to_datetime(value).isoformat() if value else None
    except ValueError:
        return None


DESCRIBED = Shape("kubectl describe pod", _fits, _convert, "kubernetes")
