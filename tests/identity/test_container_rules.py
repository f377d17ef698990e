"""crash-loop, oom-killed, moved-tag, mixed-versions: when they find, and when they rightly do not."""

from __future__ import annotations

from incident_kit.rules import rule_named
from tests.identity.bundles import bundle, day, pod

API = ("ReplicaSet", "api-7c9f8d6b5")


def findings(rule, tmp_path, pods):
    return list(rule_named(rule).run(bundle(tmp_path, {"kubernetes/pods.json": pods})))


def ended(document, count, reason, code, at, *, waiting=None):
    """The pod after an instance ended at an instant."""
    last = {
        "exitCode": code,
        "reason": reason,
        "startedAt": day("09:30:00"),
        "finishedAt": day(at),
        "containerID": "containerd://before",
    }
    status = document["status"]["containerStatuses"][0]
    status["restartCount"], status["lastState"] = count, {"terminated": last}
    if waiting:
        status["state"], status["containerID"] = {"waiting": {"reason": waiting}}, "containerd://before"
    return document


def test_an_oom_kill_in_the_window_is_found_with_its_limit(tmp_path):
    document = ended(pod("api"), 1, "OOMKilled", 137, "10:30:00")
    document["spec"]["containers"][0]["resources"] = {"limits": {"memory": "64Mi"}}
    [finding] = findings("oom-killed", tmp_path, [document])
    assert (finding.kind, finding.namespace, finding.name) == ("Pod", "shop", "api") and "64Mi" in finding.title


def test_an_oom_kill_before_the_window_is_not_the_incidents(tmp_path):
    assert findings("oom-killed", tmp_path, [ended(pod("api"), 1, "OOMKilled", 137, "09:40:00")]) == []


def test_an_oom_kill_between_the_window_and_the_capture_that_followed_is(tmp_path):
    assert len(findings("oom-killed", tmp_path, [ended(pod("api"), 1, "OOMKilled", 137, "11:00:10")])) == 1


def test_a_crash_loop_is_found_by_the_kubelets_word(tmp_path):
    [finding] = findings(
        "crash-loop", tmp_path, [ended(pod("api"), 5, "Error", 1, "10:30:00", waiting="CrashLoopBackOff")]
    )
    assert (finding.name, finding.confidence) == ("api", 1.0)


def test_one_restart_is_no_crash_loop(tmp_path):
    assert findings("crash-loop", tmp_path, [ended(pod("api"), 1, "Error", 1, "10:30:00")]) == []


def test_many_restarts_with_one_just_now_are_a_crash_loop_also_while_it_runs(tmp_path):
    assert len(findings("crash-loop", tmp_path, [ended(pod("api"), 6, "Error", 1, "10:59:00")])) == 1


def versions(*images):
    return [pod(f"api-7c9f8d6b5-{n}", owner=("StatefulSet", "api"), image=image, image_id=f"registry/app@{digest}", created=created)
            for n, (image, digest, created) in enumerate(images)]  # fmt: skip


def test_one_tag_with_two_digests_is_a_moved_tag(tmp_path):
    pods = versions(("registry/app:1", "sha256:aa", "09:00:00"), ("registry/app:1", "sha256:bb", "10:10:00"))
    [finding] = findings("moved-tag", tmp_path, pods)
    assert (finding.kind, finding.name) == ("StatefulSet", "api") and finding.time == day_ns("10:10:00")


def test_a_nodes_own_digest_and_a_registrys_are_not_compared(tmp_path):
    pods = [
        pod("api-1", owner=API, image_id="registry/app@sha256:aa"),
        pod("api-2", owner=API, image_id="sha256:bb"),
    ]
    assert findings("moved-tag", tmp_path, pods) == []


def test_two_tags_with_two_digests_are_no_moved_tag(tmp_path):
    pods = versions(("registry/app:1", "sha256:aa", "09:00:00"), ("registry/app:2", "sha256:bb", "10:10:00"))
    assert findings("moved-tag", tmp_path, pods) == []


def test_two_versions_side_by_side_are_mixed(tmp_path):
    pods = versions(("registry/app:1", "sha256:aa", "09:00:00"), ("registry/app:2", "sha256:bb", "10:10:00"))
    [finding] = findings("mixed-versions", tmp_path, pods)
    assert (finding.name, finding.time) == ("api", day_ns("10:10:00"))


