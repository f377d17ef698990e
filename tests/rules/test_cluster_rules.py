"""Rules about CronJobs, Services, Ingresses, resources and NetworkPolicies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from incident_kit.answers.changes import changes
from incident_kit.rules import DidNotApply, rule_named
from tests.changes.bundles import at, evidence_of, judge, rfc
from tests.changes.objects import (
    application,
    cron_job,
    deployment,
    event,
    job,
    operation,
    pod,
    replica_set,
    result,
    service,
    sync,
    template,
    written,
)
from tests.identity.bundles import bundle

HOURLY = cron_job("nightly", "0 * * * *", last="11:00")
#: Hours 9 to 11 ran (8:00 is the window's first instant, and ran too).
RUNS = [job(f"nightly-{n}", f"{n:02}:00", f"{n:02}:10", cron="nightly", scheduled=f"{n:02}:00") for n in (8, 9, 10, 11)]


def test_a_job_made_by_hand_is_a_manual_run() -> None:
    by_hand = job("nightly-2611231007", "10:07", "10:09", cron="nightly", manual=True)
    (finding,) = judge("manual-run", HOURLY, *RUNS, by_hand)
    assert (finding.kind, finding.name) == ("Job", "nightly-2611231007")


def test_a_deleted_job_that_its_controller_did_not_make_is_a_manual_run() -> None:
    events = [
        event("Job", "by-hand", "SuccessfulCreate", "Created pod: by-hand-x", "10:07"),
        event("Job", "by-hand", "Completed", "Job completed", "10:09"),
        event(
            "CronJob",
            "nightly",
            "UnexpectedJob",
            "Saw a job that the controller did not create or forgot: by-hand",
            "10:09",
        ),
    ]
    (finding,) = judge("manual-run", HOURLY, *RUNS, *events)
    assert finding.name == "by-hand"


def test_deleted_runs_that_only_their_cron_job_told_of_are_changes() -> None:
    told = [
        event("CronJob", "nightly", "SuccessfulCreate", "Created job nightly-1", "10:00"),
        event("CronJob", "nightly", "SawCompletedJob", "Saw completed job: nightly-1, condition: Complete", "10:01"),
        event(
            "CronJob",
            "nightly",
            "SuccessfulCreate",
            "(combined from similar events): Created job nightly-2",
            "11:00",
        ),
    ]
    found = changes(evidence_of(HOURLY, *told))
    runs = found[found["what"] == "job"].to_dict("records")
    assert [(r["name"], r["time"].hour, r["new"]) for r in runs] == [
        ("nightly-1", 10, "Complete"),
        ("nightly-2", 11, "running"),
    ]


def test_a_nodes_restart_is_a_change_and_its_other_events_are_not() -> None:
    told = [event("Node", "node-a", "Rebooted", "Node node-a has been rebooted, boot id: 1", "10:21"),
            event("Node", "node-a", "Starting", "Starting kubelet.", "10:21")]  # fmt: skip
    (row,) = changes(evidence_of(*told)).to_dict("records")
    assert (row["kind"], row["name"], row["what"]) == ("Node", "node-a", "node_condition")
    assert row["new"].startswith("Rebooted: ") and row["time"] is not None


def test_a_run_that_was_replaced_or_whose_end_nobody_remembers_does_not_overlap() -> None:
    half_hourly = cron_job("nightly", "*/30 * * * *", last="11:30", concurrencyPolicy="Replace")
    told = [
        event("CronJob", "nightly", "SuccessfulCreate", "Created job nightly-1", "10:00"),
        event("CronJob", "nightly", "SuccessfulCreate", "Created job nightly-2", "10:30"),
        event("CronJob", "nightly", "SuccessfulDelete", "Deleted job nightly-2", "11:00"),
    ]
    kept = job("nightly-3", "11:00", "11:05", cron="nightly", scheduled="11:00")
    assert judge("overlapping-run", half_hourly, kept, *told) == []


def test_changed_limits_say_what_they_were_and_became() -> None:
    before = template(resources={"limits": {"memory": "512Mi"}})
    after = template(resources={"limits": {"memory": "256Mi"}}, readinessProbe={"httpGet": {"port": 80}})
    sets = [replica_set("orders-api", 1, "08:00", before), replica_set("orders-api", 2, "09:00", after)]
    row = changes(evidence_of(deployment("orders-api", after), *sets)).to_dict("records")[1]
    assert (row["what"], row["old"]) == ("resources", "app: limits.memory 512Mi; app: readinessProbe none")
    assert row["new"].startswith("app: limits.memory 256Mi; app: readinessProbe {")


def test_scheduled_jobs_are_no_manual_runs() -> None:
    assert judge("manual-run", HOURLY, *RUNS) == []


def test_a_scheduled_time_after_the_last_one_kept_is_missed() -> None:
    stuck = cron_job("nightly", "0 * * * *", last="09:00")
    (finding,) = judge("missed-run", stuck, RUNS[0], RUNS[1])
    assert (finding.kind, finding.name) == ("CronJob", "nightly")
    assert "2026-11-23T10:00:00Z" in finding.title


def test_history_limits_make_no_missed_runs() -> None:
    assert judge("missed-run", HOURLY, *RUNS[2:]) == []
    assert judge("missed-run", HOURLY) == []


def test_a_hole_between_jobs_that_are_there_is_missed() -> None:
    (finding,) = judge("missed-run", HOURLY, RUNS[0], RUNS[1], RUNS[3])
    assert finding.confidence < 0.9


def test_a_schedule_is_judged_only_since_it_was_written() -> None:
    changed = cron_job("nightly", "*/5 * * * *", written("kubectl-edit", "11:50", "spec.schedule"), last="11:55")
    assert judge("missed-run", changed, captured_at="11:58", window=("08:00", "11:58")) == []


def test_a_time_zone_moves_the_schedule() -> None:
    # 09:00 in Mexico City is 15:00 UTC: outside of the window, so nothing was missed in it.
    assert judge("missed-run", cron_job("report", "0 9 * * *", timeZone="America/Mexico_City", last="06:00")) == []
    (finding,) = judge(
        "missed-run", cron_job("report", "0 9 * * *", timeZone="Europe/Madrid", last="06:00"), window=("07:00", "12:00")
    )
    assert "2026-11-23T08:00:00Z" in finding.title


def test_a_starting_deadline_that_has_not_passed_misses_nothing() -> None:
    waiting = cron_job("nightly", "0 * * * *", last="10:00", startingDeadlineSeconds=7200)
    assert judge("missed-run", waiting, captured_at="11:30", window=("08:00", "11:30")) == []


def test_a_suspended_cron_job_is_suspended_and_misses_nothing() -> None:
    asleep = cron_job(
        "nightly", "0 * * * *", written("kubectl-patch", "07:00", "spec.suspend"), last="07:00", suspend=True
    )
    (finding,) = judge("suspended", asleep)
    assert (finding.severity, "kubectl-patch" in " ".join(finding.evidence)) == ("warning", True)
    assert judge("missed-run", asleep) == []
    assert judge("suspended", HOURLY) == []


def test_a_broken_schedule_is_not_judged() -> None:
    (outcome,) = rule_named("missed-run").run(evidence_of(cron_job("nightly", "whenever")))
    assert isinstance(outcome, DidNotApply)


def test_a_job_made_minutes_after_its_time_is_late() -> None:
    late = job("nightly-29924560", "10:07", "10:10", cron="nightly", scheduled="10:00")
    (finding,) = judge("late-run", HOURLY, RUNS[0], late)
    assert (finding.kind, finding.name, "420 s" in finding.title) == ("CronJob", "nightly", True)
    assert judge("late-run", HOURLY, *RUNS) == []


def test_a_manual_job_with_digits_in_its_name_is_not_late() -> None:
    assert judge("late-run", HOURLY, job("nightly-2611231007", "10:07", "10:09", cron="nightly", manual=True)) == []


def test_two_runs_at_once_overlap_and_runs_one_after_the_other_do_not() -> None:
    long = job("nightly-9", "09:00", "10:20", cron="nightly", scheduled="09:00")
    (finding,) = judge("overlapping-run", HOURLY, long, RUNS[2])
    assert finding.name == "nightly"
    assert judge("overlapping-run", HOURLY, *RUNS) == []
    touching = job("nightly-9", "09:00", "10:00", cron="nightly", scheduled="09:00")
    assert judge("overlapping-run", HOURLY, touching, RUNS[2]) == []


def test_changed_limits_and_probes_are_told_and_a_new_image_alone_is_not() -> None:
    small, large = ({"limits": {"memory": size}} for size in ("256Mi", "512Mi"))
    sets = [
        replica_set("orders", 1, "08:00", template(resources=small)),
        replica_set("orders", 2, "09:00", template(resources=large)),
    ]
    (finding,) = judge("resources-changed", deployment("orders", template(resources=large)), *sets)
    assert (finding.kind, finding.name) == ("Deployment", "orders")
    assert "app: limits.memory 256Mi -> 512Mi" in finding.title
    respelt = [*sets[:1], replica_set("orders", 2, "09:00", template(resources={"limits": {"memory": "0.25Gi"}}))]
    assert judge("resources-changed", deployment("orders", template(resources=large)), *respelt) == []
    images = [replica_set("orders", 1, "08:00", template("a:1")), replica_set("orders", 2, "09:00", template("a:2"))]
    assert judge("resources-changed", deployment("orders", template("a:2")), *images) == []


@pytest.mark.parametrize(
    ("ready", "label", "expected"), [(True, "orders-api", 0), (False, "orders-api", 1), (True, "other", 1)]
)
def test_a_service_needs_a_ready_pod(ready: bool, label: str, expected: int) -> None:
    found = judge("no-ready-pod", service("orders", {"app": label}), pod("orders-1", "09:00", ready=ready))
    assert len(found) == expected


def test_services_without_selector_or_of_another_host_need_no_pod() -> None:
    objects = [
        service("manual", None),
        service("elsewhere", {"app": "x"}, type="ExternalName"),
        pod("orders-1", "09:00"),
    ]
    assert judge("no-ready-pod", *objects) == []


def ingress(name: str, port: int | str) -> dict[str, Any]:
    number = {"number": port} if isinstance(port, int) else {"name": port}
    paths = [{"path": "/", "backend": {"service": {"name": name, "port": number}}}]
    metadata = {"name": "web", "namespace": "shop", "uid": "i", "creationTimestamp": rfc("06:00")}
    return {
        "kind": "Ingress",
        "metadata": metadata,
        "spec": {"rules": [{"host": "shop.example", "http": {"paths": paths}}]},
    }


@pytest.mark.parametrize(
    ("name", "port", "expected"), [("orders", 80, 0), ("orders", "http", 0), ("orders", 8080, 1), ("gone", 80, 1)]
)
def test_an_ingress_leads_to_a_service_and_port_that_exist(name: str, port: int | str, expected: int) -> None:
    found = judge("ingress-nowhere", ingress(name, port), service("orders", {"app": "orders-api"}))
    assert [f.name for f in found] == ["web"] * expected


def netpol(name: str, created: str, egress: list[Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "uid": name, "creationTimestamp": rfc(created)}
    return {
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": egress},
    }


DNS = {"ports": [{"port": 53, "protocol": "UDP"}]}
AMQP = {"to": [{"podSelector": {"matchLabels": {"app": "rabbitmq"}}}], "ports": [{"port": 5672}]}
USER = template(env=[{"name": "RABBITMQ_HOST", "value": "x"}])
BROKER_TEMPLATE = {**template("rabbitmq:4"), "metadata": {"labels": {"app": "rabbitmq"}}}
BROKER = [
    service("rabbitmq", {"app": "rabbitmq"}, [{"port": 5672, "name": "amqp"}]),
    pod("rabbitmq-0", "06:00", BROKER_TEMPLATE, ip="10.1.0.9"),
]


def test_a_policy_without_the_brokers_port_keeps_the_pods_from_it() -> None:
    (finding,) = judge(
        "netpol-denies", *BROKER, pod("orders-1", "09:00", USER, ip="10.1.0.1"), netpol("strict", "10:00", [DNS])
    )
    assert (finding.kind, finding.namespace, finding.name) == ("NetworkPolicy", "shop", "strict")
    assert finding.confidence > 0.9
    assert "since 2026-11-23T10:00:00Z" in finding.title


@pytest.mark.parametrize(("last", "found"), [("10:01", 1), ("11:58", 0), ("09:00", 0)])
def test_a_policy_whose_change_ended_a_pods_documents_keeps_it_from_elasticsearch(
    tmp_path: Path, last: str, found: int
) -> None:
    """A changed policy does not tell what it allowed before; documents that end with the change do."""
    policy = netpol("strict", "06:00", [DNS])
    policy["metadata"]["managedFields"] = [written("argocd-controller", "10:00", "spec.egress")]
    search = service("elasticsearch", {"app": "es"}, [{"port": 9200, "name": "http"}])
    node = pod("es-0", "06:00", {**template("es:8"), "metadata": {"labels": {"app": "es"}}}, ip="10.1.0.8")
    shipper = pod("orders-1", "09:00", ip="10.1.0.1")
    hits = [
        {"_index": "logs", "_id": clock, "_source": {"@timestamp": rfc(clock), "message": clock, "podName": "orders-1"}}
        for clock in ("08:30", last)
    ]
    files = {
        "kubernetes/pods.json": [node, shipper],
        "kubernetes/services.json": [search],
        "kubernetes/networkpolicies.json": [policy],
        "elasticsearch/hits.ndjson": "\n".join(map(json.dumps, hits)),
    }
    evidence = bundle(tmp_path, files, start=rfc("08:00"), end=rfc("12:00"), captured_at=rfc("12:00"))
    judged = [o for o in rule_named("netpol-denies").run(evidence) if not isinstance(o, DidNotApply)]
    assert [f.name for f in judged] == ["strict"] * found


def test_a_policy_that_allows_the_broker_denies_nothing() -> None:
    assert (
        judge(
            "netpol-denies",
            *BROKER,
            pod("orders-1", "09:00", USER, ip="10.1.0.1"),
            netpol("strict", "10:00", [DNS, AMQP]),
        )
        == []
    )


def test_of_several_policies_one_that_allows_is_enough() -> None:
    policies = [netpol("strict", "10:00", [DNS]), netpol("amqp", "10:00", [AMQP])]
    assert judge("netpol-denies", *BROKER, pod("orders-1", "09:00", USER, ip="10.1.0.1"), *policies) == []


def test_a_pod_that_never_could_and_never_wanted_to_reach_the_broker_is_not_told_of() -> None:
    old = {**netpol("strict", "05:00", [DNS])}
    plain = pod("static-1", "09:00", template("nginx:1"), ip="10.1.0.2")
    older = netpol("older", "04:00", [DNS])
    assert judge("netpol-denies", *BROKER, plain, old, older) == []


def test_a_policy_from_long_before_says_nothing_of_pods_that_show_no_use_of_the_broker() -> None:
    static = pod("static-1", "09:00", template("nginx:1"), ip="10.1.0.2")
    assert judge("netpol-denies", *BROKER, static, netpol("strict", "10:00", [DNS]))
    policy = netpol("strict", "10:00", [DNS])
    policy["metadata"]["creationTimestamp"] = "2026-11-11T09:00:00Z"
    assert judge("netpol-denies", *BROKER, static, policy) == []
    assert judge("netpol-denies", *BROKER, pod("orders-1", "09:00", USER, ip="10.1.0.1"), policy)


def test_a_broker_outside_is_judged_by_what_holds_for_every_address() -> None:
    reader = pod("orders-1", "09:00", USER, ip="10.1.0.1")
    assert len(judge("netpol-denies", reader, netpol("strict", "10:00", [DNS]))) == 1
    by_block = {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    assert judge("netpol-denies", reader, netpol("strict", "10:00", [DNS, by_block])) == []


@pytest.mark.parametrize(("opened", "found"), [("09:30", 1), ("10:30", 0)])
def test_a_policy_that_a_sync_pruned_no_longer_allows_what_the_others_deny(opened: str, found: int) -> None:
    policy = netpol("strict", "06:00", [DNS])
    gone = [result("NetworkPolicy", "allow-amqp", "pruned", "Pruned")]
    app = application("netpol", sync(1, "10:00", identifier=0), operation=operation(1, "10:00", gone))
    opened_at = {"name": "10.1.0.1:41000 -> 10.1.0.9:5672", "peer_host": "10.1.0.1", "peer_port": 41000, "node": "rabbit@a",
                 "connected_at": at(opened) // 10**6, "client_properties": {"connection_name": "orders-1"}}  # fmt: skip
    findings = judge(
        "netpol-denies",
        *BROKER,
        pod("orders-1", "09:00", template("nginx:1"), ip="10.1.0.1"),
        policy,
        applications=[app],
        rabbitmq={"connections": [opened_at]},
    )
    assert [f.name for f in findings] == ["strict"] * found
    assert all(
        "since 2026-11-23T10:00:00Z" in f.title and "allow-amqp was removed" in str(f.evidence) for f in findings
    )
