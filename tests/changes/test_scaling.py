"""Changes of size: by an autoscaler, by hand, and what a rollout scales, which is none."""

from __future__ import annotations

from typing import Any

from incident_kit.answers.changes import changes
from incident_kit.answers.diff import diff
from tests.changes.bundles import at, evidence_of, rfc
from tests.changes.objects import deployment, event, template, written

AUTOSCALER = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "orders-hpa", "namespace": "shop", "uid": "hpa", "creationTimestamp": rfc("06:00")},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "orders", "apiVersion": "apps/v1"}},
}


def scaled(way: str, holder: str, before: int, after: int, clock: str) -> dict[str, Any]:
    made = event(
        "Deployment",
        "orders",
        "ScalingReplicaSet",
        f"Scaled {way} replica set {holder} from {before} to {after}",
        clock,
    )
    made["metadata"]["name"] += f".{holder}.{after}"
    return made


def told(*objects: dict[str, Any]) -> list[tuple[str, str, str, str, str, bool | None]]:
    frame = changes(evidence_of(*objects))
    rows = frame[frame["what"] == "scale"].astype(object).to_dict("records")
    return [(r["kind"], r["name"], r["old"], r["new"], r["by"], r["automated"]) for r in rows]


def test_what_an_autoscaler_decided_and_the_controller_did_is_one_change() -> None:
    message = "New size: 3; reason: cpu resource utilization (percentage of request) above target"
    decided = event("HorizontalPodAutoscaler", "orders-hpa", "SuccessfulRescale", message, "10:00")
    down = event(
        "HorizontalPodAutoscaler",
        "orders-hpa",
        "SuccessfulRescale",
        "New size: 2; reason: All metrics below target",
        "10:30",
    )
    found = told(
        deployment("orders", template()),
        AUTOSCALER,
        decided,
        scaled("up", "orders-1", 1, 3, "10:00"),
        down,
        scaled("down", "orders-1", 3, 2, "10:30"),
    )
    by = "HorizontalPodAutoscaler orders-hpa"
    assert found == [
        ("Deployment", "orders", "1 replicas", "3 replicas", by, True),
        ("Deployment", "orders", "3 replicas", "2 replicas", by, True),
    ]


def test_scaling_by_hand_names_the_tool_and_a_rollout_scales_nothing() -> None:
    workload = deployment("orders", template(), written("kubectl", "10:00", "spec.replicas"))
    by_hand = scaled("down", "orders-2", 3, 0, "10:00")
    rollout = [scaled("up", "orders-2", 1, 2, "09:00:05"), scaled("down", "orders-1", 3, 2, "09:00:09")]
    assert told(workload, by_hand, *rollout) == [("Deployment", "orders", "3 replicas", "0 replicas", "kubectl", False)]


def test_between_two_times_only_the_first_and_the_last_size_count() -> None:
    steps = [scaled("up", "orders-1", 1, 3, "10:00"), scaled("up", "orders-1", 3, 5, "10:20")]
    back = scaled("down", "orders-1", 5, 1, "10:40")
    evidence = evidence_of(deployment("orders", template()), *steps, back)

    def sizes(first: str, second: str) -> list[tuple[str, str]]:
        rows = diff(evidence, at(first), at(second)).to_dict("records")
        return [(r["before"], r["after"]) for r in rows if r["what"] == "scale"]

    assert sizes("09:00", "10:30") == [("1 replicas", "5 replicas")]
    assert sizes("10:30", "09:00") == [("5 replicas", "1 replicas")]
    assert sizes("09:00", "11:00") == []
