"""Which pod a connection is of: right, ambiguous or none; never a wrong single answer."""

from __future__ import annotations

import pytest

from incident_kit.answers.diff import diff
from incident_kit.answers.rabbit import rabbit
from incident_kit.answers.rabbit_node import rabbit_node
from incident_kit.answers.trace import trace
from incident_kit.answers.whois import whois
from incident_kit.errors import NotFoundError, UsageError
from incident_kit.window import parse_rfc3339
from tests.identity.bundles import RUNNING_NODES, bundle, connection, day, node, pod


@pytest.fixture
def ask(tmp_path):
    """Rows of RABBIT for a pod or an address, out of pods, connections and nodes."""

    def answer(pods, connections, asked, *, nodes=(), services=(), at=None):
        files = {
            "kubernetes/pods.json": pods,
            "kubernetes/nodes.json": list(nodes),
            "kubernetes/services.json": list(services),
            "rabbitmq/connections.json": connections,
            "rabbitmq/nodes.json": RUNNING_NODES,
        }
        return rabbit(asked, bundle(tmp_path, files), at=at).to_dict("records")

    return answer


def test_a_client_name_that_is_the_pods_name_wins_even_through_a_proxy_of_nobody(ask):
    [row] = ask([pod("a", ip="10.1.0.5")], [connection("192.168.7.7", 4000, "10:10:00", name="a")], "shop/a")
    assert (row["match"], row["pod"], row["rabbit_node"]) == ("client_name", "a", "rabbit@rabbit-0")


def test_without_a_name_the_address_is_joined_in_time(ask):
    pods = [
        pod("old", ip="10.1.0.5", created="08:00:00", finished="10:05:00"),
        pod("new", ip="10.1.0.5", created="10:06:00"),
    ]
    opened = [connection("10.1.0.5", 4000, "10:10:00")]
    [row] = ask(pods, opened, "new")
    assert (row["match"], row["pod_uid"]) == ("pod_ip", "uid-shop-new")


def test_a_row_that_leaves_out_when_it_was_opened_was_open_before_it_was_read(ask):
    """A node with statistics off lists connections with four keys; the list is read when the window is over."""
    half = {k: v for k, v in connection("10.1.0.5", 4000, "10:10:00").items() if k in {"name", "node", "user", "vhost"}}
    [row] = ask([pod("a", ip="10.1.0.5")], [half], "a")
    assert (row["match"], row["rabbit_node"], row["peer_port"]) == ("pod_ip", "rabbit@rabbit-0", 4000)
    assert row["connected_at"] is None or row["connected_at"] != row["connected_at"]


def test_a_finished_pod_that_still_shows_the_address_is_not_listed(tmp_path):
    pods = [
        pod("old", ip="10.1.0.5", created="08:00:00", finished="10:05:00"),
        pod("new", ip="10.1.0.5", created="10:06:00"),
    ]
    files = {"kubernetes/pods.json": pods, "rabbitmq/connections.json": [connection("10.1.0.5", 4000, "10:10:00")]}
    [row] = rabbit("old", bundle(tmp_path, files)).to_dict("records")
    assert (row["match"], row["connection"] is None or row["connection"] != row["connection"]) == ("none", True)


def test_a_node_address_is_ambiguous_among_its_host_network_pods_and_of_nobody_else(ask):
    pods = [pod("agent", ip="10.0.0.4", host_network=True), pod("other", ip="10.1.0.5")]
    opened = [connection("10.0.0.4", 4000, "10:10:00")]
    [row] = ask(pods, opened, "agent", nodes=[node("node-1", "10.0.0.4")])
    assert (row["match"], list(row["candidates"]), row["pod"] if isinstance(row["pod"], str) else None) == (
        "ambiguous",
        ["shop/agent"],
        None,
    )


def test_a_pod_behind_its_node_is_found_by_its_client_name(ask):
    pods = [pod("agent", ip="10.0.0.4", host_network=True), pod("other", ip="10.1.0.5")]
    [row] = ask(
        pods, [connection("10.0.0.4", 4000, "10:10:00", name="other")], "other", nodes=[node("node-1", "10.0.0.4")]
    )
    assert row["match"] == "client_name"


def test_a_copied_client_name_from_another_pods_address_is_ambiguous(ask):
    pods = [pod("a", ip="10.1.0.5"), pod("b", ip="10.1.0.6")]
    [row] = ask(pods, [connection("10.1.0.6", 4000, "10:10:00", name="a")], "b")
    assert (row["match"], list(row["candidates"])) == ("ambiguous", ["shop/a", "shop/b"])


