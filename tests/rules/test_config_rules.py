"""stale-config and config-activated: who runs with what, and when a change took effect."""

from __future__ import annotations

from typing import Any

import pytest

from incident_kit.rules import DidNotApply, Finding, rule_named
from tests.changes.bundles import evidence_of, judge, rfc
from tests.changes.objects import TRACKING, config_map, deployment, event, pod, replica_set, template, written

ENV = {"env": [{"name": "LOG_LEVEL", "valueFrom": {"configMapKeyRef": {"name": "orders-config", "key": "LOG_LEVEL"}}}]}
ENV_FROM = {"envFrom": [{"configMapRef": {"name": "orders-config"}}]}
SECRET = {"envFrom": [{"secretRef": {"name": "orders-config"}}]}
CHANGED_AT_TEN = config_map(
    "orders-config", "06:00", written("argocd-controller", "10:00", "data.LOG_LEVEL", "data.TIMEOUT")
)


def mounted(**mount: Any) -> dict[str, Any]:
    made = template(volumeMounts=[{"name": "config", "mountPath": "/etc/config", **mount}])
    made["spec"]["volumes"] = [{"name": "config", "configMap": {"name": "orders-config"}}]
    return made


def projected() -> dict[str, Any]:
    made = template(volumeMounts=[{"name": "config", "mountPath": "/etc/config"}])
    made["spec"]["volumes"] = [{"name": "config", "projected": {"sources": [{"configMap": {"name": "orders-config"}}]}}]
    return made


@pytest.mark.parametrize(
    "made", [template(**ENV), template(**ENV_FROM), mounted(subPath="LOG_LEVEL")], ids=["env", "envFrom", "subPath"]
)
def test_a_container_older_than_the_change_of_what_it_read_at_its_start_is_stale(made: dict[str, Any]) -> None:
    (finding,) = judge("stale-config", CHANGED_AT_TEN, pod("orders-1", "09:00", made))
    assert (finding.kind, finding.namespace, finding.name) == ("Pod", "shop", "orders-1")
    assert finding.confidence >= 0.8
    assert "next restart" in finding.title


def test_a_secret_counts_like_a_config_map() -> None:
    secret = config_map("orders-config", "06:00", written("kubectl-edit", "10:00", "data.PASSWORD"), kind="Secret")
    assert judge("stale-config", secret, pod("orders-1", "09:00", template(**SECRET)))


@pytest.mark.parametrize("made", [mounted(), projected()], ids=["volume", "projected"])
def test_a_config_map_read_only_by_volume_is_never_surely_stale(made: dict[str, Any]) -> None:
    found = judge("stale-config", CHANGED_AT_TEN, pod("orders-1", "09:00", made))
    assert all(f.confidence <= 0.5 for f in found)


@pytest.mark.parametrize(
    "reader",
    [
        pod("orders-1", "10:05", template(**ENV_FROM)),
        pod("orders-1", "09:00", template(**ENV_FROM), phase="Succeeded"),
        pod("orders-1", "10:30", template(**ENV_FROM), previous=("08:00", "10:29")),
        pod("orders-1", "09:00", template()),
    ],
    ids=["started after the change", "finished", "restarted since", "reads nothing"],
)
def test_what_runs_with_the_present_values_is_not_stale(reader: dict[str, Any]) -> None:
    assert judge("stale-config", CHANGED_AT_TEN, reader) == []


def test_a_write_to_another_key_is_not_what_the_container_reads() -> None:
    config = config_map(
        "orders-config",
        "06:00",
        written("argocd-controller", "07:00", "data.LOG_LEVEL"),
        written("kubectl-edit", "10:00", "data.TIMEOUT"),
    )
    assert judge("stale-config", config, pod("orders-1", "09:00", template(**ENV))) == []
    assert judge("stale-config", config, pod("orders-1", "09:00", template(**ENV_FROM)))


def test_a_write_to_metadata_is_no_change_of_data() -> None:
    config = config_map(
        "orders-config",
        "06:00",
        written("argocd-controller", "06:00", "data.LOG_LEVEL"),
        written("kubectl-label", "10:00", "metadata.labels"),
    )
    assert judge("stale-config", config, pod("orders-1", "09:00", template(**ENV_FROM))) == []


