"""Image changes that only pods and documents show; what a ReplicaSet tells is not told twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from incident_kit.answers.changes import changes
from tests.changes.bundles import evidence_of
from tests.changes.objects import deployment, pod, replica_set, template
from tests.changes.test_symptoms import opened
from tests.reconcile.incident import Incident

OLD, NEW = "orders-api-7c9f8d6b5-x2k4q", "orders-api-5b6c7d8f9f-bcdfg"


def image_changes(frame: Any) -> list[tuple[str, str, str, bool]]:
    found = frame[frame["what"] == "image"]
    return list(zip(found["name"], found["old"], found["new"], found["observed"], strict=True))


def test_documents_of_pods_that_are_gone_tell_of_a_release_and_of_its_way_back(tmp_path: Path) -> None:
    incident = Incident()
    for begin, pod_name, tag in ((10, OLD, "1"), (300, NEW, "2"), (600, OLD.replace("x2k4q", "zzzzz"), "1")):
        for at in range(begin, begin + 290, 10):
            image = {"container": {"image": {"name": f"registry.example:5000/orders:{tag}"}}}
            incident.ship(at, f"Order {at} settled", pod=pod_name, **image)
    found = image_changes(changes(opened(incident, tmp_path)))
    one, two = "registry.example:5000/orders:1", "registry.example:5000/orders:2"
    assert found == [("orders-api", one, two, False), ("orders-api", two, one, False)]


def test_what_a_replica_set_tells_is_told_once() -> None:
    old, new = template("r/orders:1"), template("r/orders:2")
    first, second = replica_set("orders", 1, "08:30", old), replica_set("orders", 2, "10:00", new)
    pods = [pod("orders-1-x", "08:30", old, owner=first), pod("orders-2-x", "10:00", new, owner=second)]
    everything = evidence_of(deployment("orders", new), first, second, *pods)
    assert image_changes(changes(everything)) == [("orders", "r/orders:1", "r/orders:2", True)]
    without = evidence_of(pod(OLD, "08:30", old), pod(NEW, "10:00", new))
    assert image_changes(changes(without)) == [("orders-api", "r/orders:1", "r/orders:2", True)]
