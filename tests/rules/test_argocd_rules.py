"""Rules about syncs: rollbacks undone, images without history, release order, orphans, drift."""

from __future__ import annotations

from typing import Any

import pytest

from incident_kit.answers.changes import changes
from incident_kit.answers.findings import findings
from incident_kit.profile import Profile
from incident_kit.rules import DidNotApply, Finding, rule_named
from incident_kit.window import SECOND, Window
from tests.changes.bundles import at, evidence_of, judge, recorded_evidence
from tests.changes.objects import (
    application,
    config_map,
    deployment,
    event,
    operation,
    pod,
    replica_set,
    result,
    revision,
    sync,
    template,
    written,
)

OLD, NEW, FIXED = ("registry.lab/orders-api:1.4.2", "registry.lab/orders-api:1.5.0", "registry.lab/orders-api:1.5.1")


def rolled(*steps: tuple[str, str]) -> list[Finding]:
    """A Deployment tracked by orders-api with one ReplicaSet for each (clock, image)."""
    sets = [replica_set("orders-api", n, clock, template(image)) for n, (clock, image) in enumerate(steps, 1)]
    return [deployment("orders-api", template(steps[-1][1]), application="orders-api"), *sets]


def test_a_rollback_that_the_next_sync_takes_back_is_undone() -> None:
    history = [sync(1, "08:00", identifier=0), sync(2, "09:00", identifier=1), sync(1, "09:30", "alice", identifier=2)]
    app = application("orders-api", *history, sync(2, "10:00", identifier=3))
    (finding,) = judge("rollback-undone", applications=[app], profile=Profile(pipeline_accounts=("ci",)))
    assert (finding.kind, finding.namespace, finding.name) == ("Application", "argocd", "orders-api")
    assert finding.confidence == 1.0
    assert "the pipeline (ci)" in finding.title


@pytest.mark.parametrize(("days", "severity"), [(0, "critical"), (1, "critical"), (2, "info")])
def test_what_history_remembers_from_long_before_the_window_does_not_lead(days: int, severity: str) -> None:
    history = [sync(1, "08:00", identifier=0), sync(2, "09:00", identifier=1), sync(1, "09:30", "alice", identifier=2)]
    app = application("orders-api", *history, sync(2, "10:00", identifier=3))
    later = Window(start=at("09:00") + days * 86_400 * SECOND, end=at("12:00") + days * 86_400 * SECOND)
    (finding,) = judge("rollback-undone", applications=[app], bounds=later)
    assert finding.severity == severity


def test_a_rollback_that_nobody_undid_is_none() -> None:
    app = application(
        "orders-api",
        sync(1, "08:00", identifier=0),
        sync(2, "09:00", identifier=1),
        sync(1, "09:30", "alice", identifier=2),
    )
    assert judge("rollback-undone", applications=[app]) == []


def test_syncing_the_same_old_revision_again_undoes_nothing() -> None:
    history = [
        sync(1, "08:00", identifier=0),
        sync(2, "09:00", identifier=1),
        sync(1, "09:30", identifier=2),
        sync(1, "10:00", identifier=3),
    ]
    assert judge("rollback-undone", applications=[application("orders-api", *history)]) == []


def test_a_newer_revision_that_brings_the_bad_image_back_undoes_the_rollback() -> None:
    history = [
        sync(n, c, identifier=i) for i, (n, c) in enumerate([(1, "08:00"), (2, "09:00"), (1, "09:30"), (3, "10:00")])
    ]
    bad = replica_set("orders-api", 4, "09:00", template(NEW), history="2")
    good = replica_set("orders-api", 3, "08:00", template(OLD), history="1")
    workload = deployment("orders-api", template(NEW), application="orders-api")
    again = pod("orders-api-4-x", "10:00:02", template(NEW), owner=bad)
    (finding,) = judge(
        "rollback-undone", workload, bad, good, again, applications=[application("orders-api", *history)]
    )
    assert finding.confidence >= 0.9
    assert f"the image {NEW} is the one that was rolled back from" in finding.evidence


def test_a_newer_revision_with_a_fix_undoes_nothing() -> None:
    history = [
        sync(n, c, identifier=i) for i, (n, c) in enumerate([(1, "08:00"), (2, "09:00"), (1, "09:30"), (3, "10:00")])
    ]
    good = replica_set("orders-api", 3, "08:00", template(OLD), history="1")
    bad = replica_set("orders-api", 2, "09:00", template(NEW))
    fixed = replica_set("orders-api", 4, "10:00", template(FIXED))
    workload = deployment("orders-api", template(FIXED), application="orders-api")
    assert (
        judge("rollback-undone", workload, good, bad, fixed, applications=[application("orders-api", *history)]) == []
    )