def test_a_checksum_that_did_not_change_says_that_the_data_did_not() -> None:
    tracked = {"argocd.argoproj.io/tracking-id": "orders:/ConfigMap:shop/orders-config"}
    config = config_map(
        "orders-config", "06:00", written("argocd-controller", "10:00", "data.LOG_LEVEL"), annotations=tracked
    )
    made = template(annotations={"checksum/config": "abc"}, **ENV_FROM)
    workload = deployment("orders", made, application="orders")
    owner = replica_set("orders", 1, "07:00", made)
    assert judge("stale-config", config, workload, owner, pod("orders-1", "09:00", made, owner=owner)) == []


def test_reloader_gets_some_time() -> None:
    made = template(**ENV_FROM)
    workload = deployment("orders", made, annotations={"reloader.stakater.com/auto": "true"})
    owner = replica_set("orders", 1, "07:00", made)
    objects = (CHANGED_AT_TEN, workload, owner, pod("orders-1", "09:00", made, owner=owner))
    (soon,) = judge("stale-config", *objects, captured_at="10:02")
    (later,) = judge("stale-config", *objects, captured_at="11:00")
    assert soon.confidence < 0.5 < later.confidence


def test_without_managed_fields_the_last_write_is_read_from_resource_versions() -> None:
    config = config_map("orders-config", "06:00", resourceVersion="500")
    del config["metadata"]["managedFields"]
    clocks = [f"09:{minute:02}" for minute in range(50, 60)] + [f"10:{minute:02}" for minute in range(10)]
    events = []
    for position, clock in enumerate(clocks):
        seen = event("Pod", "orders-1", "Pulled", "pulled", clock)
        seen["metadata"]["resourceVersion"] = str(490 + position + (position >= 10))
        events.append(seen)
    (finding,) = judge("stale-config", config, pod("orders-1", "09:00", template(**ENV_FROM)), *events)
    assert "09:59:00" in finding.title
    assert finding.confidence < 0.95
    assert judge("stale-config", config, pod("orders-1", "10:05", template(**ENV_FROM)), *events) == []


def test_without_any_write_time_the_rule_says_that_it_could_not_judge() -> None:
    config = config_map("orders-config", "06:00")
    (outcome,) = rule_named("stale-config").run(evidence_of(config, pod("orders-1", "09:00", template(**ENV_FROM))))
    assert isinstance(outcome, DidNotApply)


def test_a_restart_in_the_same_pod_activates_the_earlier_change() -> None:
    (finding,) = judge(
        "config-activated", CHANGED_AT_TEN, pod("orders-1", "10:30", template(**ENV_FROM), previous=("09:00", "10:29"))
    )
    assert (finding.name, rfc("10:30")[11:16] in finding.title) == ("orders-1", True)


@pytest.mark.parametrize(
    "reader",
    [
        pod("orders-1", "10:30", template(**ENV_FROM), previous=("10:05", "10:29")),
        pod("orders-1", "09:55", template(**ENV_FROM), previous=("09:00", "09:54")),
        pod("orders-1", "10:30", mounted(), previous=("09:00", "10:29")),
    ],
    ids=["the instance before had it", "restarted before the change", "read by volume"],
)
def test_other_restarts_activate_nothing(reader: dict[str, Any]) -> None:
    assert judge("config-activated", CHANGED_AT_TEN, reader) == []


def test_a_pod_that_replaces_another_of_an_older_replica_set_activates_the_change() -> None:
    made = template(**ENV_FROM)
    owner = replica_set("orders", 1, "07:00", made)
    assert judge(
        "config-activated",
        CHANGED_AT_TEN,
        deployment("orders", made),
        owner,
        pod("orders-1", "10:40", made, owner=owner),
    )
    fresh = replica_set("orders", 2, "10:35", made)
    assert (
        judge(
            "config-activated",
            CHANGED_AT_TEN,
            deployment("orders", made),
            fresh,
            pod("orders-2", "10:40", made, owner=fresh),
        )
        == []
    )


