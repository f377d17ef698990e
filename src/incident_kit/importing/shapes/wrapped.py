"""One container's console in another form than the kubelet's: Docker's JSON lines, and lines without its times."""

from __future__ import annotations

from typing import Any

import orjson

from incident_kit.importing.console_lines import own_times, report_own_times
from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.shape import Pieces, Shape, Source
from incident_kit.window import format_ns

_BLOCK_LINES = 20_000


def _is_docker(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("log"), str) and {"stream", "time"} <= set(document) <= {
        "log", "stream", "time", "attrs",
    }  # fmt: skip


def _fits_docker(sample: Sample) -> bool:
    return sample.place != "elasticsearch" and bool(sample.objects) and all(map(_is_docker, sample.objects))


def _convert_docker(source: Source) -> Pieces:
    """Docker's ``json-file`` log as the kubelet's lines; a broker's own log as the text that it wrote."""
    destination = source.destination
    if destination is None:
        report_unowned(source)
        return
    plain = destination.startswith("rabbitmq/")
    broken = 0
    for block in source.blocks:
        written = []
        for line in block.split(b"\n"):
            if not line.strip():
                continue
            try:
                document = orjson.loads(line)
            except orjson.JSONDecodeError:
                document = None
            if not _is_docker(document):
                broken += 1
                continue
            text = document["log"]
            if plain:
                written.append(text if text.endswith("\n") else f"{text}\n")
            else:
                tag = "F" if text.endswith("\n") else "P"
                body = text.removesuffix("\n").replace("\n", " ")
                written.append(f"{document['time']} {document['stream']} {tag} {body}\n")
        yield destination, "".join(written).encode("utf-8", "replace")
    if broken:
        source.context.gap("console", source.relative, f"{broken} lines are not Docker's JSON; they are left out", "")


def report_unowned(source: Source) -> None:
    """The gap of a console of which nothing tells whose it is."""
    source.context.gap(
        "console", source.relative, "a console, but nothing tells of which pod; it is left out",
        "Name it console/NAMESPACE/POD/CONTAINER.log, or collect kubernetes/pods.json too.",
    )  # fmt: skip


def bare_console(source: Source) -> Pieces:
    """Lines of a console that was collected without the kubelet's times, with their own in that place."""
    destination = source.destination
    if destination is None:
        report_unowned(source)
        return
    pod = destination.split("/")[2]
    times = own_times(source, [pod])
    waiting: list[str] = []
    written: list[str] = []
    for line in source.lines():
        stamp = format_ns(times.of(line))
        if stamp is None:  # what a runtime writes before the logger runs has the time of the first line that has one
            waiting.append(line)
            continue
        written += [f"{stamp} {before}\n" for before in waiting]
        waiting = []
        written.append(f"{stamp} {line}\n")
        if len(written) >= _BLOCK_LINES:
            yield destination, "".join(written).encode("utf-8", "replace")
            written = []
    yield destination, "".join(written).encode("utf-8", "replace")
    report_own_times(source, [times])


DOCKER = Shape("Docker's JSON console file", _fits_docker, _convert_docker, "console", by_name=True)
BARE = Shape("a console without the kubelet's times", lambda _: False, bare_console, "console", by_name=True)
