"""A RabbitMQ node over time: who was on it, when it was down, where its pods went; and the rules about it."""

from __future__ import annotations

import json

import pytest

from incident_kit.answers.diff import diff
from incident_kit.answers.rabbit import rabbit
from incident_kit.answers.rabbit_node import rabbit_node
from incident_kit.correlate.rabbitmq.owners import hides_pods
from incident_kit.errors import NotFoundError, UsageError
from incident_kit.rules import rule_named
from incident_kit.window import parse_rfc3339
from tests.identity.bundles import RUNNING_NODES, bundle, connection, node, pod

PEER_LOG = """\
2026-11-20 10:20:01.000000+00:00 [info] <0.611.0> rabbit on node rabbit@rabbit-0 down
2026-11-20 10:20:01.010000+00:00 [info] <0.611.0> node rabbit@rabbit-0 down: connection_closed
2026-11-20 10:20:03.000000+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4001 -> 10.0.9.8:5672)
2026-11-20 10:20:03.100000+00:00 [info] <0.9.0> connection <0.9.0> (10.1.0.5:4001 -> 10.0.9.8:5672): user 'app' authenticated and granted access to vhost 'shop'
2026-11-20 10:21:00.000000+00:00 [info] <0.611.0> rabbit on node rabbit@rabbit-0 up
"""
OWN_LOG = """\
2026-11-20 10:10:00.000000+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.9.9:5672)
2026-11-20 10:20:59.000000+00:00 [info] <0.222.0>  Starting RabbitMQ 3.10.8 on Erlang 25.2.3 [jit]
"""
DOWN = {"kubernetes/pods.json": [pod("a", ip="10.1.0.5")], "rabbitmq/nodes.json": RUNNING_NODES,
        "rabbitmq/rabbit@rabbit-0.log": OWN_LOG, "rabbitmq/rabbit@rabbit-1.log": PEER_LOG}  # fmt: skip


def at(time):
    return parse_rfc3339(f"2026-11-20T{time}Z")


def findings(rule, evidence):
    return list(rule_named(rule).run(evidence))


def test_a_node_down_names_the_pods_hit_and_where_they_went(tmp_path):
    [row] = rabbit_node("rabbit-0", bundle(tmp_path, DOWN), at=at("10:20:30")).to_dict("records")
    assert (row["pod"], row["moved_to"], row["moved_at"].value) == ("a", "rabbit@rabbit-1", at("10:20:03"))
    assert row["closed_at"].value == at("10:20:01") and not row["observed"]


def test_the_finding_tells_the_same(tmp_path):
    [finding] = findings("rabbit-node-down", bundle(tmp_path, DOWN))
    assert (finding.name, finding.severity, finding.time) == ("rabbit@rabbit-0", "critical", at("10:20:01"))
    assert "shop/a went to rabbit@rabbit-1 at 2026-11-20T10:20:03Z" in finding.evidence


DROPPING = (
    "2026-11-20 10:15:00.000000+00:00 [notice] <unknown pid> Handler rmq_1_file_1 switched from  sync to drop mode\n"
)


@pytest.mark.parametrize(
    ("own_log", "bounded"),
    [
        (OWN_LOG.replace("\n", f"\n{DROPPING}", 1), True),
        (DROPPING.replace("10:15", "10:05") + OWN_LOG, True),
        (
            DROPPING.replace("10:15", "10:05")
            + "2026-11-20 10:08:00.000000+00:00 [info] <0.222.0>  Starting RabbitMQ 3.10.8 on Erlang 25.2.3 [jit]\n"
            + OWN_LOG,
            False,
        ),
        (OWN_LOG, False),
    ],
)
def test_how_many_were_hit_is_a_bound_where_the_ended_run_dropped_records_of_its_log(tmp_path, own_log, bounded):
    told = findings("rabbit-node-down", bundle(tmp_path, DOWN | {"rabbitmq/rabbit@rabbit-0.log": own_log}))
    finding = next(f for f in told if f.time == at("10:20:01"))
    assert ("at most 1 connection of 1 pod" in finding.title) is bounded
    assert ("connected when it went down: shop/a" in finding.evidence) is not bounded


def test_peers_word_alone_ends_no_connection(tmp_path):
    """A frozen node keeps its connections; its peers say down all the same."""
    frozen = DOWN | {"rabbitmq/rabbit@rabbit-0.log": OWN_LOG.splitlines()[0] + "\n"}
    evidence = bundle(tmp_path, frozen)
    [row] = rabbit_node("rabbit-0", evidence).to_dict("records")
    assert row["closed_at"] is None or row["closed_at"] != row["closed_at"]
    [finding] = findings("rabbit-node-down", evidence)
    assert finding.confidence < 1 and "frozen or cut off" in finding.title


