"""Whose are the broker's connections? The scenario of connections, played, captured by the kit and compared with the truth.

Needs Kubernetes and RabbitMQ of the lab, nothing else. ``INCIDENT_KIT_LAB_KEEP=1`` asks the last play again.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

import incident_kit
from incident_kit.evidence import Evidence, read_evidence
from incident_kit.tables.kubernetes import PODS
from tests.lab import credentials, scoring
from tests.lab.connections.play import BUNDLES, FOLDER, Played, journals, play
from tests.lab.connections.pods import NAMESPACE, case_of
from tests.lab.connections.score import score_pod, score_rows
from tests.lab.connections.truth import Truth, owned
from tests.lab.scenario.lab import Lab

pytestmark = pytest.mark.live

NODES = ("rabbit1@localhost", "rabbit2@localhost", "rabbit3@localhost")
CAPTURES = ("before", "during", "frozen", "after")


@pytest.fixture(scope="module")
def played() -> Played:
    if os.environ.get("INCIDENT_KIT_LAB_KEEP"):
        return Played(**json.loads((FOLDER / "played.json").read_text()))
    return play(Lab.running())


@pytest.fixture(scope="module")
def truth(played: Played) -> Truth:
    return Truth(owned(journals()))


@pytest.fixture(scope="module")
def evidence(played: Played) -> dict[str, Evidence]:
    return {name: read_evidence(BUNDLES / f"{name}.incident") for name in played.captures}


def answer(capture: str, command: str, *arguments: object) -> dict[str, Any]:
    return scoring.answer(command, *arguments, BUNDLES / f"{capture}.incident")


def uids(evidence: Evidence) -> set[str]:
    return set(evidence.table(PODS)["pod_uid"])


def at(nanoseconds: int) -> str:
    return credentials.instant(nanoseconds)


@pytest.mark.parametrize("capture", CAPTURES)
def test_no_connection_is_given_to_a_wrong_pod_and_what_can_be_told_is_told(
    capture: str, truth: Truth, evidence: dict[str, Evidence]
) -> None:
    rows = [row for node in NODES for row in answer(capture, "rabbit-node", node)["rows"]]
    score = score_rows(rows, truth, uids(evidence[capture]), evidence[capture].window.end)
    print(f"\nconnections, capture {capture!r}, {len(rows)} rows\n{score.table()}")
    assert not score.wrong
    assert not score.unsure, sorted(score.unsure)
    assert score.total["right"] > 40  # thirty that stay, and one of flickering a second


@pytest.mark.parametrize("capture", CAPTURES)
def test_each_pod_is_told_its_own_connections_and_no_others(
    capture: str, truth: Truth, evidence: dict[str, Evidence]
) -> None:
    one = evidence[capture]
    faults: list[str] = []
    for pod in sorted(one.table(PODS)["pod"]):
        frame = incident_kit.rabbit(f"{NAMESPACE}/{pod}", one)
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        for row in rows:
            row["connected_at"] = (
                row["connected_at"].isoformat().replace("+00:00", "Z") if row["connected_at"] else None
            )
        faults += score_pod(pod, rows, truth, uids(one), one.window.end)
    assert not faults, faults[:10]


def test_a_pod_that_was_gone_is_known_from_the_bundle_before(truth: Truth, played: Played) -> None:
    bundles = [BUNDLES / f"{name}.incident" for name in ("before", "during", "after")]
    story = scoring.answer("trace", f"{NAMESPACE}/gone-late", *bundles)
    [true] = [one for one in truth.connections if one.case == "gone-late"]
    own = [row for row in story["rabbit"] if row["match"] == "pod_ip"]
    assert [(row["peer_host"], row["peer_port"]) for row in own] == [true.peer]
    heir = scoring.answer("trace", f"{NAMESPACE}/{played.heirs['gone-late']}", *bundles)
    peers = {(row["peer_host"], row["peer_port"]) for row in heir["rabbit"] if row["match"] == "pod_ip"}
    assert peers
    assert true.peer not in peers


@pytest.mark.parametrize("first", ["finished", "gone-early", "gone-late"])
def test_an_address_is_the_first_holders_then_its_heirs(first: str, truth: Truth, played: Played) -> None:
    address, heir = played.addresses[first], played.heirs[first]
    opened = {one.pod: one.opened_at for one in reversed(truth.connections) if one.peer[0] == address}
    [holder] = [pod for pod in opened if case_of(pod) == first]

    def who(capture: str, pod: str) -> set[str | None]:
        return {row["pod"] for row in answer(capture, "whois", address, "--at", at(opened[pod]))["rows"]}

    assert who("after", heir) == {heir}
    # Only what was captured while the pod existed can know it; otherwise the answer is nobody, never the heir.
    known = {"finished": {holder}, "gone-early": {None}, "gone-late": {None}}[first]
    assert who("after", holder) == known
    if first == "gone-late":
        assert who("before", holder) == {holder}


def findings(capture: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = answer(capture, "findings")["rows"]
    return rows


def names(rows: list[dict[str, Any]], rule: str, least: float = 0.5) -> set[str]:
    return {row["name"] for row in rows if row["rule"] == rule and row["confidence"] >= least}


def test_findings_while_it_lasts(played: Played) -> None:
    rows = findings("during")
    assert names(rows, "consumer-lost") == {"closes-channel", "forgets-to-acknowledge"}
    assert names(rows, "rabbit-alarm") == {NODES[0]}
    assert names(rows, "rabbit-node-down", 0.9) == {NODES[1]}
    assert names(rows, "crash-loop") == {"crashing", "hoarding"}
    assert names(rows, "oom-killed") == {"hoarding"}
    assert names(rows, "moved-tag") == {"moved"}
    assert names(rows, "mixed-versions") == {"two-versions"}


def test_findings_afterwards_and_a_frozen_node_is_not_called_down(played: Played) -> None:
    rows = findings("after")
    assert names(rows, "rabbit-node-down", 0.9) == {NODES[1], NODES[2]}
    assert names(rows, "rabbit-alarm") == {NODES[0]}
    [alarm] = [row for row in rows if row["rule"] == "rabbit-alarm"]
    assert "until" in alarm["title"]


def test_who_was_on_the_node_when_it_was_killed_and_where_they_went(truth: Truth, played: Played) -> None:
    rows = answer("after", "rabbit-node", NODES[1], "--at", at(played.moments["down"]))["rows"]
    hit = {
        one.pod for one in truth.connections if one.rabbit_node == NODES[1] and one.opened_at < played.moments["crash"]
    }
    singles = {case_of(pod): pod for pod in hit if case_of(pod) in ("nameless", "same-name", "spread")}
    moved = {row["pod"]: row["moved_to"] for row in rows if row["match"] in ("client_name", "pod_ip")}
    assert set(singles.values()) <= set(moved)
    for pod in singles.values():
        later = [one for one in truth.connections if one.pod == pod and one.opened_at >= played.moments["crash"]]
        assert moved[pod] == min(later, key=lambda one: one.opened_at).rabbit_node


def test_trace_says_whether_all_connections_sit_on_one_node(played: Played) -> None:
    def summary(pod: str) -> dict[str, Any]:
        found: dict[str, Any] = answer("before", "trace", f"{NAMESPACE}/{pod}")["rabbit_summary"]
        return found

    assert summary("one-node")["all_on_one_node"] is True
    assert summary("one-node")["open"] == 3
    assert summary("spread")["all_on_one_node"] is False
    assert len(summary("closes-channel")["consumer_lost"]) <= 1


def test_a_user_that_sees_part_and_a_frozen_node_are_gaps_and_not_nothing_found(
    played: Played, evidence: dict[str, Evidence]
) -> None:
    assert played.captures["partial"]["exit"] == 3
    [row] = answer("partial", "rabbit", f"{NAMESPACE}/one-node")["rows"]
    assert "could not be looked at" in row["reason"]
    assert any("sees its own connections" in gap["reason"] for gap in evidence["partial"].manifest.gaps)
    assert any("management API" in gap["what"] for gap in evidence["frozen"].manifest.gaps)
    assert played.captures["frozen"]["exit"] == 3
