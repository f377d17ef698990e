"""Pods that no longer exist, rebuilt from what outlives them; facts observed or inferred, with their source."""

from __future__ import annotations

import json

import pytest

from incident_kit.answers.diff import diff
from incident_kit.answers.trace import trace
from incident_kit.correlate.pods.identity import lives_of, resolve_pod
from incident_kit.errors import NotFoundError, UsageError
from incident_kit.window import parse_rfc3339
from tests.identity.bundles import CAPTURED, bundle, connection, pod, replica_set

GONE = "orders-api-7c9f8d6b5-x2k4q"


def hits(*documents):
    return "\n".join(
        json.dumps({"_index": "logs", "_id": str(number), "_source": source}) for number, source in enumerate(documents)
    )


def document(time, name=GONE, **more):
    return {
        "@timestamp": f"2026-11-20T{time}Z",
        "message": f"m {time}",
        "kubernetes": {"pod": {"name": name}, "namespace": "shop", **more},
    }


def event(kind, name, reason, message, at="10:05:00", uid=None):
    moment = f"2026-11-20T{at}Z"
    return {"kind": "Event", "metadata": {"name": f"{name}.{reason}", "namespace": "shop"}, "reason": reason, "message": message, "type": "Normal",
            "involvedObject": {"kind": kind, "name": name, "namespace": "shop", **({"uid": uid} if uid else {})},
            "firstTimestamp": moment, "lastTimestamp": moment, "count": 1}  # fmt: skip


def life(evidence, name=GONE):
    [only] = lives_of(resolve_pod(name, evidence), evidence)
    return only


def test_a_pod_known_only_from_elastic_is_known_and_has_first_and_last_seen(tmp_path):
    evidence = bundle(tmp_path, {"elasticsearch/hits.ndjson": hits(document("10:01:00"), document("10:31:00"))})
    story = trace(GONE, evidence)
    identity = story["identity"]
    assert (identity["first_seen"], identity["first_seen_from"]) == (
        parse_rfc3339("2026-11-20T10:01:00Z"),
        "Elasticsearch documents",
    )
    assert identity["last_seen"] - identity["first_seen"] == 30 * 60 * 1_000_000_000
    assert (identity["workload_kind"], identity["workload"], identity["observed"]) == (
        "Deployment",
        "orders-api",
        False,
    )


def test_its_replica_set_tells_image_revision_and_workload_as_inferred(tmp_path):
    evidence = bundle(tmp_path, {
        "elasticsearch/hits.ndjson": hits(document("10:01:00")),
        "kubernetes/replicasets.json": [replica_set("orders-api-7c9f8d6b5", "7c9f8d6b5", "registry/orders:1.4.2"),
                                        replica_set("orders-api-5d4f8c7b9", "5d4f8c7b9", "registry/orders:1.5.0", revision="4")],
    })  # fmt: skip
    known = life(evidence)
    images, revision = known.facts["images"], known.facts["revision"]
    assert (images.value, images.observed, images.source) == (
        ["registry/orders:1.4.2"],
        False,
        "ReplicaSet orders-api-7c9f8d6b5",
    )
    assert (revision.value, known.value("workload")) == ("3", "orders-api")
    [row] = trace(GONE, evidence)["images"]
    assert (row["image"], row["observed"]) == ("registry/orders:1.4.2", False)


def test_below_a_replica_set_that_is_there_any_suffix_is_its_pods_and_below_other_owners_only_a_generated_one(tmp_path):
    """Names that people made up for a test hold letters that Kubernetes never generates."""
    names = ("orders-api-7c9f8d6b5-abcde", "orders-admin")
    evidence = bundle(tmp_path, {
        "elasticsearch/hits.ndjson": hits(*(document("10:01:00", name) for name in names)),
        "kubernetes/replicasets.json": [replica_set("orders-api-7c9f8d6b5", "7c9f8d6b5", "registry/orders:1.4.2")],
        "kubernetes/daemonsets.json": [{"kind": "DaemonSet", "metadata": {"name": "orders", "namespace": "shop", "uid": "d"}}],
    })  # fmt: skip
    assert life(evidence, names[0]).value("images") == ["registry/orders:1.4.2"]
    assert life(evidence, names[1]).value("owner_name") is None


def test_a_cut_name_finds_its_replica_set_by_the_cut_base(tmp_path):
    deployment = "a-very-long-deployment-name-that-fills-the-whole-label"
    name = f"{deployment}-7c9f8d6b5-"[:58] + "x2k4q"
    evidence = bundle(tmp_path, {
        "elasticsearch/hits.ndjson": hits(document("10:01:00", name)),
        "kubernetes/replicasets.json": [replica_set(f"{deployment}-7c9f8d6b5", "7c9f8d6b5", "registry/a:1")]})  # fmt: skip
    assert len(name) == 63 and life(evidence, name).value("workload") == deployment


def test_a_cut_name_that_fits_several_replica_sets_is_given_none(tmp_path):
    deployment = "a-very-long-deployment-name-that-fills-the-whole-label-ofit"
    name = f"{deployment}-7c9f8d6b5-"[:58] + "x2k4q"
    evidence = bundle(tmp_path, {
        "elasticsearch/hits.ndjson": hits(document("10:01:00", name)),
        "kubernetes/replicasets.json": [replica_set(f"{deployment}-{h}", h, f"registry/a:{h}") for h in ("7c9f8d6b5", "5d4f8c7b9")]})  # fmt: skip
    assert life(evidence, name).value("images") is None


