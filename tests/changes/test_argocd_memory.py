"""What the real Argo CD forgets or tells by the way; each was found wrong on the lab's servers."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from incident_kit.answers.changes import changes
from incident_kit.answers.diff import diff
from tests.changes.bundles import at, evidence_of, judge, rfc
from tests.changes.objects import (
    application,
    config_map,
    cron_job,
    deployment,
    event,
    job,
    operation,
    pod,
    replica_set,
    result,
    revision,
    sync,
    template,
    written,
)

OLD, NEW = "registry.lab/orders-api:1.4.2", "registry.lab/orders-api:1.5.0"


def rows(*objects: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = changes(evidence_of(*objects, **more)).to_dict("records")
    return found


def test_a_selective_sync_that_brings_the_image_back_undoes_the_rollback() -> None:
    history = [sync(1, "08:00", identifier=0), sync(2, "09:00", identifier=1), sync(1, "09:30", "alice", identifier=2)]
    partial = operation(2, "10:00", [result("Deployment", "orders-api", "configured")], resources=[
        {"group": "apps", "kind": "Deployment", "name": "orders-api"}])  # fmt: skip
    app = application("orders-api", *history, operation=partial)
    good = replica_set("orders-api", 3, "08:00", template(OLD), history="1")
    bad = replica_set("orders-api", 4, "09:00", template(NEW), history="2")
    again = [
        event(
            "Deployment", "orders-api", "ScalingReplicaSet", f"Scaled up replica set orders-api-{n} from 0 to 1", clock
        )
        for n, clock in ((3, "09:30"), (4, "10:00"))
    ]
    made = deployment("orders-api", template(NEW), application="orders-api")
    (finding,) = judge("rollback-undone", made, good, bad, *again, applications=[app])
    assert finding.name == "orders-api" and "limited to chosen resources" in " ".join(finding.evidence)
    assert judge("rollback-undone", made, good, bad, again[0], applications=[application("orders-api", *history)]) == []


@pytest.mark.parametrize("scaled_up", ["09:00:07", "09:00:08"])
def test_a_rollback_in_the_second_after_a_sync_takes_nothing_from_the_sync(scaled_up: str) -> None:
    """Both end a second from the rollout, which happened while the rollback ran, or in the second in which both did."""
    rollback = sync(1, "09:00:09", "alice", identifier=2) | {"deployStartedAt": rfc(scaled_up)}
    app = application(
        "orders-api", sync(1, "08:00", identifier=0), sync(2, "09:00:07", identifier=1), rollback,
        operation=operation(1, "09:00:09", [result("Deployment", "orders-api", "configured", images=[OLD])])
        | {"startedAt": rfc(scaled_up)},
    )  # fmt: skip
    steps = [
        event("Deployment", "orders-api", "ScalingReplicaSet", f"Scaled up replica set orders-api-{n} from 0 to 1", at)
        for n, at in ((2, "09:00:07"), (3, scaled_up))
    ]
    made = deployment("orders-api", template(OLD), application="orders-api")
    good = replica_set("orders-api", 3, "08:00", template(OLD), history="1")
    told = rows(made, good, replica_set("orders-api", 2, "09:00:07", template(NEW)), *steps, applications=[app])
    seen = [(row["what"], row["by"], row["new"]) for row in told if row["kind"] == "Application"]
    assert seen == [("sync", "ci", OLD), ("sync", "ci", NEW), ("rollback", "alice", OLD)]


def test_what_a_sync_pruned_is_a_change_and_differs_between_two_times() -> None:
    pruned = [result("ConfigMap", "extra", "pruned", "Pruned"), result("Deployment", "orders-api", "unchanged")]
    app = application("orders-api", sync(2, "10:00", "alice", identifier=1), operation=operation(2, "10:00", pruned))
    evidence = evidence_of(applications=[app])
    (row,) = changes(evidence).to_dict("records")
    assert (row["kind"], row["what"], row["by"]) == ("Application", "sync", "alice")
    assert "ConfigMap extra: pruned" in row["evidence"]
    (apart,) = diff(evidence, at("09:00"), at("11:00")).to_dict("records")
    assert [apart[name] for name in ("kind", "name", "what", "before")] == ["ConfigMap", "extra", "existence", "there"]
    assert pd.isna(apart["after"])


def test_a_sync_that_only_left_orphans_changed_nothing() -> None:
    results = [result("Service", "legacy", "ignored (requires pruning)", "PruneSkipped"),
               result("Deployment", "orders-api", "deployment.apps/orders-api unchanged")]  # fmt: skip
    app = application("orders-api", sync(2, "10:00", identifier=1), operation=operation(2, "10:00", results))
    (row,) = rows(applications=[app])
    assert row["what"] == "sync_without_changes" and "Service/legacy: PruneSkipped" in row["evidence"]


def test_configured_is_no_change_of_an_object_whose_managed_fields_know_of_none() -> None:
    made = config_map("orders-config", "08:00", written("argocd-controller", "08:00", "data.LOG_LEVEL"))
    results = [result("ConfigMap", "orders-config", "configmap/orders-config configured")]
    app = application("orders", sync(2, "10:00", identifier=1), operation=operation(2, "10:00", results))
    assert [r["what"] for r in rows(made, applications=[app]) if r["kind"] == "ConfigMap"] == ["created"]
    del made["metadata"]["managedFields"]
    assert [r["what"] for r in rows(made, applications=[app]) if r["kind"] == "ConfigMap"] == ["created", "config"]


def test_an_action_names_its_user_also_where_the_object_states_its_own_namespace() -> None:
    resource = {"group": "batch", "kind": "CronJob", "name": "nightly", "namespace": "shop", "status": "Synced"}
    app = application("nightly", sync(1, "08:00", identifier=0), resources=[resource])
    told = event("Application", "nightly", "ResourceActionRan",
                 "alice ran action create-job on resource batch/CronJob/nightly", "10:00", **{"dest-namespace": "elsewhere"})  # fmt: skip
    made = job("nightly-2611231000", "10:00", cron="nightly", manual=True)
    found = [r for r in rows(cron_job("nightly", "0 3 * * *"), made, told, applications=[app]) if r["kind"] == "Job"]
    assert [(r["what"], r["by"], r["automated"]) for r in found] == [("manual_job", "alice", False)]


def test_the_syncs_of_an_application_that_is_gone_are_told_by_its_events() -> None:
    told = [
        event(
            "Application",
            "leftover",
            "OperationStarted",
            f"ci initiated sync to main ({revision(1)})",
            "09:00",
            user="ci",
        ),
        event(
            "Application", "leftover", "OperationCompleted", f"Sync operation to {revision(1)} succeeded", "09:00:01"
        ),
    ]
    found = [r for r in rows(*told, applications=[application("other")]) if r["name"] == "leftover"]
    assert [(r["what"], r["by"], r["observed"]) for r in found] == [("sync", "ci", False)]


def _told(uid: str, number: int, kind: str, clock: str) -> list[dict[str, Any]]:
    """The events of one whole operation on the Application orders with this uid."""
    done = at(clock) + 1_000_000_000
    started = event(
        "Application", "orders", "OperationStarted", f"ci initiated {kind} to main ({revision(number)})", clock
    )
    ended = event(
        "Application", "orders", "OperationCompleted", f"Sync operation to {revision(number)} succeeded", clock
    )
    ended["lastTimestamp"] = f"{pd.Timestamp(done, tz='UTC'):%Y-%m-%dT%H:%M:%SZ}"
    for each in (started, ended):
        each["involvedObject"]["uid"] = uid
    return [started, ended]


def test_the_first_sync_of_an_application_made_anew_undoes_no_rollback_of_the_one_deleted() -> None:
    """Namespaces that come and go have Applications of one name; their events outlive them side by side."""
    first = [
        *_told("one", 1, "sync", "08:30"),
        *_told("one", 2, "sync", "09:00"),
        *_told("one", 1, "rollback", "09:30"),
    ]
    again = [*first, *_told("one", 2, "sync", "09:40")]
    anew = _told("two", 3, "sync", "10:00")
    assert judge("rollback-undone", *first, *anew, applications=[application("other")]) == []
    (found,) = judge("rollback-undone", *again, *anew, applications=[application("other")])
    assert (found.name, found.severity) == ("orders", "critical")  # a list made by hand may be a part
    assert found.confidence == 0.7 and "may have been a dry run" in found.evidence[-1]
    now = application("orders", sync(3, "10:00", identifier=0))
    now["metadata"]["uid"] = "two"
    assert judge("rollback-undone", *first, *anew, applications=[now]) == []
    assert judge("rollback-undone", *again, *anew, applications=[now]) == []  # nothing is left to mend
    assert [r["what"] for r in rows(*first, *anew, applications=[now])] == ["sync", "sync", "rollback", "sync"]


def test_an_image_that_never_ran_is_no_second_version() -> None:
    owner = replica_set("orders", 1, "08:00", template(OLD))
    following = replica_set("orders", 2, "10:00", template(NEW))
    stuck = pod("orders-2-x", "10:00", template(NEW), owner=following)
    stuck["status"]["containerStatuses"] = [
        {"name": "app", "image": NEW, "imageID": "", "ready": False, "restartCount": 0,
         "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    ]  # fmt: skip
    runs = [owner, following, pod("orders-1-x", "08:00", template(OLD), owner=owner)]
    assert judge("mixed-versions", *runs, stuck) == []
    assert judge("mixed-versions", *runs, pod("orders-2-x", "10:00", template(NEW), owner=following))


def test_a_pod_deleted_right_after_its_workload_was_made_was_deleted_by_hand() -> None:
    owner = replica_set("orders", 1, "10:00", template(OLD))
    owner["spec"]["replicas"] = 1
    killing = event("Pod", "orders-1-x", "Killing", "Stopping container app", "10:00:40")
    made = event("Pod", "orders-1-x", "Scheduled", "Successfully assigned shop/orders-1-x to node-1", "10:00:01")
    found = rows(owner, killing, made, event("ReplicaSet", owner["metadata"]["name"], "SuccessfulCreate",
                                             "Created pod: orders-1-x", "10:00:01"))  # fmt: skip
    assert json.dumps([r["what"] for r in found if r["name"] == "orders-1-x"]) == '["deleted"]', rfc("10:00:40")


def test_the_last_sync_names_its_user_though_the_history_of_an_older_server_names_nobody() -> None:
    first, second = sync(1, "09:00", None, identifier=0), sync(2, "10:00", None, identifier=1)
    for entry in (first, second):
        del entry["initiatedBy"]
    last = operation(2, "10:00", [result("Deployment", "orders", "deployment.apps/orders configured")], by="alice")
    told = rows(application("orders", first, second, operation=last))
    named = [row["by"] if isinstance(row["by"], str) else None for row in told if row["what"].startswith("sync")]
    assert named == [None, "alice"]


def test_what_people_did_in_argo_cd_besides_syncing_is_told_by_its_events() -> None:
    def deed(reason: str, message: str, clock: str) -> dict[str, Any]:
        return event("Application", "orders", reason, message, clock, **{"user": "alice", "dest-namespace": "shop"})

    config = config_map("orders-config", "06:00", written("argocd-server", "10:20", "data.LOG_LEVEL"))
    told = [
        deed("ResourceUpdated", "alice updated application spec", "10:00"),
        deed("ResourceUpdated", "Updated sync status: Synced -> OutOfSync", "10:01"),
        deed("ResourceDeleted", "alice deleted resource apps/Deployment 'orders-old'", "10:10"),
        deed("ResourceUpdated", "alice patched resource /ConfigMap 'orders-config'", "10:20"),
        deed("ResourceDeleted", "alice deleted application", "10:30"),
    ]
    rows = changes(evidence_of(config, *told)).astype(object).to_dict("records")
    found = [(r["kind"], r["namespace"], r["name"], r["what"], r["by"], r["automated"]) for r in rows]
    assert [row for row in found if row[3] != "created"] == [
        ("Application", "argocd", "orders", "specification", "alice", False),
        ("Deployment", "shop", "orders-old", "deleted", "alice", False),
        ("ConfigMap", "shop", "orders-config", "config", "alice", False),
        ("Application", "argocd", "orders", "deleted", "alice", False),
    ]


def test_the_replica_sets_of_argo_rollouts_remember_images_like_those_of_deployments() -> None:
    sets = [replica_set("orders", n, clock, template(f"r/orders:{n}")) for n, clock in ((1, "06:00"), (2, "10:00"))]
    for number, held in enumerate(sets, 1):
        held["metadata"]["annotations"] = {"rollout.argoproj.io/revision": str(number)}
        held["metadata"]["ownerReferences"][0] |= {"kind": "Rollout", "uid": "rollout-orders"}
        held["spec"]["template"]["metadata"]["labels"]["rollouts-pod-template-hash"] = str(number)
    row = changes(evidence_of(*sets)).astype(object).iloc[-1]
    assert (row["kind"], row["what"], row["old"], row["new"]) == ("Rollout", "image", "r/orders:1", "r/orders:2")
    assert not any("labels" in line for line in row["evidence"])


def test_events_of_the_newer_api_tell_of_syncs_too() -> None:
    def newer(old: dict[str, Any]) -> dict[str, Any]:
        moved = {"note": old.pop("message"), "regarding": old.pop("involvedObject")}
        times = {
            "deprecatedFirstTimestamp": old.pop("firstTimestamp"),
            "deprecatedLastTimestamp": old.pop("lastTimestamp"),
        }
        return old | moved | times | {"apiVersion": "events.k8s.io/v1", "eventTime": None}

    events = [
        event(
            "Application",
            "orders",
            "OperationStarted",
            f"alice initiated partial sync to main ({revision(2)})",
            "10:00",
            user="alice",
        ),
        event(
            "Application",
            "orders",
            "OperationCompleted",
            f"Partial sync operation to {revision(2)} succeeded",
            "10:00:02",
        ),
    ]
    apps = [application("orders", sync(1, "08:00", identifier=0))]
    (row,) = [r for r in rows(*map(newer, events), applications=apps) if r["what"] == "partial_sync"]
    assert (row["by"], row["new"]) == ("alice", revision(2))