def test_a_fix_undoes_nothing_also_where_no_replica_set_remembers_the_rollback() -> None:
    history = [
        sync(n, c, identifier=i) for i, (n, c) in enumerate([(1, "08:00"), (2, "09:00"), (1, "09:30"), (3, "10:00")])
    ]
    app = application("orders-api", *history)
    steps = rolled(("08:00", OLD), ("09:00", NEW), ("10:00", FIXED))
    assert judge("rollback-undone", *steps, applications=[app]) == []


def test_a_revision_that_comes_back_brings_the_images_it_brought_before() -> None:
    history = [
        sync(n, c, identifier=i) for i, (n, c) in enumerate([(1, "08:00"), (2, "09:00"), (1, "09:30"), (2, "10:00")])
    ]
    steps = rolled(("08:00", OLD), ("09:00", NEW))
    told = changes(evidence_of(*steps, applications=[application("orders-api", *history)])).to_dict("records")
    assert [(r["what"], r["old"], r["new"]) for r in told[1:]] == [
        ("sync", OLD, NEW),
        ("rollback", NEW, OLD),
        ("sync", OLD, NEW),
    ]
    assert "undone_by" in told[2] and "10:00" in told[2]["undone_by"]


def test_a_replica_set_older_than_one_with_a_smaller_number_was_used_before_it() -> None:
    old, new = (
        replica_set("orders-api", 3, "08:00", template(OLD)),
        replica_set("orders-api", 2, "09:00", template(NEW)),
    )
    back = pod("orders-api-3-x", "09:30:01", template(OLD), owner=old, created="09:30")
    told = changes(evidence_of(deployment("orders-api", template(OLD)), old, new, back)).to_dict("records")
    assert told[0]["what"] == "created"
    assert [(r["time"].strftime("%H:%M"), r["what"], r["old"], r["new"]) for r in told[1:]] == [
        ("09:00", "image", OLD, NEW),
        ("09:30", "rollback", NEW, OLD),
    ]
    del back["metadata"]["ownerReferences"][0]["uid"]  # as people trim what they collect
    assert len(changes(evidence_of(deployment("orders-api", template(OLD)), old, new, back))) == len(told)
    assert (
        "pods orders-api-3-x run it" in told[2]["evidence"] and "pods orders-api-3-x run it" not in told[0]["evidence"]
    )


def test_an_entry_of_an_old_version_without_its_start_is_still_the_last_operation() -> None:
    entry = sync(2, "09:00", identifier=1)
    del entry["deployStartedAt"]
    app = application("orders-api", entry, sync(1, "08:00", identifier=0), operation=operation(2, "09:00", []))
    told = changes(evidence_of(applications=[app]))
    assert [t.hour for t in told["time"]] == [8, 9]


def test_a_rollout_seen_as_a_sync_a_replica_set_and_pods_is_one_change() -> None:
    objects = rolled(("08:00", OLD), ("09:00", NEW))
    pods = [pod(f"orders-api-2-{n}", "09:00:05", template(NEW), owner=objects[-1]) for n in "ab"]
    app = application(
        "orders-api", sync(1, "08:00", identifier=0), sync(2, "09:00", "alice", identifier=1), parent="apps"
    )
    found = changes(evidence_of(*objects, *pods, applications=[app, application("apps")]))
    (row,) = found[found.time.dt.hour == 9].to_dict("records")
    assert (row["old"], row["new"], row["by"], row["automated"]) == (OLD, NEW, "alice", False)
    assert row["application"] == "apps/orders-api"
    told = " | ".join(row["evidence"])
    assert all(part in told for part in ("history id 1", "ReplicaSet orders-api-2 created", "pods orders-api-2-a"))


def test_an_image_set_by_hand_has_no_history() -> None:
    objects = rolled(("08:00", OLD), ("09:00", NEW))
    objects[0]["metadata"]["managedFields"] = [written("kubectl-set", "09:00", "spec.template.spec")]
    (finding,) = judge(
        "image-without-history", *objects, applications=[application("orders-api", sync(1, "08:00", identifier=0))]
    )
    assert (finding.kind, finding.name) == ("Application", "orders-api")
    assert "kubectl-set" in finding.title