def test_one_client_name_of_two_pods_that_is_no_pods_name_is_told_apart_by_address(ask):
    pods = [pod("a", ip="10.1.0.5"), pod("b", ip="10.1.0.6")]
    opened = [
        connection("10.1.0.5", 4000, "10:10:00", name="worker"),
        connection("10.1.0.6", 4000, "10:10:00", name="worker"),
    ]
    [row] = ask(pods, opened, "b")
    assert (row["match"], row["peer_host"]) == ("pod_ip", "10.1.0.6")


def test_a_proxy_pods_address_names_the_clients_behind_it_and_never_itself(ask):
    pods = [pod("a", ip="10.1.0.5"), pod("b", ip="10.1.0.6"), pod("relay", ip="10.1.0.9")]
    opened = [
        connection("10.1.0.9", 1, "10:10:00", name="a"),
        connection("10.1.0.9", 2, "10:10:01", name="b"),
        connection("10.1.0.9", 3, "10:10:02"),
    ]
    assert [row["match"] for row in ask(pods, opened, "a")] == ["client_name"]


def test_a_nameless_connection_from_an_address_that_speaks_for_others_is_ambiguous(ask):
    pods = [pod("a", ip="10.1.0.5"), pod("b", ip="10.1.0.6"), pod("relay", ip="10.1.0.9")]
    opened = [
        connection("10.1.0.9", 1, "10:10:00", name="a"),
        connection("10.1.0.9", 2, "10:10:01", name="b"),
        connection("10.1.0.9", 3, "10:10:02"),
    ]
    assert [row["match"] for row in ask(pods, opened, "relay")] == ["ambiguous"]


def test_a_pods_name_within_a_longer_client_name_counts_when_only_one_fits(ask):
    pods = [pod("bank-bitso-7c9f8d6b5-x2k4q", ip="10.1.0.5"), pod("bank-bitso-7c9f8d6b5-zzzzz", ip="10.1.0.6")]
    [row] = ask(
        pods,
        [connection("192.168.0.1", 1, "10:10:00", name="publisher:bank-bitso-7c9f8d6b5-x2k4q#2")],
        "bank-bitso-7c9f8d6b5-x2k4q",
    )
    assert (row["match"], row["pod"]) == ("client_name", "bank-bitso-7c9f8d6b5-x2k4q")


def test_a_client_name_of_a_pod_that_did_not_live_then_is_no_match(ask):
    pods = [pod("a", ip="10.1.0.5", created="10:30:00"), pod("b", ip="10.1.0.6")]
    [row] = ask(pods, [connection("10.1.0.6", 1, "10:10:00", name="a")], "b")
    assert (row["match"], row["pod"]) == ("pod_ip", "b")


def test_a_reverse_dns_name_is_never_a_single_answer(ask):
    pods = [pod("orders-0", ip="10.1.0.5")]
    host = "orders-0.orders.shop.svc.cluster.local"
    [row] = ask(pods, [connection(host, 1, "10:10:00")], "orders-0")
    assert (row["match"], list(row["candidates"])) == ("ambiguous", ["shop/orders-0"])


def test_a_dashed_reverse_dns_name_is_its_address(ask):
    [row] = ask([pod("a", ip="10.1.0.5")], [connection("10-1-0-5.shop.pod.cluster.local", 1, "10:10:00")], "a")
    assert row["match"] == "pod_ip"


def test_both_families_and_every_spelling_of_an_address_are_one(ask):
    one = pod("a", ip="10.1.0.5")
    one["status"]["podIPs"] = [{"ip": "10.1.0.5"}, {"ip": "fd00::7"}]
    opened = [connection("fd00:0:0::7", 1, "10:10:00"), connection("::ffff:10.1.0.5", 2, "10:10:01")]
    assert [row["match"] for row in ask([one], opened, "a")] == ["pod_ip", "pod_ip"]


def test_an_address_of_nobody_is_listed_only_when_asked_by_it(ask):
    [row] = ask([pod("a", ip="10.1.0.5")], [connection("10.1.0.77", 1, "10:10:00")], "10.1.0.77")
    assert (row["match"], row["reason"].startswith("no pod or node")) == ("none", True)


