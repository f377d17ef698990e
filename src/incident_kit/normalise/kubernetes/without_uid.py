"""Objects that were collected without their uid: trimmed by hand, or out of what kubectl prints.

A uid is what everything about one pod is joined by, so one that lacks it gets the one that its events name, else a
stand-in that says what it is.
"""

from __future__ import annotations

from collections import defaultdict

from incident_kit.nested import Document, mapping, text

#: Begins the stand-in of a uid that nothing tells.
STAND_IN = "without-uid:"
_Key = tuple[str, ...]


def with_uids(documents: list[Document]) -> list[Document]:
    """The documents, each once: one without uid goes where another of its name has one, of events another that says the same."""
    named = {_key(document) for document in documents if text(document, "metadata", "uid")}
    of_events: dict[_Key, set[str]] = defaultdict(set)
    for document in documents:
        subject = mapping(document, "involvedObject") or mapping(document, "regarding")
        if uid := text(subject, "uid"):
            of_events[_texts(subject.get("kind"), subject.get("namespace"), subject.get("name"))].add(uid)
    found: list[Document] = []
    for document in documents:
        if text(document, "metadata", "uid") is None:
            key = _key(document)
            if key in named:
                continue
            if document.get("kind") == "Pod":
                document = _identified(document, of_events.get(key, set()))
        found.append(document)
    return found


def _key(document: Document) -> _Key:
    metadata, kind = mapping(document, "metadata"), document.get("kind")
    if kind == "Event":
        subject = mapping(document, "involvedObject") or mapping(document, "regarding")
        said = document.get("message") or document.get("note")
        return _texts(kind, subject.get("kind"), subject.get("name"), document.get("reason"), said)
    return _texts(kind, metadata.get("namespace"), metadata.get("name"))


def _texts(*parts: object) -> _Key:
    return tuple(map(str, parts))  # what promises to be a name may be anything


def _identified(pod: Document, uids: set[str]) -> Document:
    metadata = mapping(pod, "metadata")
    stand_in = f"{STAND_IN}{metadata.get('namespace')}/{metadata.get('name')}"
    return {**pod, "metadata": {**metadata, "uid": uids.copy().pop() if len(uids) == 1 else stand_in}}