STOPPED = "2026-11-20 10:20:00.000000+00:00 [info] <0.9.1> RabbitMQ is asked to stop...\n"


def test_a_node_that_says_itself_that_it_stops_ends_what_was_open_also_where_only_logs_were_collected(tmp_path):
    logs = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "rabbitmq/rabbit@rabbit-0.log": OWN_LOG.splitlines()[0] + "\n" + STOPPED,
        "rabbitmq/rabbit@rabbit-1.log": "".join(PEER_LOG.splitlines(keepends=True)[:4]),
    }
    evidence = bundle(tmp_path, logs)
    [row] = rabbit_node("rabbit-0", evidence).to_dict("records")
    assert (row["closed_at"].value, row["moved_to"], row["observed"]) == (at("10:20:00"), "rabbit@rabbit-1", False)
    running = bundle(tmp_path, logs | {"rabbitmq/nodes.json": RUNNING_NODES}, name="running")
    [row] = rabbit_node("rabbit-0", running).to_dict("records")
    assert row["closed_at"] is None or row["closed_at"] != row["closed_at"]


def test_a_node_may_be_named_by_a_part_that_fits_only_one(tmp_path):
    evidence = bundle(tmp_path, DOWN)
    assert len(rabbit_node("rabbit@rabbit-1", evidence)) == len(rabbit_node("rabbit-1", evidence)) == 1
    with pytest.raises(UsageError, match=r"rabbit@rabbit-0, rabbit@rabbit-1"):
        rabbit_node("rabbit", evidence)
    with pytest.raises(NotFoundError):
        rabbit_node("other-7", evidence)


def test_without_rabbit_evidence_the_rules_say_that_they_could_not_judge(tmp_path):
    evidence = bundle(tmp_path, {"kubernetes/pods.json": [pod("a")]})
    for rule in ("rabbit-node-down", "rabbit-alarm", "consumer-lost"):
        [outcome] = findings(rule, evidence)
        assert "could not be looked at" in outcome.because


ALARM = """\
2026-11-20 10:30:00.000000+00:00 [warning] <0.467.0> memory resource limit alarm set on node rabbit@rabbit-0.
2026-11-20 10:35:00.000000+00:00 [warning] <0.467.0> memory resource limit alarm cleared on node rabbit@rabbit-0
"""


def test_where_only_a_log_was_collected_it_tells_of_alarms_and_stops(tmp_path):
    evidence = bundle(tmp_path, {"rabbitmq/rabbit@rabbit-0.log": ALARM + STOPPED, "kubernetes/pods.json": [pod("a")]})
    assert [found.name for found in findings("rabbit-alarm", evidence)] == ["rabbit@rabbit-0"]
    assert [found.name for found in findings("rabbit-node-down", evidence)] == ["rabbit@rabbit-0"]


def test_an_alarm_is_one_finding_though_every_node_logs_it(tmp_path):
    files = {
        "rabbitmq/rabbit@rabbit-0.log": ALARM,
        "rabbitmq/rabbit@rabbit-1.log": ALARM,
        "rabbitmq/nodes.json": RUNNING_NODES,
    }
    [finding] = findings("rabbit-alarm", bundle(tmp_path, files))
    assert (finding.name, finding.time) == (
        "rabbit@rabbit-0",
        at("10:30:00"),
    ) and "until 2026-11-20T10:35:00Z" in finding.title


def test_node_names_that_erlang_quotes_are_the_nodes_of_the_api(tmp_path):
    """An atom with a dash, as every StatefulSet's broker has, is printed in quotes."""
    files = {
        "rabbitmq/rabbit@rabbit-0.log": (ALARM + PEER_LOG)
        .replace("node rabbit@rabbit-0.", "node 'rabbit@rabbit-0'.")
        .replace("node rabbit@rabbit-0", "node 'rabbit@rabbit-0'"),
        "rabbitmq/nodes.json": RUNNING_NODES,
    }
    evidence = bundle(tmp_path, files)
    found = {rule: findings(rule, evidence)[0].name for rule in ("rabbit-alarm", "rabbit-node-down")}
    assert set(found.values()) == {"rabbit@rabbit-0"}


def test_an_alarm_at_capture_names_the_blocked_pods(tmp_path):
    nodes = [RUNNING_NODES[0] | {"mem_alarm": True}, RUNNING_NODES[1]]
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "rabbitmq/nodes.json": nodes,
        "rabbitmq/connections.json": [connection("10.1.0.5", 1, "10:10:00", state="blocked")],
    }
    [finding] = findings("rabbit-alarm", bundle(tmp_path, files))
    assert "blocked or blocking at capture: shop/a" in finding.evidence


CONSUMER = """\
2026-11-20 10:40:00.000000+00:00 [error] <0.1548.0> Channel error on connection <0.1539.0> (10.1.0.5:1 -> 10.0.9.9:5672, vhost: 'shop', user: 'app'), channel 1:
2026-11-20 10:40:00.000000+00:00 [error] <0.1548.0> operation none caused a channel exception precondition_failed: delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms.
"""