def test_an_image_set_by_a_selective_sync_has_no_history() -> None:
    app = application("orders-api", sync(1, "08:00", identifier=0))
    events = [
        event(
            "Application",
            "orders-api",
            "OperationStarted",
            f"alice initiated partial sync to main ({revision(2)})",
            "09:00",
            user="alice",
        ),
        event(
            "Application",
            "orders-api",
            "OperationCompleted",
            f"Partial sync operation to {revision(2)} succeeded",
            "09:00:01",
        ),
    ]
    (finding,) = judge("image-without-history", *rolled(("08:00", OLD), ("09:00", NEW)), *events, applications=[app])
    assert "selective sync" in finding.title


def test_an_image_that_came_with_a_whole_sync_has_history() -> None:
    app = application("orders-api", sync(1, "08:00", identifier=0), sync(2, "09:00", identifier=1))
    assert judge("image-without-history", *rolled(("08:00", OLD), ("09:00", NEW)), applications=[app]) == []


def test_an_image_change_before_history_begins_is_not_judged() -> None:
    app = application("orders-api", sync(3, "10:00", identifier=7))
    (outcome,) = rule_named("image-without-history").run(
        evidence_of(*rolled(("08:00", OLD), ("09:00", NEW)), applications=[app])
    )
    assert isinstance(outcome, DidNotApply)


def released(*steps: tuple[str, str]) -> list[Finding]:
    return [application(name, sync(1, "06:00", identifier=0), sync(2, clock, identifier=1)) for name, clock in steps]


def test_a_service_before_its_api_breaks_the_order() -> None:
    apps = released(("orders-api", "09:05"), ("orders-service", "09:00"), ("orders-jobs", "09:10"))
    (finding,) = judge("release-order", applications=apps)
    assert finding.name == "orders-service"


def test_syncs_right_after_each_other_have_an_order_and_those_side_by_side_have_none() -> None:
    apps = released(("orders-api", "09:00:03"), ("orders-service", "09:00:02"))
    (finding,) = judge("release-order", applications=apps)
    assert finding.name == "orders-service"
    apps[0]["status"]["history"][-1]["deployStartedAt"] = apps[1]["status"]["history"][-1]["deployedAt"]
    assert judge("release-order", applications=apps) == []


def test_the_profiles_order_is_no_finding_and_an_hour_between_is_no_release() -> None:
    assert (
        judge(
            "release-order",
            applications=released(("orders-api", "09:00"), ("orders-service", "09:05"), ("orders-jobs", "09:10")),
        )
        == []
    )
    assert judge("release-order", applications=released(("orders-service", "09:00"), ("orders-api", "10:30"))) == []


def test_the_order_does_not_apply_where_no_names_fit() -> None:
    (outcome,) = rule_named("release-order").run(
        evidence_of(applications=released(("shop", "09:00"), ("web", "09:05")))
    )
    assert isinstance(outcome, DidNotApply)


def test_a_release_that_left_the_jobs_behind_is_incomplete() -> None:
    done = [application(name, sync(1, "06:00", identifier=0), sync(2, clock, identifier=1), images=["r/x:1.5.0"])
            for name, clock in (("orders-api", "09:00"), ("orders-service", "09:05"))]  # fmt: skip
    left = application("orders-jobs", sync(1, "06:00", identifier=0), images=["r/x:1.4.2"])
    (finding,) = judge("release-incomplete", applications=[*done, left])
    assert (finding.name, finding.confidence) == ("orders-jobs", 0.9)
    same = application("orders-jobs", sync(1, "06:00", identifier=0), images=["r/x:1.5.0"])
    assert judge("release-incomplete", applications=[*done, same]) == []


def test_what_left_git_and_was_not_pruned_is_an_orphan() -> None:
    found = [
        o for o in rule_named("orphan").run(recorded_evidence("09b-removed-requires-pruning")) if isinstance(o, Finding)
    ]
    assert [(f.kind, f.name) for f in found] == [("ConfigMap", "billing-extra")]


def test_pruned_objects_hooks_and_what_could_not_be_compared_are_no_orphans() -> None:
    for name in ("09d-sync-with-prune", "17d-sync-after-terminate", "08e-sync-head"):
        assert list(rule_named("orphan").run(recorded_evidence(name))) == []
    (outcome,) = rule_named("orphan").run(recorded_evidence("07c-comparison-error"))
    assert isinstance(outcome, DidNotApply)
    assert "ComparisonError" in outcome.because


