"""What real logging libraries wrote, event by event: the formats here are observed, not described."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from . import faults
from .model import MINUTE, SECOND, Case, Container, Document, Entry, Event, Format, JsonObject
from .services import KUBERNETES, Shipping, deploy, identifier, put

RECORDINGS = Path(__file__).parent / "recordings"
HEARTBEAT = "Heartbeat: consumer alive"


def rows_of(folder: Path) -> list[JsonObject]:
    """One row per event of a recording."""
    return [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def replay(folder: Path, layout: str, shipping: Shipping) -> Callable[[Case], None]:
    """A pod that wrote exactly the recording; one heartbeat of three and one login of three are lost."""

    def make(case: Case) -> None:
        case.console_layout = layout
        rows = rows_of(folder)
        case.start = rows[0]["time"] // MINUTE * MINUTE - MINUTE
        case.end = case.start + 30 * MINUTE
        container = deploy(case, "orders-service", "python_stdlib")
        container.format = Format(folder.name, "", lambda _: "", lambda _: {})
        container.started = rows[0]["time"] // SECOND * SECOND - SECOND
        for row in rows:
            _play(case, container, row, shipping)
        for template in (HEARTBEAT, "User {user} logged in"):
            one = [entry for entry in faults.shipped(container) if entry.event and entry.event.template == template][1]
            faults.lose(case, [one], "unexplained", why="lost at random")

    return make


def _play(case: Case, container: Container, row: JsonObject, shipping: Shipping) -> None:
    event = Event(
        row["time"],
        row.get("level", "error"),
        row.get("logger", ""),
        row.get("template", ""),
        row.get("properties") or {},
    )
    entry = Entry(row["time"] + 2_500_000, row["console"], row["stream"], event, container)
    container.entries.append(entry)
    if row["document"] is None:
        entry.event = None
        entry.time += 150_000_000
        entry.lost("not_logged", why="the runtime's own words")
        return
    source = row["document"]
    put(source, shipping.pod_field, container.owner.name)
    for path, value in (
        (shipping.namespace_field, container.owner.namespace),
        (shipping.container_field, container.name),
    ):
        if path:
            put(source, path, value)
    entry.document = Document(source, shipping.index, identifier(case), row["time"], container)
    case.documents.append(entry.document)


CASES = {
    f"recorded_{folder.name}": replay(folder, ("cri", "kubectl")[number % 2], (Shipping(), KUBERNETES)[number // 2 % 2])
    for number, folder in enumerate(sorted(RECORDINGS.iterdir()))
}
