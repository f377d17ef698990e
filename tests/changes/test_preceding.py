"""Changes before a symptom: nearest path first, with the lag, and never after it."""

from __future__ import annotations

from typing import Any

from incident_kit.answers.changes import changes
from incident_kit.answers.diff import diff
from incident_kit.answers.findings import findings
from incident_kit.answers.trace import trace
from incident_kit.correlate.changes.preceding import preceding_changes
from incident_kit.correlate.changes.table import joined_changes
from incident_kit.window import SECOND
from tests.changes.bundles import at, evidence_of
from tests.changes.objects import config_map, deployment, event, pod, replica_set, template, written

MADE = template(envFrom=[{"configMapRef": {"name": "orders-config"}}])


def objects() -> list[dict[str, Any]]:
    owner = replica_set("orders", 2, "09:30", MADE)
    return [
        deployment("orders", MADE), replica_set("orders", 1, "08:00", template("r/orders:1")), owner,
        pod("orders-2-x", "10:00", MADE, owner=owner, previous=("09:31", "09:59")),
        config_map("orders-config", "06:00", written("kubectl-edit", "09:50", "data.LOG_LEVEL")),
        config_map("unrelated", "06:00", written("kubectl-edit", "09:58", "data.LOG_LEVEL")),
    ]  # fmt: skip


def test_changes_are_ranked_by_path_and_lag_and_come_before_the_symptom() -> None:
    evidence = evidence_of(*objects())
    found = preceding_changes(evidence, at("10:00"), namespace="shop", pod="orders-2-x")
    paths = [p.path for p in found]
    assert paths[0] == "same workload"
    assert paths.index("same config") < paths.index("same namespace")
    assert all(p.lag_seconds >= 0 for p in found)
    assert next(p for p in found if p.path == "same config").lag_seconds == 600
    assert not any("cause" in p.sentence() for p in found)


def test_a_later_change_never_precedes() -> None:
    evidence = evidence_of(*objects())
    found = preceding_changes(evidence, at("09:40"), namespace="shop", pod="orders-2-x")
    assert all(p.change.time is not None and p.change.time <= at("09:40") for p in found)
    assert "same config" in {
        p.path for p in preceding_changes(evidence, at("09:51"), namespace="shop", pod="orders-2-x")
    }


def test_a_trace_tells_what_changed_before_each_restart() -> None:
    found = trace("shop/orders-2-x", evidence_of(*objects()))["preceding"].to_dict("records")
    assert {(row["symptom"], row["path"], row["what"]) for row in found} >= {
        ("restart: app: Error, exit code 1", "same workload", "image"),
        ("restart: app: Error, exit code 1", "same config", "config"),
    }
    assert all(row["lag_seconds"] > 0 for row in found)


def test_before_and_after_in_one_bundle() -> None:
    evidence = evidence_of(*objects())
    found = {(r["kind"], r["name"], r["what"]): r for r in diff(evidence, at("09:00"), at("09:55")).to_dict("records")}
    assert found[("Deployment", "orders", "image")]["before"] == "r/orders:1"
    assert ("ConfigMap", "orders-config", "config") in found
    assert ("ConfigMap", "unrelated", "config") not in found
    assert len(diff(evidence, at("09:55"), at("09:55"))) == 0


def test_before_and_after_of_two_bundles_compares_values() -> None:
    before, after = objects(), objects()
    after[4]["data"] = {"LOG_LEVEL": "z", "TIMEOUT": "y"}
    del after[5]
    found = diff(evidence_of(*before), 0, 0, evidence_of(*after)).to_dict("records")
    assert {(r["name"], r["what"]) for r in found} == {("orders-config", "config"), ("unrelated", "existence")}
    assert "LOG_LEVEL" in next(r["after"] for r in found if r["what"] == "config")
    assert len(diff(evidence_of(*before), 0, 0, evidence_of(*objects()))) == 0


def test_every_change_is_in_order_of_time() -> None:
    found = changes(evidence_of(*objects()))["time"].dropna()
    assert found.is_monotonic_increasing


