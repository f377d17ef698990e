"""Container instances from what a status remembers."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from incident_kit.answers.restarts import restarts
from incident_kit.correlate.pods.exits import meaning, signal_of
from incident_kit.normalise.kubernetes.instances import digest_of, instance_rows
from tests.identity.bundles import bundle, day


def status(
    restarts_, state, last=None, *, name="app", container_id="containerd://now", image_id="registry/app@sha256:bb"
):
    return {"name": name, "restartCount": restarts_, "state": state, "lastState": {"terminated": last} if last else {},
            "containerID": container_id, "imageID": image_id, "image": "registry/app:1"}  # fmt: skip


def a_pod(*statuses, pull="IfNotPresent", image="registry/app:1", init=(), **more):
    return {
        "kind": "Pod", "metadata": {"name": "p", "namespace": "shop", "uid": "uid-p", "creationTimestamp": day("09:00:00")},
        "spec": {"containers": [{"name": "app", "image": image, "imagePullPolicy": pull}],
                 "initContainers": [{"name": item["name"], "image": "registry/i:1"} for item in init]},
        "status": {"phase": "Running", "containerStatuses": list(statuses), "initContainerStatuses": list(init), **more},
    }  # fmt: skip


def end(code, reason, start, finish, container_id="containerd://before"):
    return {
        "exitCode": code,
        "reason": reason,
        "startedAt": day(start),
        "finishedAt": day(finish),
        "containerID": container_id,
    }


RUNNING = {"running": {"startedAt": day("10:30:00")}}


def test_the_running_one_the_one_before_and_those_known_only_by_count():
    rows = list(instance_rows(a_pod(status(4, RUNNING, end(137, "OOMKilled", "10:00:00", "10:29:00")))))
    assert [(r["restart_count"], r["source"], r.get("reason")) for r in rows] == [
        (0, "restartCount", None), (1, "restartCount", None), (2, "restartCount", None), (3, "lastState", "OOMKilled"), (4, "state", None)]  # fmt: skip
    assert rows[0].get("started_at") is None and not rows[0]["observed"]


def test_in_a_crash_loop_last_state_is_the_instance_that_the_count_names():
    crash = end(1, "Error", "10:00:00", "10:29:00", "containerd://now")
    rows = list(instance_rows(a_pod(status(2, {"waiting": {"reason": "CrashLoopBackOff"}}, crash))))
    assert [(r["restart_count"], r["source"]) for r in rows] == [
        (0, "restartCount"),
        (1, "restartCount"),
        (2, "lastState"),
    ]
    assert (rows[-1]["waiting_reason"], rows[-1]["image_digest"]) == ("CrashLoopBackOff", "sha256:bb")


def test_a_lost_container_was_already_counted():
    lost = {"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": None, "finishedAt": None}
    rows = list(instance_rows(a_pod(status(1, {"waiting": {"reason": "ContainerCreating"}}, lost, container_id=None))))
    assert [(r["restart_count"], r.get("reason")) for r in rows] == [
        (0, "ContainerStatusUnknown"),
        (1, "ContainerCreating"),
    ]


def test_the_earlier_instances_digest_is_unknown_where_the_tag_is_pulled_every_time():
    earlier = end(1, "Error", "10:00:00", "10:29:00")
    always = next(instance_rows(a_pod(status(1, RUNNING, earlier), pull="Always")))
    present = next(instance_rows(a_pod(status(1, RUNNING, earlier))))
    assert (always["image"], always["image_digest"], present["image_digest"]) == ("registry/app:1", None, "sha256:bb")
    assert not always["observed"] and not present["observed"]


def test_init_sidecar_and_ephemeral_containers_are_told_apart():
    document = a_pod(status(0, RUNNING), init=[status(0, RUNNING, name="proxy"), status(0, RUNNING, name="migrate")])
    document["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    document["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "busybox"}]
    document["status"]["ephemeralContainerStatuses"] = [status(0, RUNNING, name="debug")]
    assert {r["container"]: r["container_type"] for r in instance_rows(document)} == {
        "app": "app", "proxy": "sidecar", "migrate": "init", "debug": "ephemeral"}  # fmt: skip


@given(st.integers(0, 40), st.sampled_from(["running", "waiting", "terminated"]), st.booleans(), st.booleans())
def test_instances_of_one_container_are_each_there_once_and_never_overlap(count, kind, has_last, same_id):
    state = {"running": RUNNING, "waiting": {"waiting": {"reason": "CrashLoopBackOff"}},
             "terminated": {"terminated": end(0, "Completed", "10:30:00", "10:40:00", "containerd://now")}}[kind]  # fmt: skip
    last = (
        end(
            1,
            "Error",
            "10:00:00",
            "10:29:00",
            "containerd://now" if same_id and kind == "waiting" else "containerd://before",
        )
        if has_last and (count or kind == "waiting")
        else None
    )
    rows = list(instance_rows(a_pod(status(count, state, last))))
    assert [r["restart_count"] for r in rows] == list(range(count + 1))
    timed = [r for r in rows if r.get("started_at") is not None]
    for earlier, later in itertools.pairwise(timed):
        assert earlier["finished_at"] is not None and earlier["finished_at"] <= later["started_at"]


def test_digests_are_read_from_every_spelling_of_an_image_id():
    assert digest_of("docker-pullable://registry/app@sha256:aa") == digest_of("registry/app@sha256:aa") == "sha256:aa"
    assert (digest_of("docker://sha256:cc"), digest_of(""), digest_of(None)) == ("sha256:cc", None, None)


def test_restarts_lists_what_ended_with_its_meaning(tmp_path):
    document = a_pod(status(2, RUNNING, end(139, "Error", "10:00:00", "10:29:00")))
    rows = restarts(bundle(tmp_path, {"kubernetes/pods.json": [document]})).to_dict("records")
    assert [(r["restart_count"], r["reason"] if isinstance(r["reason"], str) else None) for r in rows] == [
        (1, "Error"),
        (0, None),
    ]
    assert (rows[0]["exit_code"], rows[0]["signal"], rows[0]["in_window"]) == (139, 11, True)
    assert "SIGSEGV" in rows[0]["meaning"] and rows[1]["meaning"] == "known only by the restart count"


def test_an_evicted_pod_is_among_the_restarts_though_no_container_reported_its_end(tmp_path):
    document = a_pod(
        phase="Failed",
        reason="Evicted",
        message="The node was low on resource: memory.",
        conditions=[{"type": "DisruptionTarget", "status": "True", "lastTransitionTime": day("10:15:00")}],
    )
    [row] = restarts(bundle(tmp_path, {"kubernetes/pods.json": [document]})).to_dict("records")
    assert row["reason"] == "Evicted" and "low on resource" in row["meaning"] and row["in_window"]


def test_an_oom_killed_child_is_told_beside_the_main_process_own_exit_code():
    assert "exit code 5" in (meaning("OOMKilled", 5) or "")
    assert (signal_of(143, None), signal_of(1, None), signal_of(0, 9), signal_of(255, None)) == (15, None, 9, None)


def event(reason, message, at, container=None, count=1, last=None):
    about = {
        "kind": "Pod",
        "name": "gone",
        "namespace": "shop",
        "uid": "uid-gone",
        **({"fieldPath": f"spec.containers{{{container}}}"} if container else {}),
    }
    return {"kind": "Event", "metadata": {"name": f"gone.{reason}.{at}", "namespace": "shop"}, "involvedObject": about, "reason": reason,
            "message": message, "firstTimestamp": day(at), "lastTimestamp": day(last or at), "count": count}  # fmt: skip


def test_instances_of_a_pod_that_is_gone_are_known_from_its_events(tmp_path):
    events = [
        event("Started", "Started container app", "10:00:00", "app", 3, "10:20:00"),
        event("Evicted", "The node had condition: [DiskPressure].", "10:40:00"),
    ]
    rows = restarts(bundle(tmp_path, {"kubernetes/events.json": events})).to_dict("records")
    known = {row["restart_count"]: row for row in rows}
    assert sorted(known) == [0, 1, 2] and not any(row["observed"] for row in rows)
    assert known[2]["reason"] == "Evicted"
    assert str(known[2]["finished_at"]).startswith("2026-11-20 10:40:00")


def test_an_init_container_that_did_its_work_is_no_restart(tmp_path):
    done = status(0, {"terminated": end(0, "Completed", "09:00:00", "09:00:05")}, name="migrate")
    assert len(restarts(bundle(tmp_path, {"kubernetes/pods.json": [a_pod(status(0, RUNNING), init=[done])]}))) == 0


def test_a_start_that_failed_has_no_times_though_containerd_writes_the_epoch():
    never = {"exitCode": 128, "reason": "StartError", "startedAt": "1970-01-01T00:00:00Z", "finishedAt": "1970-01-01T00:00:00Z"}  # fmt: skip
    first, _ = instance_rows(a_pod(status(1, RUNNING, never)))
    assert (first["reason"], first["started_at"], first["finished_at"]) == ("StartError", None, None)


def of_container(reason, message, at):
    return {"kind": "Event", "metadata": {"name": f"{reason}{at}", "namespace": "shop", "uid": f"{reason}{at}"}, "reason": reason,
            "message": message, "firstTimestamp": day(at), "lastTimestamp": day(at), "count": 1,
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "p", "uid": "uid-p", "fieldPath": "spec.containers{app}"}}  # fmt: skip


def test_an_image_that_was_changed_in_place_is_not_the_one_that_ran_before(tmp_path):
    document = a_pod(status(1, RUNNING, end(143, "Error", "10:00:05", "10:29:00")), image="registry/app:2")
    killed = of_container("Killing", "Container app definition changed, will be restarted", "10:28:30")
    first = of_container("Pulled", 'Container image "registry/app:1" already present on machine', "10:00:04")
    second = of_container("Pulled", 'Successfully pulled image "registry/app:2" in 2s', "10:29:40")
    for number, (events, image) in enumerate([([first, killed, second], "registry/app:1"), ([killed], None), ([], "registry/app:2")]):  # fmt: skip
        files = {"kubernetes/pods.json": [document], "kubernetes/events.json": events}
        [row] = restarts(bundle(tmp_path, files, name=str(number))).to_dict("records")
        assert (row["image"] if isinstance(row["image"], str) else None, row["observed"]) == (image, False)
        assert isinstance(row["image_digest"], str) == (image == "registry/app:2")