def test_connections_outside_the_window_are_not_listed(ask):
    [row] = ask([pod("a", ip="10.1.0.5")], [connection("10.1.0.5", 1, "11:00:10")], "a")
    assert row["match"] == "none"


def test_at_lists_only_what_was_open_then(ask):
    from incident_kit.window import parse_rfc3339

    opened = [connection("10.1.0.5", 1, "10:10:00"), connection("10.1.0.5", 2, "10:20:00")]
    rows = ask([pod("a", ip="10.1.0.5")], opened, "a", at=parse_rfc3339("2026-11-20T10:15:00Z"))
    assert [row["peer_port"] for row in rows] == [1]


@pytest.mark.parametrize(("time", "side"), [("09:00:00", "before"), ("12:00:00", "after")])
def test_an_instant_that_nobody_looked_at_is_a_gap_of_the_answer(tmp_path, time, side):
    files = {"kubernetes/pods.json": [pod("a", ip="10.1.0.5")], "rabbitmq/nodes.json": RUNNING_NODES,
             "rabbitmq/connections.json": [connection("10.1.0.5", 4000, "10:10:00")]}  # fmt: skip
    evidence, at = bundle(tmp_path, files), parse_rfc3339(f"2026-11-20T{time}Z")
    answers = [
        rabbit("a", evidence, at=at), rabbit_node("rabbit-0", evidence, at=at), whois("10.1.0.5", evidence, at=at),
        diff(evidence, at, parse_rfc3339("2026-11-20T10:30:00Z")),
    ]  # fmt: skip
    for frame in answers:
        [gap] = [row for row in frame.attrs["gaps"].to_dict("records") if row["what"].startswith("--at")]
        assert f"it lies {side} what was looked at" in gap["reason"]
    assert "gaps" not in whois("10.1.0.5", evidence, at=parse_rfc3339("2026-11-20T10:30:00Z")).attrs


def test_an_unknown_pod_is_not_found_with_near_names(ask):
    with pytest.raises(NotFoundError) as error:
        ask([pod("orders-api-7c9f8d6b5-x2k4q", ip="10.1.0.5")], [], "orders-api-7c9f8d6b5-x2k4w")
    assert error.value.near == ("shop/orders-api-7c9f8d6b5-x2k4q",)


@pytest.mark.parametrize("part", ["x2k4q", "ORDERS-7C9F8D6B5-X2K4Q", "7c9f8d6b5", "pod/orders-7c9f8d6b5-x2k4"])
def test_a_part_of_a_name_in_any_case_finds_the_whole_name(tmp_path, part):
    evidence = bundle(tmp_path, {"kubernetes/pods.json": [pod("orders-7c9f8d6b5-x2k4q"), pod("other")]})
    with pytest.raises(NotFoundError, match="Near: shop/orders-7c9f8d6b5-x2k4q"):
        rabbit(part, evidence)


def test_a_name_of_two_namespaces_is_refused_with_the_candidates(ask):
    with pytest.raises(UsageError, match="bank/a, shop/a"):
        ask([pod("a"), pod("a", namespace="bank")], [], "a")


def test_without_any_rabbit_evidence_the_answer_says_that_nobody_could_look(tmp_path):
    [row] = rabbit("a", bundle(tmp_path, {"kubernetes/pods.json": [pod("a")]})).to_dict("records")
    assert row["reason"].startswith("RabbitMQ could not be looked at")


def test_with_only_rabbitmq_collected_a_client_named_like_the_pod_is_told_with_the_gap(tmp_path):
    name = "orders-api-7c9f8d6b5-x2k4q"
    evidence = bundle(tmp_path, {"rabbitmq/connections.json": [connection("10.1.0.7", 5100, "10:10:00", name=name)]})
    frame = rabbit(f"shop/{name}", evidence)
    assert frame[["match", "rabbit_node"]].to_numpy().tolist() == [["ambiguous", "rabbit@rabbit-0"]]
    assert frame["candidates"].iloc[0] == [f"shop/{name}"]
    assert "no source knows a pod of that name" in frame["reason"].iloc[0]
    assert list(frame.attrs["gaps"]["source"]) == ["kubernetes"]
    with pytest.raises(NotFoundError):
        rabbit("orders-api-7c9f8d6b5-zzzzz", evidence)


