"""Evidence from objects: each test writes the objects it is about, in the raw layout, and opens what comes of them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from incident_kit.evidence import Evidence, read_evidence
from incident_kit.evidence.manifest import Manifest
from incident_kit.normalise.argocd import normalise_argocd
from incident_kit.normalise.context import Context
from incident_kit.normalise.kubernetes import normalise_kubernetes
from incident_kit.normalise.rabbitmq import normalise_rabbitmq
from incident_kit.normalise.raw import RawFolder
from incident_kit.profile import Profile
from incident_kit.rules import Finding, rule_named
from incident_kit.tables import ALL
from incident_kit.window import Window, format_ns, parse_rfc3339

RECORDINGS = Path(__file__).parents[1] / "recordings" / "argocd"
DAY = "2026-11-23"
#: Folders of all evidence that tests open; it goes when the tests end.
_SCRATCH = tempfile.TemporaryDirectory(prefix="incident-kit-test-")


def at(clock: str) -> int:
    """Nanoseconds of a clock time (``10:42``, ``10:42:07``) on the day of the tests."""
    full = clock if clock.count(":") == 2 else f"{clock}:00"
    found = parse_rfc3339(f"{DAY}T{full}Z")
    assert found is not None
    return found


def rfc(clock: str) -> str:
    """The clock time as Kubernetes writes it."""
    return f"{(format_ns(at(clock)) or '')[:19]}Z"


def evidence_of(
    *objects: dict[str, Any],
    applications: list[dict[str, Any]] | None = None,
    rabbitmq: dict[str, list[dict[str, Any]]] | None = None,
    window: tuple[str, str] = ("08:00", "12:00"),
    captured_at: str | None = "12:00",
    profile: Profile | None = None,
    bounds: Window | None = None,
) -> Evidence:
    """An opened bundle of these Kubernetes objects, Argo CD Applications and lists of RabbitMQ."""
    folder = Path(tempfile.mkdtemp(dir=_SCRATCH.name))
    raw = folder / "raw"
    (raw / "kubernetes").mkdir(parents=True)
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for item in objects:
        by_kind.setdefault(str(item["kind"]), []).append(item)
    for kind, items in by_kind.items():
        plural = (
            f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}s".replace("ingresss", "ingresses")
        )
        (raw / "kubernetes" / f"{plural}.json").write_text(json.dumps({"kind": "List", "items": items}))
    if applications is not None:
        (raw / "argocd").mkdir()
        (raw / "argocd" / "applications.json").write_text(json.dumps({"kind": "List", "items": applications}))
    for name, items in (rabbitmq or {}).items():
        (raw / "rabbitmq").mkdir(exist_ok=True)
        (raw / "rabbitmq" / f"{name}.json").write_text(json.dumps(items))
    judged = bounds or Window(start=at(window[0]), end=at(window[1]))
    captured = at(captured_at) if captured_at else None
    chosen = profile or Profile()
    context = Context(cluster="test", window=judged, captured_at=captured, profile=chosen)
    tables = normalise_kubernetes(RawFolder(raw), context) | normalise_argocd(RawFolder(raw), context)
    if rabbitmq is not None:
        tables |= normalise_rabbitmq(RawFolder(raw), context)
    (folder / "tables").mkdir()
    for name, rows in tables.items():
        pq.write_table(ALL[name].arrow(rows), folder / "tables" / f"{name}.parquet")
    gaps = [{**gap, "from": format_ns(gap["from"]), "to": format_ns(gap["to"])} for gap in context.gaps]
    manifest = Manifest(
        window=judged,
        cluster="test",
        captured_at=captured,
        created_at=judged.end,
        imported=True,
        kit_version="0",
        profile=chosen.public(),
        gaps=gaps,
    )
    (folder / "manifest.json").write_text(manifest.to_json())
    return read_evidence(folder, verify=False)


def judge(rule: str, *objects: dict[str, Any], **more: Any) -> list[Finding]:
    """Findings of one rule about `evidence_of` the objects."""
    return [o for o in rule_named(rule).run(evidence_of(*objects, **more)) if isinstance(o, Finding)]


def recorded(name: str) -> dict[str, Any]:
    """A recording of the real Argo CD: ``application`` and ``events``."""
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return found


def recorded_evidence(*names: str, **more: Any) -> Evidence:
    """Evidence of recorded Applications with the events about them."""
    recordings = [recorded(name) for name in names]
    events = [event for recording in recordings for event in recording.get("events") or []]
    window = Window(start=parse_rfc3339("2026-11-23T16:00:00Z") or 0, end=parse_rfc3339("2026-11-23T17:00:00Z") or 1)
    applications = [recording["application"] for recording in recordings]
    return evidence_of(*events, applications=applications, bounds=window, captured_at=None, **more)