def test_a_rollout_that_just_began_is_not_called_mixed(tmp_path):
    pods = versions(("registry/app:1", "sha256:aa", "09:00:00"), ("registry/app:2", "sha256:bb", "11:00:20"))
    assert findings("mixed-versions", tmp_path, pods) == []


def day_ns(time):
    from incident_kit.window import parse_rfc3339

    return parse_rfc3339(day(time))


def restarted_often(count, started, finished):
    document = ended(pod("api", created="00:00:00"), count, "Error", 1, finished)
    document["status"]["containerStatuses"][0]["lastState"]["terminated"]["startedAt"] = started
    return document


def test_restarts_with_long_runs_between_are_no_crash_loop(tmp_path):
    assert findings("crash-loop", tmp_path, [restarted_often(3, "2026-11-19T07:00:00Z", "10:30:00")]) == []


def test_restarts_with_short_runs_between_are_one(tmp_path):
    assert len(findings("crash-loop", tmp_path, [restarted_often(3, day("10:25:00"), "10:30:00")])) == 1


def back_off(count, last):
    return {"kind": "Event", "metadata": {"name": "b", "namespace": "shop", "uid": "b"}, "reason": "BackOff", "type": "Warning",
            "message": "Back-off restarting failed container app in pod api_shop(u)", "count": count,
            "firstTimestamp": day("10:05:00"), "lastTimestamp": day(last),
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "api", "uid": "u", "fieldPath": "spec.containers{app}"}}  # fmt: skip


def test_a_crash_loop_of_a_pod_that_is_gone_is_known_from_its_events(tmp_path):
    [finding] = rule_named("crash-loop").run(bundle(tmp_path, {"kubernetes/events.json": [back_off(40, "10:40:00")]}))
    assert (finding.name, finding.confidence) == ("api", 0.9)


def test_a_gone_pod_that_waited_once_or_before_the_window_is_none(tmp_path):
    for number, event in enumerate((back_off(2, "10:40:00"), back_off(40, "09:50:00"))):
        files = {"kubernetes/pods.json": [pod("other")], "kubernetes/events.json": [event]}
        assert rule_named("crash-loop").run(bundle(tmp_path, files, name=str(number))) == []


def two(first, second, images=("registry/app:1", "registry/app:1"), nodes=("node-1", "node-1")):
    return [
        pod(name, uid=name, owner=API, image=image, image_id=image_id, node=node)
        for name, image, image_id, node in zip(("a", "b"), images, (first, second), nodes, strict=True)
    ]


def test_one_image_by_two_spellings_is_no_mix_of_versions(tmp_path):
    spelt = two("x@sha256:a", "x@sha256:b", images=("nginx", "docker.io/library/nginx:latest"))
    assert findings("mixed-versions", tmp_path, spelt) == []


def test_two_tags_of_the_same_bytes_are_no_mix_of_versions(tmp_path):
    retagged = two("x@sha256:a", "x@sha256:a", images=("registry/app:1", "registry/app:2"))
    assert findings("mixed-versions", tmp_path, retagged) == []


def test_a_tag_moved_though_its_reference_is_spelt_in_two_ways(tmp_path):
    spelt = two("x@sha256:a", "x@sha256:b", images=("nginx:1", "docker.io/library/nginx:1"))
    assert len(findings("moved-tag", tmp_path, spelt)) == 1


def test_digests_of_two_platforms_are_no_moved_tag(tmp_path):
    nodes = [{"kind": "Node", "metadata": {"name": name, "uid": name},
              "status": {"nodeInfo": {"architecture": architecture, "operatingSystem": "linux"}}}
             for name, architecture in (("node-1", "amd64"), ("node-2", "arm64"))]  # fmt: skip
    pods = two("x@sha256:a", "x@sha256:b", nodes=("node-1", "node-2"))
    rule = rule_named("moved-tag")
    assert rule.run(bundle(tmp_path, {"kubernetes/pods.json": pods, "kubernetes/nodes.json": nodes})) == []
    pods[1]["spec"]["nodeName"] = "node-1"
    assert (
        len(rule.run(bundle(tmp_path, {"kubernetes/pods.json": pods, "kubernetes/nodes.json": nodes}, name="y"))) == 1
    )