def test_of_a_gone_pod_whose_address_nobody_recorded_it_is_said_that_nobody_can_tell(tmp_path):
    """ "No connection" would be wrong: it had one, from an address that is nobody's."""
    event = {
        "kind": "Event", "metadata": {"name": "e", "namespace": "shop"}, "reason": "Started", "type": "Normal",
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "gone", "uid": "uid-gone"},
        "firstTimestamp": "2026-11-20T10:05:00Z", "lastTimestamp": "2026-11-20T10:05:00Z", "count": 1,
    }  # fmt: skip
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "kubernetes/events.json": [event],
        "rabbitmq/connections.json": [connection("10.1.0.9", 4000, "10:10:00")],
        "rabbitmq/nodes.json": RUNNING_NODES,
    }
    evidence = bundle(tmp_path, files)
    for reason in (rabbit("gone", evidence)["reason"].iloc[0], trace("gone", evidence)["rabbit"]["reason"].iloc[0]):
        assert "1 from addresses of nobody may be its" in reason
    assert rabbit("a", evidence)["reason"].iloc[0] == "no connection of this pod overlaps the window"


def test_before_its_sandbox_was_made_anew_a_pods_address_may_have_been_anothers(ask):
    document = pod("a", ip="10.1.0.5")
    document["status"]["conditions"] = [
        {"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": day("10:20:05")}
    ]
    status = document["status"]["containerStatuses"][0]
    status["restartCount"] = 1
    status["lastState"] = {"terminated": {"exitCode": 255, "finishedAt": day("10:19:00"), "startedAt": day("09:00:01")}}
    before, after = connection("10.1.0.5", 4000, "10:10:00"), connection("10.1.0.5", 4001, "10:21:00")
    rows = {row["peer_port"]: row for row in ask([document], [before, after], "a")}
    assert (rows[4000]["match"], list(rows[4000]["candidates"])) == ("ambiguous", ["shop/a"])
    assert rows[4001]["match"] == "pod_ip"


def test_a_stateful_sets_name_before_the_known_pod_is_ambiguous(ask):
    """An earlier pod of that name was gone before anybody looked."""
    opened = [connection("10.1.0.4", 4000, "10:10:00", name="db-0")]
    [row] = ask([pod("db-0", ip="10.1.0.5", created="10:30:00")], opened, "db-0")
    assert (row["match"], list(row["candidates"])) == ("ambiguous", ["shop/db-0"])