def test_a_deploy_restart_long_after_the_change_activates_it_and_one_for_it_does_not() -> None:
    before = template(**ENV_FROM)
    restarted = template(annotations={"kubectl.kubernetes.io/restartedAt": rfc("10:35")}, **ENV_FROM)
    released = template("registry.lab/orders-api:1.5.0", **ENV_FROM)

    def found(made: dict[str, Any], clock: str) -> list[Finding]:
        first, second = replica_set("orders", 1, "07:00", before), replica_set("orders", 2, clock, made)
        new = pod("orders-2", clock, made, owner=second)
        return judge("config-activated", CHANGED_AT_TEN, deployment("orders", made), first, second, new)

    (finding,) = found(restarted, "10:35")
    assert "Deploy Restart" in " ".join(finding.evidence)
    assert found(restarted, "10:02") == []
    assert found(released, "10:35") == []


def test_a_write_by_hand_is_not_covered_by_a_checksum() -> None:
    tracked = {TRACKING: "orders:/ConfigMap:shop/orders-config"}
    made = template(annotations={"checksum/config": "a1"}, **ENV_FROM)
    workload = deployment("orders", made, application="orders")
    owner = replica_set("orders", 1, "06:00", made)
    for manager, stale in (("argocd-controller", 0), ("kubectl-edit", 1)):
        config = config_map("orders-config", "06:00", written(manager, "10:00", "data.LOG_LEVEL"), annotations=tracked)
        assert len(judge("stale-config", config, workload, owner, pod("orders-1", "09:00", made, owner=owner))) == stale


@pytest.mark.parametrize(("ran", "found"), [("09:00", 1), ("10:05", 0)])
def test_what_only_an_init_container_read_is_perhaps_stale(ran: str, found: int) -> None:
    made = template()
    made["spec"]["initContainers"] = [{"name": "render", "image": "registry.lab/render:1", **ENV_FROM}]
    running = pod("orders-1", ran, made)
    ended = {"startedAt": rfc(ran), "finishedAt": rfc(ran), "exitCode": 0, "reason": "Completed"}
    running["status"]["initContainerStatuses"] = [{"name": "render", "state": {"terminated": ended}}]
    findings = judge("stale-config", CHANGED_AT_TEN, running)
    assert [(f.name, f.severity, f.confidence <= 0.5) for f in findings] == [("orders-1", "info", True)] * found
    assert all("init container render" in f.title for f in findings)


def test_a_crash_loop_that_forgot_its_instances_took_the_change_up_at_one_of_them() -> None:
    looping = pod("orders-1", "10:40", template(**ENV_FROM), previous=("10:30", "10:39"), created="06:00")
    looping["status"]["containerStatuses"][0]["restartCount"] = 7
    (finding,) = judge("config-activated", CHANGED_AT_TEN, looping)
    assert "10:30" in finding.title and finding.confidence < 0.9
    looping["metadata"]["creationTimestamp"] = rfc("10:20")
    assert judge("config-activated", CHANGED_AT_TEN, looping) == []


@pytest.mark.parametrize(("started", "found"), [("09:00", 1), ("09:59:30", 0), ("10:01", 0)])
def test_what_was_made_anew_while_a_container_ran_had_other_data_before(started: str, found: int) -> None:
    anew = config_map("orders-config", "10:00", written("kubectl-create", "10:00", "data.LOG_LEVEL"))
    findings = judge("stale-config", anew, pod("orders-1", started, template(**ENV_FROM)))
    assert [(f.name, f.confidence < 0.9, "made anew" in str(f.evidence)) for f in findings] == [
        ("orders-1", True, True)
    ] * found


@pytest.mark.parametrize(("kind", "label"), [("StatefulSet", "orders-5f6d"), ("DaemonSet", "5f6d")])
def test_a_stateful_sets_pod_made_anew_long_after_the_change_activates_it(kind: str, label: str) -> None:
    made = template(**ENV_FROM)
    made["metadata"]["labels"]["controller-revision-hash"] = label
    owner = {"kind": kind, "metadata": {"name": "orders", "namespace": "shop", "uid": "owner"}, "spec": {}}
    held = {
        "kind": "ControllerRevision",
        "metadata": {"name": "orders-5f6d", "namespace": "shop", "uid": "r", "creationTimestamp": rfc("06:00")},
        "revision": 1,
    }
    late, soon = (pod(f"orders-{n}", clock, made, owner=owner) for n, clock in ((0, "10:40"), (1, "10:02")))
    (finding,) = judge("config-activated", CHANGED_AT_TEN, owner, held, late, soon)
    assert (finding.name, "10:40" in finding.title) == ("orders-0", True)
