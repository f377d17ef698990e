"""What is recovered from real Application objects and their events, beside what ``argocd app history`` shows."""

from __future__ import annotations

from typing import Any

from incident_kit.answers.changes import changes
from incident_kit.correlate.frames import rows
from incident_kit.tables.argocd import APPLICATIONS, SYNCS
from tests.changes.bundles import evidence_of, recorded, recorded_evidence


def syncs(*names: str) -> list[dict[str, Any]]:
    found = list(rows(recorded_evidence(*names).table(SYNCS)))
    return sorted(found, key=lambda s: s["finished_at"] or s["started_at"])


def of(found: list[dict[str, Any]], revision: str) -> list[dict[str, Any]]:
    return [s for s in found if any(r.startswith(revision) for r in s["revisions"])]


def test_selective_syncs_that_history_never_names_are_recovered_from_events() -> None:
    partial = of(syncs("06b-sync-130"), "cf85f5e")
    assert [(s["partial"], s["history_id"], s["initiated_by"]) for s in partial] == [
        (True, None, "alice"),
        (True, None, None),
    ]


def test_the_last_selective_sync_names_its_resources() -> None:
    last = syncs("05c-selective-patch-cronjob")[-1]
    assert last["selected_resources"] == ["CronJob/orders-nightly"]


def test_a_dry_run_is_known_by_its_operation_and_later_by_historys_silence() -> None:
    known = of(syncs("06a-dry-run-cli"), "62aacde")
    inferred = of(syncs("06b-sync-130"), "62aacde")
    assert [s["dry_run"] for s in known] == [True]
    assert [(s["history_id"], s["dry_run"]) for s in inferred] == [(None, True), (2, False)]


def test_a_dry_run_is_no_change() -> None:
    found = changes(recorded_evidence("06a-dry-run-cli"))
    assert not found["new"].str.contains("62aacde", na=False).any()


def test_each_sync_is_one_row_whatever_remembers_it() -> None:
    found = [s for s in syncs("08e-sync-head") if s["history_id"] is not None]
    assert [s["history_id"] for s in found] == list(range(7))
    assert found[-1]["source"] == "history+operationState+event"


def test_rollbacks_are_recognised_and_the_way_forward_is_none() -> None:
    found = {s["history_id"]: s["rollback"] for s in syncs("08e-sync-head") if s["history_id"] is not None}
    assert found == {0: False, 1: False, 2: False, 3: True, 4: False, 5: True, 6: False}


def test_a_sync_without_initiator_names_nobody() -> None:
    last = syncs("24-patch-minimal-no-initiatedBy")[-1]
    assert (last["initiated_by"], last["automated"]) == (None, None)


def test_a_failed_sync_is_a_change_all_the_same() -> None:
    found = changes(recorded_evidence("07b-failed-sync-invalid-field"))
    assert found["what"].tolist()[-1] == "failed_sync"


def test_an_autosync_that_retries_is_running() -> None:
    last = syncs("14a-auto-fail-retrying")[-1]
    assert (last["phase"], last["automated"], last["history_id"]) == ("Running", True, None)


def test_after_the_limit_was_zero_earlier_syncs_are_not_taken_for_dry_runs() -> None:
    found = [s for s in syncs("17d-sync-after-terminate") if s["history_id"] is None and s["phase"] == "Succeeded"]
    assert found
    assert {s["dry_run"] for s in found} == {None}


def test_what_history_dropped_is_a_gap_that_names_its_oldest_entry() -> None:
    gaps = recorded_evidence("22-default-history-limit").gaps
    assert gaps["reason"].tolist() == [
        "history holds 10; the oldest is from 2026-11-23T16:09:51Z; changes before are seen only through ReplicaSets and events"
    ]
    assert "revisionHistoryLimit is 0" in recorded_evidence("12c-history-limit-0").gaps["reason"][0]


def test_a_history_that_covers_the_window_is_no_gap() -> None:
    assert recorded_evidence("08e-sync-head").gaps.empty


def test_an_application_names_its_path_through_the_apps_of_apps() -> None:
    evidence = recorded_evidence(
        "01-appofapps-rootapp",
        "01-appofapps-rootapp-applications",
        "01-appofapps-rootapp-configmaps",
        "01-appofapps-orders-config",
    )
    paths = {r["application"]: r["path"] for r in rows(evidence.table(APPLICATIONS))}
    assert paths["orders-config"] == "rootapp/rootapp-configmaps/orders-config"


def test_a_restart_in_argo_cd_names_who_ran_it() -> None:
    recording, deployment = recorded("11a-action-restart"), recorded("11a-deployment")
    restarted = deployment["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"]
    before = {**deployment["spec"]["template"], "metadata": {"labels": {"app": "orders"}}}

    def replica_set(number: int, template: dict[str, Any], created: str) -> dict[str, Any]:
        owner = {"kind": "Deployment", "name": "orders", "uid": deployment["metadata"]["uid"], "controller": True}
        return {
            "kind": "ReplicaSet", "spec": {"template": template},
            "metadata": {"name": f"orders-{number}", "namespace": "shop", "uid": str(number), "creationTimestamp": created,
                         "annotations": {"deployment.kubernetes.io/revision": str(number)}, "ownerReferences": [owner]},
        }  # fmt: skip

    evidence = evidence_of(
        deployment, replica_set(9, before, "2026-11-23T16:10:27Z"), replica_set(10, deployment["spec"]["template"], restarted),
        *recording["events"], applications=[recording["application"]], captured_at=None,
    )  # fmt: skip
    found = changes(evidence)
    row = found[found["what"] == "deploy_restart"].iloc[0]
    assert (row["by"], row["automated"], row["name"]) == ("alice", False, "orders")


def test_created_jobs_of_argo_cd_and_kubectl_are_manual_runs() -> None:
    jobs = recorded("11b-jobs")["items"]
    found = changes(evidence_of(*[{**j, "kind": "Job"} for j in jobs], captured_at=None))
    manual = {
        j["metadata"]["name"]
        for j in jobs
        if j["metadata"].get("annotations", {}).get("cronjob.kubernetes.io/instantiate")
    }
    assert set(found[found["what"] == "manual_job"]["name"]) == manual
    assert manual