def test_a_nameless_connection_beside_a_gone_pods_named_one_may_be_its(tmp_path):
    events = [{"kind": "Event", "metadata": {"name": "e", "namespace": "shop", "uid": "e"}, "reason": "Started", "message": "Started container app",
               "firstTimestamp": day("09:00:00"), "lastTimestamp": day("09:00:00"),
               "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "gone-0", "uid": "u"}}]  # fmt: skip
    later = pod("next", ip="10.1.0.9", created="10:50:00")
    opened = [connection("10.1.0.9", 4000, "10:10:00", name="gone-0"), connection("10.1.0.9", 4001, "10:11:00")]
    files = {"kubernetes/pods.json": [later], "kubernetes/events.json": events, "rabbitmq/connections.json": opened, "rabbitmq/nodes.json": RUNNING_NODES}  # fmt: skip
    rows = {row["peer_port"]: row for row in rabbit("gone-0", bundle(tmp_path, files)).to_dict("records")}
    assert rows[4000]["match"] == "client_name"
    assert (rows[4001]["match"], list(rows[4001]["candidates"])) == ("ambiguous", ["shop/gone-0"])


def test_a_client_may_know_its_pod_by_the_host_name_which_is_cut(ask):
    name = "a-pod-that-nobody-generated-and-whose-name-is-longer-than-a-host-name-0"
    [row] = ask([pod(name, ip="10.1.0.5")], [connection("192.168.7.7", 4000, "10:10:00", name=name[:63])], name)
    assert row["match"] == "client_name"


def test_a_host_name_that_two_pods_have_after_the_cut_names_none(ask):
    name = "a-pod-that-nobody-generated-and-whose-name-is-longer-than-a-host-name-"
    pods = [pod(f"{name}0", ip="10.1.0.5"), pod(f"{name}1", ip="10.1.0.6")]
    [row] = ask(pods, [connection("192.168.7.7", 4000, "10:10:00", name=name[:63])], f"{name}0")
    assert row["match"] == "none"


ZONELESS = """\
2026-11-20 10:30:00.000 [info] <0.8.0> accepting AMQP connection <0.8.0> (10.1.0.5:4000 -> 10.0.9.9:5672)
2026-11-20 10:31:00.000 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4001 -> 10.0.9.9:5672)
2026-11-20 10:31:00.001 [info] <0.9.0> connection <0.9.0> (10.1.0.5:4001 -> 10.0.9.9:5672) has a client-provided name: now
"""


def test_an_address_at_a_time_whose_zone_nobody_knows_is_ambiguous(tmp_path):
    pods = [
        pod("then", ip="10.1.0.5", created="08:00:00", finished="09:00:00"),
        pod("now", ip="10.1.0.5", created="10:00:00"),
    ]
    evidence = bundle(tmp_path, {"kubernetes/pods.json": pods, "rabbitmq/rabbit@rabbit-0.log": ZONELESS})
    rows = {row["peer_port"]: row for row in rabbit("10.1.0.5", evidence).to_dict("records")}
    assert (rows[4000]["match"], list(rows[4000]["candidates"])) == ("ambiguous", ["shop/now", "shop/then"])
    assert (rows[4001]["match"], rows[4001]["pod"]) == ("client_name", "now")
    alone = bundle(tmp_path, {"kubernetes/pods.json": pods[1:], "rabbitmq/rabbit@rabbit-0.log": ZONELESS}, name="y")
    assert rabbit("10.1.0.5", alone).iloc[0]["match"] == "ambiguous"  # who had it in another zone's hour may be gone


def test_a_name_of_another_namespace_is_not_this_pods_unless_it_was_generated(ask):
    opened = [connection("192.168.7.7", 4000, "10:10:00", name="bank/db-0"), connection("192.168.7.7", 4001, "10:10:00", name="shop/db-0")]  # fmt: skip
    [row] = ask([pod("db-0", ip="10.1.0.5")], opened, "db-0")
    assert (row["match"], row["peer_port"]) == ("client_name", 4001)


def test_a_name_with_its_namespace_tells_pods_of_one_name_apart(ask):
    pods = [pod("db-0", ip="10.1.0.5"), pod("db-0", ip="10.1.0.6", namespace="bank")]
    [row] = ask(pods, [connection("192.168.7.7", 4000, "10:10:00", name="bank/db-0")], "bank/db-0")
    assert (row["match"], row["namespace"]) == ("client_name", "bank")


def test_a_generated_name_behind_its_services_name_is_the_pods(ask):
    name = "orders-api-7c9f8d6b5-x2k4q"
    [row] = ask([pod(name, ip="10.1.0.5")], [connection("192.168.7.7", 4000, "10:10:00", name=f"orders/{name}")], name)
    assert row["match"] == "client_name"


def test_a_pod_whose_address_changed_between_two_bundles_had_each_in_its_time(tmp_path):
    """Its node was restarted: the same pod in a new sandbox; its old address went to another pod."""
    after = pod("a", ip="10.1.0.7")
    after["status"]["conditions"] = [
        {"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": day("11:10:05")}
    ]
    status = after["status"]["containerStatuses"][0]
    status["restartCount"] = 1
    status["lastState"] = {"terminated": {"exitCode": 255, "finishedAt": day("11:10:00"), "startedAt": day("09:00:01")}}
    nodes = {"rabbitmq/nodes.json": RUNNING_NODES}
    one = bundle(tmp_path, nodes | {"kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
                                    "rabbitmq/connections.json": [connection("10.1.0.5", 4000, "10:10:00")]})  # fmt: skip
    two = bundle(tmp_path, nodes | {"kubernetes/pods.json": [after, pod("b", ip="10.1.0.5", created="11:20:00")],
                                    "rabbitmq/connections.json": [connection("10.1.0.7", 4001, "11:15:00"), connection("10.1.0.5", 4002, "11:21:00")]},
                 name="y", start="2026-11-20T11:00:00Z", end="2026-11-20T12:00:00Z", captured_at="2026-11-20T12:00:30Z")  # fmt: skip
    for bundles in ((one, two), (two, one)):
        rows = {row["peer_port"]: row["match"] for row in trace("a", *bundles)["rabbit"].to_dict("records")}
        assert rows == {4000: "pod_ip", 4001: "pod_ip"}


def test_a_word_that_a_workload_has_too_is_the_pods_only_where_an_address_speaks_for_it(ask):
    pods = [
        pod("worker", ip="10.1.0.4"),
        pod("worker-7c9f8d6b5-x2k4q", ip="10.1.0.5", owner=("ReplicaSet", "worker-7c9f8d6b5")),
    ]
    opened = [
        connection("192.168.7.7", 4000, "10:10:00", name="worker"),
        connection("10.1.0.4", 4001, "10:10:00", name="worker"),
    ]
    matches = {row["peer_port"]: row["match"] for row in ask(pods, opened, "worker")}
    assert matches == {4000: "ambiguous", 4001: "client_name"}


def test_a_common_word_within_a_longer_name_needs_an_address_that_speaks_for_it(ask):
    opened = [
        connection("192.168.7.7", 4000, "10:10:00", name="replica of db-0"),
        connection("10.1.0.5", 4001, "10:10:00", name="db-0 consumer"),
    ]
    matches = {row["peer_port"]: row["match"] for row in ask([pod("db-0", ip="10.1.0.5")], opened, "db-0")}
    assert matches == {4000: "ambiguous", 4001: "client_name"}


def test_the_address_of_a_gone_pod_is_known_only_while_it_was_seen(tmp_path):
    """A failed probe told its address; when it began and ended nobody told."""

    def probed(time):
        return {"kind": "Event", "metadata": {"name": time, "namespace": "shop", "uid": time}, "reason": "Unhealthy",
                "message": "Readiness probe failed: dial tcp 10.1.0.66:8080: connect: connection refused",
                "firstTimestamp": day(time), "lastTimestamp": day(time),
                "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "gone-0", "uid": "u"}}  # fmt: skip

    opened = [
        connection("10.1.0.66", 4000 + number, time) for number, time in enumerate(("10:05:00", "10:15:00", "10:50:00"))
    ]
    files = {"kubernetes/events.json": [probed("10:10:00"), probed("10:20:00")], "rabbitmq/connections.json": opened, "rabbitmq/nodes.json": RUNNING_NODES}  # fmt: skip
    evidence = bundle(tmp_path, files)
    matches = {row["peer_port"]: row["match"] for row in rabbit("gone-0", evidence).to_dict("records")}
    assert matches == {4000: "ambiguous", 4001: "pod_ip", 4002: "ambiguous"}
    [row] = whois("10.1.0.66", evidence, at=parse_rfc3339(day("10:50:00"))).to_dict("records")
    assert row["pod"] == "gone-0" and "nobody recorded when it ended" in row["reason"]
    [row] = whois("10.1.0.66", evidence).to_dict("records")
    assert row["to"] is None or row["to"] != row["to"]


def test_a_log_file_that_is_called_like_no_node_of_the_cluster_is_of_none(tmp_path):
    accept = "2026-11-20 10:10:00.000000+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.9.9:5672)\n"
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "rabbitmq/nodes.json": RUNNING_NODES,
        "rabbitmq/copied.log": accept,
    }
    evidence = bundle(tmp_path, files)
    [row] = rabbit("a", evidence).to_dict("records")
    assert row["match"] == "pod_ip" and (row["rabbit_node"] is None or row["rabbit_node"] != row["rabbit_node"])
    assert evidence.gaps["reason"].str.contains("does not name its node").any()


def test_the_address_of_a_pod_that_a_later_bundle_lacks_is_the_next_pods(tmp_path):
    """Collected by hand, a list may be a part; but two pods never have one address at once."""
    nodes = {"rabbitmq/nodes.json": RUNNING_NODES}
    one = bundle(tmp_path, nodes | {"kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
                                    "rabbitmq/connections.json": [connection("10.1.0.5", 4000, "10:10:00")]})  # fmt: skip
    opened = [connection("10.1.0.5", 4001, "11:15:00"), connection("10.1.0.5", 4002, "11:40:00")]
    two = bundle(tmp_path, nodes | {"kubernetes/pods.json": [pod("b", ip="10.1.0.5", created="11:30:00")], "rabbitmq/connections.json": opened},
                 name="y", start="2026-11-20T11:00:00Z", end="2026-11-20T12:00:00Z", captured_at="2026-11-20T12:00:30Z")  # fmt: skip
    asked = {name: trace(name, one, two)["rabbit"].to_dict("records") for name in "ab"}
    found = {name: {row["peer_port"]: row["match"] for row in rows} for name, rows in asked.items()}
    assert found == {"a": {4000: "pod_ip", 4001: "ambiguous"}, "b": {4002: "pod_ip"}}