def test_an_image_beside_the_last_sync_is_drift() -> None:
    done = operation(
        1, "09:00", [result("Deployment", "orders-api", "deployment.apps/orders-api configured", images=[OLD])]
    )
    app = application("orders-api", sync(1, "09:00", identifier=0), operation=done)
    by_hand = deployment(
        "orders-api", template(NEW), written("kubectl-set", "10:00", "spec.template.spec"), application="orders-api"
    )
    (finding,) = judge("image-drift", by_hand, applications=[app])
    assert (finding.kind, finding.name) == ("Deployment", "orders-api")
    as_synced = deployment("orders-api", template(OLD), application="orders-api")
    assert judge("image-drift", as_synced, applications=[app]) == []


def test_a_dry_run_of_a_new_image_is_no_drift() -> None:
    dry = operation(2, "10:00", [result("Deployment", "orders-api", "configured (dry run)", images=[NEW])], dryRun=True)
    app = application("orders-api", sync(1, "09:00", identifier=0), operation=dry)
    assert (
        judge("image-drift", deployment("orders-api", template(OLD), application="orders-api"), applications=[app])
        == []
    )


def test_a_sync_that_changed_nothing_is_said_to_be_one() -> None:
    again = operation(1, "10:00", [result("Deployment", "orders-api", "deployment.apps/orders-api unchanged")])
    app = application(
        "orders-api", sync(1, "09:00", identifier=0), sync(1, "10:00", "alice", identifier=1), operation=again
    )
    found = changes(evidence_of(applications=[app]))
    assert found["what"].tolist() == ["sync", "sync_without_changes"]


def test_a_multi_source_sync_names_each_source() -> None:
    several = sync(1, "09:00", identifier=0)
    del several["revision"]
    several["revisions"] = [revision(1), "4.2.0"]
    several["source"] = {"repoURL": ""}
    several["sources"] = [
        {"repoURL": "https://git.example/be.git", "path": "be"},
        {"repoURL": "https://charts.example", "chart": "area"},
    ]
    found = changes(evidence_of(applications=[application("orders-api", several)]))
    assert found["new"][0] == f"{revision(1)}, 4.2.0"
    assert any("multi-source" in line and "charts.example area at 4.2.0" in line for line in found["evidence"][0])


def in_namespace(namespace: str, app: dict[str, Any]) -> dict[str, Any]:
    metadata = app["metadata"] | {"namespace": namespace, "uid": f"{namespace}-{app['metadata']['name']}"}
    return app | {"metadata": metadata}


def test_applications_of_one_name_in_two_namespaces_share_no_history() -> None:
    theirs = [sync(1, "08:00", identifier=0), sync(2, "09:00", identifier=1), sync(1, "09:30", "alice", identifier=2)]
    other = application("orders", *theirs)
    mine = application("orders", sync(1, "08:30", identifier=0), sync(2, "10:00", identifier=1))
    both = [in_namespace("team-b", other), mine]
    assert judge("rollback-undone", applications=both) == []
    told = changes(evidence_of(applications=both))
    kept = told[told["what"] == "rollback"].to_dict("records")
    assert [(r["namespace"], r["name"], isinstance(r["undone_by"], str)) for r in kept] == [("team-b", "orders", False)]

    undone = application("orders", *theirs, sync(2, "10:30", identifier=3))
    (finding,) = judge("rollback-undone", applications=[in_namespace("team-b", undone), mine])
    assert (finding.namespace, finding.name) == ("team-b", "orders")


def test_an_object_belongs_to_the_application_that_lists_it_where_the_tracking_name_is_shared() -> None:
    resources = [{"kind": "Deployment", "group": "apps", "name": "orders-api", "namespace": "shop", "status": "Synced"}]
    mine = application("orders", sync(1, "08:00", identifier=0), resources=resources)
    other = in_namespace("team-b", application("orders", sync(7, "09:00", identifier=0)))
    sets = [replica_set("orders-api", n, clock, template(image)) for n, (clock, image) in enumerate([("08:00", OLD), ("09:00", NEW)], 1)]  # fmt: skip
    tracked = deployment("orders-api", template(NEW), application="orders")
    told = changes(evidence_of(tracked, *sets, applications=[other, mine]))
    image = told[told["new"] == NEW].to_dict("records")
    assert [(row["kind"], row["application"]) for row in image] == [("Deployment", "argocd_orders")]
    (finding,) = judge("image-without-history", tracked, *sets, applications=[other, mine])
    assert (finding.namespace, finding.name) == ("argocd", "orders")