def test_events_tell_creation_node_image_and_end_of_one_life(tmp_path):
    evidence = bundle(tmp_path, {"kubernetes/events.json": [
        event("ReplicaSet", "orders-api-7c9f8d6b5", "SuccessfulCreate", f"Created pod: {GONE}", "10:05:00"),
        event("Pod", GONE, "Scheduled", f"Successfully assigned shop/{GONE} to node-7", "10:05:00", "uid-gone"),
        event("Pod", GONE, "Pulled", 'Container image "registry/orders:1.4.2" already present on machine', "10:05:01", "uid-gone"),
        event("Pod", GONE, "Killing", "Stopping container app", "10:20:00", "uid-gone"),
    ]})  # fmt: skip
    known = life(evidence)
    assert (known.pod_uid, known.value("node"), known.value("images")) == (
        "uid-gone",
        "node-7",
        ["registry/orders:1.4.2"],
    )
    assert known.facts["owner_name"].observed and not known.facts["deleted_at"].observed
    assert known.end - known.begin == 15 * 60 * 1_000_000_000
    before, after = (parse_rfc3339(f"2026-11-20T10:{minute}:00Z") for minute in (10, 30))
    rows = diff(evidence, before, after).set_index("what")
    assert rows.loc["alive", "before"] == "alive on node-7, image registry/orders:1.4.2"


def test_several_bundles_of_one_cluster_know_more_than_the_last_one(tmp_path):
    earlier = bundle(
        tmp_path,
        {
            "kubernetes/pods.json": [
                pod(GONE, ip="10.1.0.5", uid="uid-gone", owner=("ReplicaSet", "orders-api-7c9f8d6b5"))
            ],
            "rabbitmq/connections.json": [connection("10.1.0.5", 4000, "10:10:00")],
        },
        name="earlier",
    )
    later = bundle(
        tmp_path, {"elasticsearch/hits.ndjson": hits(document("10:01:00"), document("10:59:00"))}, name="later"
    )
    story = trace(GONE, earlier, later)
    assert story["identity"]["pod_uid"] == "uid-gone" and story["identity"]["workload"] == "orders-api"
    assert list(story["rabbit"]["match"]) == ["pod_ip"] and list(story["instances"]["container"]) == ["app"]
    assert story["logs"]["documents"] == 2
    assert trace(GONE, later, earlier)["identity"]["pod_uid"] == "uid-gone"


def test_bundles_of_several_clusters_are_refused(tmp_path):
    one = bundle(tmp_path, {"kubernetes/pods.json": [pod("a")]}, name="one")
    other = bundle(
        tmp_path,
        {
            "kubernetes/pods.json": [pod("a")],
            "window.json": {
                "start": "2026-11-20T10:00:00Z",
                "end": "2026-11-20T11:00:00Z",
                "captured_at": CAPTURED,
                "cluster": "other",
            },
        },
        name="other",
    )
    with pytest.raises(UsageError, match="several clusters: other, test"):
        trace("a", one, other)


def test_an_unknown_pod_is_not_found(tmp_path):
    with pytest.raises(NotFoundError):
        trace("nobody", bundle(tmp_path, {"kubernetes/pods.json": [pod("a")]}))


def test_a_stateful_pod_with_two_lives_keeps_both_apart(tmp_path):
    evidence = bundle(tmp_path, {"kubernetes/pods.json": [pod("pricing-0", uid="new", created="10:30:00")], "kubernetes/events.json": [
        event("Pod", "pricing-0", "Killing", "Stopping container app", "10:29:00", "old")]})  # fmt: skip
    identity = resolve_pod("pricing-0", evidence)
    assert identity.pod_uids == ("old", "new")
    assert [(known.pod_uid, known.captured) for known in lives_of(identity, evidence)] == [
        ("old", False),
        ("new", True),
    ]


def test_the_address_that_multus_attached_to_a_gone_pod_is_its(tmp_path):
    told = event("Pod", GONE, "AddedInterface", "Add eth0 [10.1.0.66/24 fd00::66/64] from cbr0", uid="u1")
    evidence = bundle(tmp_path, {"kubernetes/events.json": [told]})
    assert life(evidence).value("pod_ips") == ["10.1.0.66", "fd00::66"]


def test_the_revision_of_a_rollouts_pod_is_its_replica_sets(tmp_path):
    owner = replica_set("orders-api-7c9f8d6b5", "7c9f8d6b5", "registry/orders:1.4.2")
    owner["metadata"]["annotations"] = {"rollout.argoproj.io/revision": "12"}
    files = {"elasticsearch/hits.ndjson": hits(document("10:01:00")), "kubernetes/replicasets.json": [owner]}
    assert life(bundle(tmp_path, files)).value("revision") == "12"
    captured = pod(GONE, owner=("ReplicaSet", "orders-api-7c9f8d6b5"))
    files = {"kubernetes/pods.json": [captured], "kubernetes/replicasets.json": [owner]}
    assert life(bundle(tmp_path, files, name="y")).value("revision") == "12"


def test_near_names_are_of_the_namespace_that_was_asked_for(tmp_path):
    pods = [pod("db-0", namespace="bank"), pod("db-0")]
    for space in ("bank", "shop"):
        with pytest.raises(NotFoundError) as error:
            resolve_pod(f"{space}/db-1", bundle(tmp_path, {"kubernetes/pods.json": pods}, name=space))
        assert f"{space}/db-0" in str(error.value)
