"""``argocd app history``: the syncs that Argo CD remembers, as the history of an Application object."""

from __future__ import annotations

import re

import orjson

from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.shape import Pieces, Shape, Source
from incident_kit.window import parse_rfc3339

_HEADING = re.compile(r"^ID +DATE +REVISION")
_SYNC = re.compile(
    r"^(?P<id>\d+) +(?P<date>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<zone>[+-]\d{4}) \S+ +(?:(?P<target>\S+) )?\(?(?P<revision>[^\s()]+)\)?"
)
_SOURCE = re.compile(r"^SOURCE +(?P<url>\S+)")
#: What people call such files beside the Application's name.
_SAID = re.compile(r"(?:^|[-_. ])(?:argocd|argo|app|history|applications?)(?=$|[-_. ])", re.IGNORECASE)


def _fits(sample: Sample) -> bool:
    return any(map(_HEADING.match, sample.lines[:5]))


def _convert(source: Source) -> Pieces:
    name = _SAID.sub("", source.sample.stem).strip("-_. ")
    if not name:
        reason = "a history, but nothing tells of which Application; it is left out"
        source.context.gap("argocd", source.relative, reason, "Name it APPLICATION-history.txt.")
        return
    history: dict[int, dict[str, object]] = {}
    url = None
    for line in source.lines():
        if found := _SOURCE.match(line):
            url = found["url"]
        elif sync := _SYNC.match(line):
            zone = f"{sync['zone'][:3]}:{sync['zone'][3:]}"
            deployed = f"{sync['date'].replace(' ', 'T')}{zone}"
            if parse_rfc3339(deployed) is not None:
                entry = {"id": int(sync["id"]), "deployedAt": deployed, "revision": sync["revision"],
                         "source": {"repoURL": url, "targetRevision": sync["target"]}}  # fmt: skip
                history.setdefault(int(sync["id"]), entry)
    document = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name}, "spec": {},
        "status": {"history": list(history.values())},
    }  # fmt: skip
    yield f"argocd/{source.sample.stem}-{source.number}.json", orjson.dumps([document])
    source.context.gap(
        "argocd", source.relative, "a history as text: who synced, what the last operation was and what is live is not in it",
        f"argocd app get {name} -o json > argocd/{name}.json",
    )  # fmt: skip


HISTORY = Shape("argocd app history", _fits, _convert, "argocd")