def test_a_consumer_lost_by_the_acknowledgement_timeout_is_found_with_the_brokers_words(tmp_path):
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "rabbitmq/nodes.json": RUNNING_NODES,
        "rabbitmq/rabbit@rabbit-0.log": CONSUMER,
        "rabbitmq/connections.json": [connection("10.1.0.5", 1, "10:10:00", channels=0)],
    }
    [finding] = findings("consumer-lost", bundle(tmp_path, files))
    assert (finding.kind, finding.name, finding.severity) == ("Pod", "a", "warning")
    assert any("delivery acknowledgement on channel 1 timed out" in fact for fact in finding.evidence)


def test_a_connection_without_channel_and_without_more_evidence_is_only_information(tmp_path):
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "rabbitmq/connections.json": [connection("10.1.0.5", 1, "10:10:00", channels=0)],
    }
    [finding] = findings("consumer-lost", bundle(tmp_path, files))
    assert (finding.severity, finding.confidence < 0.5) == ("info", True)


def test_a_connection_with_channels_is_no_finding(tmp_path):
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "rabbitmq/connections.json": [connection("10.1.0.5", 1, "10:10:00")],
    }
    assert findings("consumer-lost", bundle(tmp_path, files)) == []


def test_a_connection_opened_moments_before_the_list_was_read_has_not_lost_its_consumer(tmp_path):
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "rabbitmq/connections.json": [connection("10.1.0.5", 1, "10:59:57", channels=0)],
    }
    assert findings("consumer-lost", bundle(tmp_path, files, captured_at="2026-11-20T11:00:00Z")) == []


def test_a_count_of_channels_that_the_list_of_channels_contradicts_is_stale(tmp_path):
    """Seen on the real cluster: while a node was away, lists of connections were older than lists of channels."""
    stale = connection("10.1.0.5", 1, "10:10:00", channels=0)
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "rabbitmq/connections.json": [stale],
        "rabbitmq/channels.json": [
            {
                "name": f"{stale['name']} (1)",
                "number": 1,
                "node": stale["node"],
                "connection_details": {"name": stale["name"]},
                "consumer_count": 1,
            }
        ],
    }
    assert findings("consumer-lost", bundle(tmp_path, files)) == []


def test_probes_that_never_log_in_are_no_clients_behind_a_nodes_address(tmp_path):
    probes = "".join(
        f"2026-11-20 10:{minute}:00.000000+00:00 [info] <0.{minute}.0> accepting AMQP connection <0.{minute}.0> "
        f"(10.0.0.4:{minute} -> 10.0.9.9:5672)\n"
        for minute in range(10, 40)
    )
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5"), pod("b", ip="10.1.0.6")],
        "kubernetes/nodes.json": [node("node-1", "10.0.0.4")],
        "rabbitmq/rabbit@rabbit-0.log": probes,
        "rabbitmq/connections.json": [connection("10.1.0.5", 1, "10:10:00")],
    }
    assert hides_pods(bundle(tmp_path, files)) is None
    clients = [connection("10.0.0.4", port, "10:10:00") for port in (7, 8, 9)]
    hidden = bundle(tmp_path, files | {"rabbitmq/connections.json": clients}, name="y")
    assert hides_pods(hidden) is not None
    assert len(rabbit("10.99.99.99", hidden).attrs["gaps"]) == 1


def metricbeat(minute, peer, port, node="rabbit@rabbit-0"):
    connection = {"name": f"{peer}:{port} -> 10.0.9.9:5672", "node": node, "peer": {"host": peer, "port": port}}
    source = {
        "@timestamp": f"2026-11-20T10:{minute:02d}:00.000Z",
        "event": {"dataset": "rabbitmq.connection"},
        "metricset": {"name": "connection", "period": 60_000},
        "rabbitmq": {"connection": connection, "vhost": "shop"},
    }
    return {"_index": "metricbeat", "_id": f"{peer}:{port}:{minute}", "_source": source}


def test_a_connection_that_metricbeat_stopped_telling_of_while_it_went_on_has_ended(tmp_path):
    hits = [metricbeat(m, "10.1.0.5", 1) for m in range(20)]
    hits += [metricbeat(m, "10.1.0.5", 2, "rabbit@rabbit-1") for m in range(22, 50)]
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")],
        "elasticsearch/hits.ndjson": "\n".join(map(json.dumps, hits)),
    }
    evidence = bundle(tmp_path, files)
    first, second = rabbit("a", evidence).to_dict("records")
    assert first["closed_at"].value == at("10:22:00") and first["observed"] is False
    assert second["closed_at"] is None or second["closed_at"] != second["closed_at"]  # its last collection is the last
    assert [row["rabbit_node"] for row in rabbit("a", evidence, at=at("10:40:00")).to_dict("records")] == [
        "rabbit@rabbit-1"
    ]