def test_a_symptom_names_what_came_before_it_and_calls_nothing_a_cause() -> None:
    killed = objects()
    status = killed[3]["status"]["containerStatuses"][0]
    status["lastState"]["terminated"] |= {"reason": "OOMKilled", "exitCode": 137}
    found = findings(evidence_of(*killed))
    (row,) = found[found["rule"] == "oom-killed"].to_dict("records")
    before = [line for line in row["evidence"] if "before (same" in line]
    assert before[0].startswith("29 min before (same workload): image of Deployment orders")
    assert any("(same config)" in line and "kubectl-edit" in line for line in before)


def test_scale_up_events_date_a_replica_set_that_came_back() -> None:
    old, new = template("r/orders:1"), template("r/orders:2")
    evidence = evidence_of(
        deployment("orders", new), replica_set("orders", 3, "08:00", old, history="1"), replica_set("orders", 4, "09:00", new, history="2"),
        event("Deployment", "orders", "ScalingReplicaSet", "Scaled up replica set orders-3 from 0 to 1", "09:30"),
        event("Deployment", "orders", "ScalingReplicaSet", "Scaled up replica set orders-4 from 0 to 1", "10:00"),
    )  # fmt: skip
    found = changes(evidence)
    rows = found[found["kind"] == "Deployment"].to_dict("records")
    assert [(r["time"].strftime("%H:%M"), r["what"], r["new"]) for r in rows] == [
        ("08:00", "created", "r/orders:1"), ("09:00", "image", "r/orders:2"),
        ("09:30", "rollback", "r/orders:1"), ("10:00", "image", "r/orders:2"),
    ]  # fmt: skip
    assert "image change to r/orders:2" in rows[2]["undone_by"]
    assert [bool(r["observed"]) for r in rows] == [True, True, False, False]


def test_a_list_that_was_collected_empty_says_that_nothing_is_there_any_more() -> None:
    gone = {"kind": "NetworkPolicy", "metadata": {"name": "out", "namespace": "shop", "uid": "p"}, "spec": {}}
    before, after, unread = evidence_of(*objects(), gone), evidence_of(*objects()), evidence_of(*objects())
    for evidence, text in ((after, '{"kind": "List", "items": []}'), (unread, "")):
        (evidence.raw.path / "kubernetes" / "networkpolicies.json").write_text(text)
    unread.manifest.gaps.append(
        {
            "source": "kubernetes",
            "what": "kubernetes/networkpolicies.json",
            "from": None,
            "to": None,
            "reason": "the file is empty",
            "remedy": None,
        }
    )
    (row,) = diff(before, 0, 0, after).to_dict("records")
    assert (row["kind"], row["name"], row["what"], row["before"]) == ("NetworkPolicy", "out", "existence", "there")
    assert len(diff(before, 0, 0, unread)) == 0


def test_a_change_within_the_precision_of_a_symptoms_time_precedes_it_as_it_began() -> None:
    evidence, asked = evidence_of(*objects()), {"namespace": "shop", "workload": ("Deployment", "orders")}
    (change,) = [c for c in joined_changes(evidence) if c.what == "image"]
    began = (change.time or 0) - 8 * SECOND
    assert "image" not in {p.change.what for p in preceding_changes(evidence, began, **asked)}
    (found,) = [
        p for p in preceding_changes(evidence, began, precision_seconds=10.0, **asked) if p.change.what == "image"
    ]
    assert found.sentence().startswith("as it began (same workload): image")


def test_a_restart_by_reloaders_variable_is_one_for_changed_configuration() -> None:
    reloaded = template(env=[{"name": "STAKATER_ORDERS_CONFIG_CONFIGMAP", "value": "d41d8cd9"}])
    evidence = evidence_of(
        deployment("orders", reloaded, written("Reloader", "10:00", "spec.template")),
        replica_set("orders", 1, "08:00", template()),
        replica_set("orders", 2, "10:00", reloaded),
    )
    row = changes(evidence).astype(object).iloc[-1]
    assert (row["what"], row["by"], row["automated"]) == ("config_reload", "Reloader", True)
    assert "ConfigMap ORDERS_CONFIG" in row["new"]