def test_what_lies_in_the_window_is_told_before_what_was_so_earlier() -> None:
    """A cluster remembers the undone rollbacks of a whole day; the window's own must not stand below them."""
    early = [sync(n, f"0{4 + i}:00", identifier=i) for i, n in enumerate((1, 2, 1, 2))]
    late = [sync(n, f"10:0{i}", identifier=i) for i, n in enumerate((1, 2, 1, 2))]
    evidence = evidence_of(
        applications=[application("early", *early), application("late", *late)], window=("10:00", "11:00")
    )
    assert list(findings(evidence)["name"]) == ["late", "early"]


def test_a_rollback_of_a_rollback_is_somebodys_choice_and_undoes_nothing() -> None:
    app = application("orders-api", sync(1, "08:00", identifier=0), sync(2, "09:00", identifier=1),
                      sync(1, "09:30", "alice", identifier=2), sync(2, "10:00", "alice", identifier=3))  # fmt: skip
    told = [("0", "09:30", revision(1)), ("1", "10:00", revision(2))]
    events = [
        part
        for number, clock, sha in told
        for part in (
            event(
                "Application",
                "orders-api",
                "OperationStarted",
                f"alice initiated rollback to {number}",
                clock,
                user="alice",
            ),
            event("Application", "orders-api", "OperationCompleted", f"Sync operation to {sha} succeeded", clock),
        )
    ]
    assert judge("rollback-undone", *events, applications=[app]) == []
    assert judge("rollback-undone", *events[:2], applications=[app])


def test_what_argo_cd_compared_with_the_released_revision_and_found_synced_was_not_left_behind() -> None:
    history = [(sync(1, "06:00", identifier=0), sync(2, clock, identifier=1)) for clock in ("09:00", "09:05", "09:10")]
    whole = [
        application(name, *steps, sync(3, "10:00", identifier=2), images=["r/x:1.6.0"])
        for name, steps in zip(("orders-api",), history, strict=False)
    ]
    others = [
        application(name, *steps, images=["r/x:1.5.0"])
        for name, steps in zip(("orders-service", "orders-jobs"), history[1:], strict=True)
    ]
    assert {f.name for f in judge("release-incomplete", applications=[*whole, *others])} == {
        "orders-service",
        "orders-jobs",
    }
    for other in others:
        other["status"]["sync"]["revision"] = revision(3)
    assert judge("release-incomplete", applications=[*whole, *others]) == []
    others[1]["status"]["sync"]["status"] = "OutOfSync"
    assert {f.name for f in judge("release-incomplete", applications=[*whole, *others])} == {"orders-jobs"}


@pytest.mark.parametrize(
    ("key", "value", "orphans"),
    [
        ("sync-options", "Prune=false", 0),
        ("sync-options", "ServerSideApply=true, Prune=false", 0),
        ("compare-options", "IgnoreExtraneous", 0),
        ("sync-options", "Prune=confirm", 1),
    ],
)
def test_what_is_annotated_to_stay_is_no_orphan(key: str, value: str, orphans: int) -> None:
    kept = config_map("billing-extra", "06:00", annotations={f"argocd.argoproj.io/{key}": value})
    left = {
        "kind": "ConfigMap",
        "name": "billing-extra",
        "namespace": "shop",
        "status": "OutOfSync",
        "requiresPruning": True,
    }
    stays = {"kind": "ConfigMap", "name": "billing", "namespace": "shop", "status": "Synced"}
    app = application("billing", sync(1, "09:00", identifier=0), resources=[left, stays])
    assert len(judge("orphan", kept, config_map("billing", "06:00"), applications=[app])) == orphans


def test_an_init_containers_image_which_no_sync_lists_is_no_drift() -> None:
    made = template(NEW)
    made["spec"]["initContainers"] = [{"name": "render", "image": "registry.lab/render:1"}]
    synced = [result("Deployment", "orders-api", "deployment.apps/orders-api configured", images=[NEW])]
    app = application("orders-api", sync(2, "09:00", identifier=0), operation=operation(2, "09:00", synced))
    assert judge("image-drift", deployment("orders-api", made, application="orders-api"), applications=[app]) == []