def test_what_another_source_still_sees_did_not_end_when_metricbeat_fell_silent(tmp_path):
    hits = [metricbeat(m, "10.1.0.5", 1) for m in range(20)] + [metricbeat(m, "10.1.0.6", 2) for m in range(50)]
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5"), pod("b", ip="10.1.0.6")],
        "elasticsearch/hits.ndjson": "\n".join(map(json.dumps, hits)),
        "rabbitmq/connections.json": [connection("10.1.0.5", 1, "10:00:00")],
    }
    [row] = rabbit("a", bundle(tmp_path, files)).to_dict("records")
    assert row["closed_at"] is None or row["closed_at"] != row["closed_at"]
    assert row["source"] == "management_api+metricbeat"


def test_before_and_after_name_the_nodes_that_pods_moved_between(tmp_path):
    [row] = [
        r for r in diff(bundle(tmp_path, DOWN), at("10:15:00"), at("10:30:00")).to_dict("records") if r["name"] == "a"
    ]
    assert (row["what"], row["before"], row["after"]) == ("rabbit_node", "rabbit@rabbit-0", "rabbit@rabbit-1")
    assert row["time"].value in (at("10:20:01"), at("10:20:03"))


LONE = """\
2026-11-20 10:05:00.000000+00:00 [info] <0.8.0> accepting AMQP connection <0.8.0> (10.1.0.9:1 -> 10.0.9.9:5672)
2026-11-20 10:30:00.000000+00:00 [info] <0.9.0> closing AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.9.9:5672 - a, vhost: 'shop', user: 'app')
"""


def test_a_connection_of_which_the_log_has_only_the_end_was_open_before(tmp_path):
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5", created="10:00:00")],
        "rabbitmq/rabbit@rabbit-0.log": LONE,
    }
    evidence = bundle(tmp_path, files)
    states = [rabbit("a", evidence, at=at(time)).iloc[0]["match"] for time in ("10:20:00", "10:30:01", "09:00:00")]
    assert states == ["client_name", "none", "none"]  # before its pod was there nothing of it was open


def listed_by_hand(folder, counted):
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5")], "rabbitmq/nodes.json": RUNNING_NODES,
        "rabbitmq/overview.json": {"object_totals": {"connections": counted}},
        "rabbitmq/connections.json": [connection("10.1.0.5", 4001, "10:40:00")],
        "rabbitmq/rabbit@rabbit-0.log": LONE.splitlines()[0].replace("10.1.0.9:1 ", "10.1.0.5:4000 ") + "\n"
        + LONE.splitlines()[0].replace("10.1.0.9:1 ", "10.1.0.5:4002 ").replace("10:05:00", "10:50:00") + "\n",
    }  # fmt: skip
    return {row["peer_port"]: row for row in rabbit("a", bundle(folder, files)).to_dict("records")}


def test_what_a_whole_list_made_by_hand_lacks_was_closed_unless_it_is_younger_than_the_list(tmp_path):
    rows = listed_by_hand(tmp_path, 1)
    assert [rows[port]["state"] == "closed" for port in (4000, 4001, 4002)] == [True, False, False]


def test_a_list_made_by_hand_that_may_be_a_part_ends_nothing(tmp_path):
    rows = listed_by_hand(tmp_path, 9)
    assert not any(rows[port]["state"] == "closed" for port in (4000, 4001, 4002))


def test_documents_of_a_broker_belong_to_the_node_that_its_console_names(tmp_path):
    """Shipped line by line, without the banner; the pod is not called like the node."""
    accept = LONE.splitlines()[0].replace("10.1.0.9:1 ", "10.1.0.5:4000 ")
    banner = "2026-11-20 10:00:00.000000+00:00 [info] <0.222.0>  node           : rabbit@mq-east"
    source = {"@timestamp": "2026-11-20T10:05:00Z", "message": accept, "kubernetes": {"pod": {"name": "broker-0"}, "namespace": "mq"}}  # fmt: skip
    files = {
        "kubernetes/pods.json": [pod("a", ip="10.1.0.5"), pod("broker-0", namespace="mq", ip="10.1.0.50")],
        "console/mq/broker-0/rabbitmq.log": f"2026-11-20T10:00:00.000000001Z {banner}\n2026-11-20T10:05:00.000000001Z {accept}\n",
        "elasticsearch/hits.ndjson": json.dumps({"_index": "logs", "_id": "1", "_source": source}),
    }
    [row] = rabbit("a", bundle(tmp_path, files)).to_dict("records")
    assert (row["rabbit_node"], row["source"]) == ("rabbit@mq-east", "broker_log")
