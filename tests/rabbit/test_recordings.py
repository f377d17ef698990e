"""The normaliser on what a real cluster answered and logged."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from incident_kit.normalise.context import Context
from incident_kit.normalise.rabbitmq import normalise_rabbitmq
from incident_kit.normalise.raw import RawFolder
from incident_kit.profile import Profile
from incident_kit.window import Window, parse_rfc3339

RECORDINGS = Path(__file__).parent.parent / "recordings" / "rabbitmq"


def body(name):
    return json.loads((RECORDINGS / f"{name}.json").read_text())["body"]


@pytest.fixture
def normalise(tmp_path):
    """Tables and gaps of a raw folder with these files below ``rabbitmq/``."""

    def read(files):
        for name, content in files.items():
            path = tmp_path / name if "/" in name else tmp_path / "rabbitmq" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        context = Context(
            cluster="lab",
            window=Window.parse("2026-11-23T14:00:00Z", "2026-11-23T16:00:00Z"),
            captured_at=parse_rfc3339("2026-11-23T15:30:00Z"),
            profile=Profile(),
        )
        return normalise_rabbitmq(RawFolder(tmp_path), context), [
            f"{gap['what']}: {gap['reason']}" for gap in context.gaps
        ]

    return read


def log_of(recording, node):
    """The part of a log recording that is of one node."""
    parts = re.split(r"^#+ ?(\S+)$", (RECORDINGS / recording).read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[node]


def test_every_connection_of_the_api_has_its_node_peer_name_and_opening(normalise):
    tables, gaps = normalise(
        {"connections.json": body("connections"), "nodes.json": [{"name": "rabbit1@localhost", "running": True}]}
    )
    named = {row["user_provided_name"]: row for row in tables["connections"]}
    row = named["orders-worker/pod-a"]
    assert (row["rabbit_node"], row["peer_host"], row["peer_port"], row["connected_at"]) == (
        "rabbit1@localhost",
        "127.1.0.5",
        40631,
        1795445732189_000000,
    )
    assert len(tables["connections"]) == 7 and gaps == []


def test_pages_and_arrays_give_the_same_rows(normalise):
    pages, _ = normalise({"connections.json": body("connections_paged")})
    array, _ = normalise({"connections.json": body("connections")})
    assert {r["connection"] for r in pages["connections"]} == {r["connection"] for r in array["connections"]}


def test_a_node_without_statistics_still_tells_peers_and_is_a_gap(normalise):
    tables, gaps = normalise({"connections.json": body("connections_columns_disable_stats")})
    assert {row["peer_host"] for row in tables["connections"]} >= {"127.1.0.5", "127.1.0.9"}
    assert any("lack connected_at" in gap for gap in gaps)


def test_a_stopped_node_and_a_partition_are_gaps(normalise):
    tables, gaps = normalise(
        {"connections.json": body("stopped_r3_connections"), "nodes.json": body("stopped_r3_later_nodes")}
    )
    assert [row["running"] for row in tables["rabbit_nodes"] if row["rabbit_node"] == "rabbit3@localhost"] == [False]
    assert any("rabbit3@localhost was not running" in gap for gap in gaps)
    assert any("partitioned from rabbit3@localhost" in gap for gap in gaps)


def test_a_list_staler_than_the_channels_is_a_gap_and_the_channels_connections_are_kept(normalise):
    stale = [row for row in body("connections") if row["peer_host"] != "127.1.0.5"]
    tables, gaps = normalise({"connections.json": stale, "channels.json": body("channels")})
    assert any("that the list lacks" in gap for gap in gaps)
    assert "127.1.0.5:40631 -> 127.0.0.1:5672" in {row["connection"] for row in tables["connections"]}


def test_queues_that_a_user_may_not_see_are_a_gap(normalise):
    _, gaps = normalise({"queues.json": [], "consumers.json": body("consumers")})
    assert any(gap.startswith("queues: ") and "shop" in gap for gap in gaps)


def test_a_user_that_sees_only_its_own_connections_is_a_gap(normalise):
    _, gaps = normalise(
        {"connections.json": body("connections_as_management"), "whoami.json": {"name": "mgmt", "tags": ["management"]}}
    )
    assert any("sees only its own connections" in gap for gap in gaps)


def test_a_refused_request_is_a_gap_in_the_servers_words(normalise):
    tables, gaps = normalise({"nodes.json": body("nodes_as_management_401")})
    assert tables["rabbit_nodes"] == [] and any("Not monitor user" in gap for gap in gaps)


def test_a_node_with_statistics_off_is_a_gap(normalise):
    _, gaps = normalise({"connections.json": [], "overview.json": body("overview_disable_stats_node")})
    assert any("statistics are off" in gap for gap in gaps)
    assert any("the overview counts 3 connections" in gap for gap in gaps)


def test_half_formed_rows_are_read_as_far_as_they_go(normalise):
    tables, _ = normalise({
        "connections.json": [{"name": "10.1.0.5:1 -> 10.0.0.1:5672"}],
        "channels.json": [{"name": "10.1.0.5:1 -> 10.0.0.1:5672 (3)", "connection_details": []}],
        "consumers.json": [{"channel_details": [], "queue": {"name": "q", "vhost": "/"}, "consumer_tag": "t"}],
    })  # fmt: skip
    assert (tables["channels"][0]["connection"], tables["channels"][0]["number"]) == ("10.1.0.5:1 -> 10.0.0.1:5672", 3)
    assert tables["consumers"][0]["connection"] is None and tables["connections"][0]["peer_port"] == 1


def test_a_quorum_queue_tells_leader_members_and_online_and_a_classic_one_its_node(normalise):
    queues = {row["queue"]: row for row in normalise({"queues.json": body("queues_columns")})[0]["queues"]}
    assert queues["orders.q"]["leader"] == "rabbit1@localhost" and len(queues["orders.q"]["online"]) == 3
    assert queues["ledger.classic"]["leader"] == "rabbit3@localhost"


LOGGED = {
    "normal": (True, "shop", "app", None),
    "fin-only": (True, "shop", "app", "client unexpectedly closed TCP connection"),
    "badpw": (True, None, None, "PLAIN login refused: user 'app' - invalid credentials"),
    "frozen": (True, "shop", "app", "missed heartbeats from client, timeout: 2s"),
    "killed": (True, "shop", "app", 'operation none caused a connection exception connection_forced: "killed by test"'),
}


@pytest.mark.parametrize("name", LOGGED)
def test_the_text_log_tells_opening_end_vhost_user_and_reason(normalise, name):
    tables, _ = normalise({"rabbit1@localhost.log": log_of("log_connection_lines.log", "rabbit1@localhost.log")})
    row = next(row for row in tables["connections"] if row.get("user_provided_name") == name)
    told = (row.get("closed_at") is not None, row.get("vhost"), row.get("user"), row.get("close_reason"))
    assert told == LOGGED[name]
    assert row["connected_at"] <= row["closed_at"] and row["rabbit_node"] == "rabbit1@localhost"


def test_the_json_log_tells_the_same_also_of_ipv6(normalise):
    tables, _ = normalise({"rabbit3@localhost.log": (RECORDINGS / "log_json_formatter.log").read_text()})
    rows = {row.get("user_provided_name"): row for row in tables["connections"]}
    assert rows["ipv6"]["peer_host"] == "::1" and rows["ipv6"]["closed_at"] - rows["ipv6"]["connected_at"] == 6148187000
    assert rows["node3-v4"]["connected_at"] is None  # opened before the log's first line


def test_lines_of_4_x_without_process_id_and_with_duration_are_read(normalise):
    # No 4.x server runs here: written after rabbit_reader's format strings of 4.0.
    text = """\
2026-11-23 15:00:01.000000+00:00 [info] <0.9.0> accepting AMQP connection 10.1.0.5:4000 -> 10.0.0.1:5672
2026-11-23 15:00:01.001000+00:00 [info] <0.9.0> connection 10.1.0.5:4000 -> 10.0.0.1:5672 has a client-provided name: pod-a
2026-11-23 15:00:01.002000+00:00 [info] <0.9.0> connection 10.1.0.5:4000 -> 10.0.0.1:5672 - pod-a: user 'app' authenticated and granted access to vhost 'shop'
2026-11-23 15:00:31.000000+00:00 [info] <0.9.0> closing AMQP connection (10.1.0.5:4000 -> 10.0.0.1:5672 - pod-a, vhost: 'shop', user: 'app', duration: '30s')
2026-11-23 15:01:00.000000+00:00 [info] <0.8.0> closing AMQP connection (10.1.0.6:4001 -> 10.0.0.1:5672 - pod-b, vhost: 'shop', user: 'app', duration: '1M, 30s')
"""
    tables, _ = normalise({"rabbit@rabbit-0.log": text})
    rows = {row["user_provided_name"]: row for row in tables["connections"]}
    assert rows["pod-a"]["closed_at"] - rows["pod-a"]["connected_at"] == 30_000_000_000
    assert rows["pod-b"]["connected_at"] == parse_rfc3339("2026-11-23T14:59:30Z") and not rows["pod-b"]["observed"]


def test_a_hostile_client_name_does_not_break_the_line(normalise):
    text = """\
2026-11-23 15:00:01.0+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)
2026-11-23 15:00:01.1+00:00 [info] <0.9.0> connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672) has a client-provided name: a), vhost: 'x' (
2026-11-23 15:00:02.0+00:00 [info] <0.9.0> closing AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672 - a), vhost: 'x' (, vhost: 'shop', user: 'app')
"""
    [row] = normalise({"rabbit@rabbit-0.log": text})[0]["connections"]
    assert (row["user_provided_name"], row["vhost"], row["user"]) == ("a), vhost: 'x' (", "shop", "app")


def test_a_brokers_console_is_read_like_its_file_and_its_node_is_its_pods(normalise):
    line = "2026-11-23T15:00:01.000100000Z 2026-11-23 15:00:01.000000+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)\n"
    tables, _ = normalise(
        {
            "nodes.json": [{"name": "rabbit@rabbit-1.rabbit-nodes.mq", "running": True}],
            "console/mq/rabbit-1/rabbitmq.log": line,
        }
    )
    assert [row["rabbit_node"] for row in tables["connections"]] == ["rabbit@rabbit-1.rabbit-nodes.mq"]


def test_a_log_without_zone_is_moved_to_utc_by_the_kubelets_stamps(normalise):
    line = "2026-11-23T15:00:01.000100000Z 2026-11-23 16:00:01.000 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)\n"
    [row] = normalise({"console/mq/rabbit-1/rabbitmq.log": line})[0]["connections"]
    assert row["connected_at"] == parse_rfc3339("2026-11-23T15:00:01Z")


def test_a_log_file_without_zone_is_moved_to_utc_by_a_connection_that_the_api_lists_too(normalise):
    line = "2026-11-23 16:00:01.000 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)\n"
    opened = parse_rfc3339("2026-11-23T15:00:01.2Z") // 1_000_000
    listed = {"name": "10.1.0.5:4000 -> 10.0.0.1:5672", "node": "rabbit@rabbit-1", "connected_at": opened}
    closed = line.replace("5:4000", "5:4001").replace("16:00:01", "16:20:00")
    tables, gaps = normalise({"rabbit@rabbit-1.log": line + closed, "connections.json": [listed]})
    logged = {
        row["connection"][:13]: row["connected_at"] for row in tables["connections"] if row["source"] == "broker_log"
    }
    assert logged == {"10.1.0.5:4000": parse_rfc3339("2026-11-23T15:00:01Z"), "10.1.0.5:4001": parse_rfc3339("2026-11-23T15:20:00Z")}  # fmt: skip
    assert not [gap for gap in gaps if "no zone" in gap]
    # A difference that no zone has is another connection's of that port: then the zone stays unknown.
    later = listed | {"connected_at": opened + 400_000}
    _, gaps = normalise({"rabbit@rabbit-1.log": line, "connections.json": [later]})
    assert [gap for gap in gaps if "no zone" in gap]


def test_a_documents_own_time_tells_the_zone_of_a_line_without_one(normalise):
    line = "2026-11-23 16:00:01.000 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)"
    source = {"@timestamp": "2026-11-23T15:00:01.3Z", "message": line, "kubernetes": {"pod": {"name": "rabbit-1"}}}
    tables, gaps = normalise({"elasticsearch/hits.ndjson": json.dumps({"_index": "i", "_id": "1", "_source": source})})
    [row] = tables["connections"]
    assert (row["connected_at"], row["zone_known"], gaps) == (parse_rfc3339("2026-11-23T15:00:01Z"), True, [])


@pytest.mark.parametrize("below", [None, "json", "log_processed"])
def test_the_json_formatters_line_may_be_taken_apart_by_its_shipper(normalise, below):
    text = "accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)"
    fields = {
        "time": "2026-11-23 15:00:01.5+00:00",
        "level": "info",
        "msg": text,
        "pid": "<0.9.0>",
        "domain": "rabbitmq.connection",
    }
    for number, known in enumerate((fields, {k: v for k, v in fields.items() if k != "time"})):
        source = {"@timestamp": "2026-11-23T15:00:01.5Z", "kubernetes": {"pod": {"name": "rabbit-1"}}, **(known if below is None else {below: known})}  # fmt: skip
        hit = json.dumps({"_index": "i", "_id": str(number), "_source": source})
        [row] = normalise({"elasticsearch/hits.ndjson": hit})[0]["connections"]
        assert row["connected_at"] == parse_rfc3339("2026-11-23T15:00:01.5Z")


def test_broker_lines_and_metricbeat_documents_are_found_among_hits(normalise):
    # Metricbeat's document as in its own sample; the broker's line as Filebeat ships it.
    metric = {
        "@timestamp": "2026-11-23T15:00:10Z",
        "event": {"dataset": "rabbitmq.connection"},
        "metricset": {"name": "connection"},
        "rabbitmq": {
            "connection": {
                "name": "[::1]:60940 -> [::1]:5672",
                "channels": 2,
                "client_provided": {"name": "pod-a"},
                "peer": {"host": "::1", "port": 60940},
                "state": "running",
            },
            "node": {"name": "rabbit@rabbit-0"},
            "vhost": "/",
        },
        "user": {"name": "guest"},
    }
    later = metric | {"@timestamp": "2026-11-23T15:00:20Z"}
    line = {
        "@timestamp": "2026-11-23T15:00:01Z",
        "kubernetes": {"pod": {"name": "rabbit-0"}},
        "message": "2026-11-23 15:00:01.5+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)",
    }
    hits = "\n".join(
        json.dumps({"_index": "i", "_id": str(n), "_source": source}) for n, source in enumerate([later, metric, line])
    )
    tables, _ = normalise({"elasticsearch/hits.ndjson": hits})
    by_source = {row["source"]: row for row in tables["connections"]}
    assert by_source["metricbeat"]["last_seen_at"] - by_source["metricbeat"]["first_seen_at"] == 10_000_000_000
    assert (
        by_source["metricbeat"]["user_provided_name"] == "pod-a"
        and by_source["broker_log"]["rabbit_node"] == "rabbit@rabbit-0"
    )


def shipped(*messages):
    """A broker's lines as documents, one a line, as Filebeat ships them."""
    sources = [
        {"@timestamp": "2026-11-23T15:00:01Z", "podName": "rabbit-0", "message": message} for message in messages
    ]
    return "\n".join(json.dumps({"_index": "i", "_id": str(n), "_source": source}) for n, source in enumerate(sources))


def test_every_line_of_a_connection_is_found_among_hits(normalise):
    hits = shipped(
        "2026-11-23 15:00:01.5+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)",
        "2026-11-23 15:00:01.6+00:00 [info] <0.9.0> connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672 - pod-a): "
        "user 'shop' authenticated and granted access to vhost 'v1'",
    )
    [row] = normalise({"elasticsearch/hits.ndjson": hits})[0]["connections"]
    assert (row["user_provided_name"], row["user"], row["vhost"]) == ("pod-a", "shop", "v1")


def test_a_reason_that_was_shipped_as_a_document_of_its_own_is_the_ends(normalise):
    end = "2026-11-23 15:00:09.500000+00:00 [error] <0.9.0> "
    hits = shipped(
        f"{end}closing AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672):",
        f"{end}missed heartbeats from client, timeout: 60s",
    )
    [row] = normalise({"elasticsearch/hits.ndjson": hits})[0]["connections"]
    assert row["close_reason"] == "missed heartbeats from client, timeout: 60s"


def test_a_nodes_stop_and_start_are_found_among_hits_and_its_clients_words_about_theirs_are_not(normalise):
    hits = shipped(
        "2026-11-23 15:00:01.5+00:00 [info] <0.9.0> RabbitMQ is asked to stop...",
        "2026-11-23 15:00:02.5+00:00 [info] <0.9.0> Successfully stopped RabbitMQ and its dependencies",
        "2026-11-23 15:00:03.5+00:00 [info] <0.9.0>  Starting RabbitMQ 4.1.3 on Erlang 27.3 [jit]",
        "2026-11-23 15:00:04.5 [info] Successfully stopped RabbitMQ listener",
        "Starting RabbitMQ consumer",
    )
    events = normalise({"elasticsearch/hits.ndjson": hits})[0]["rabbit_events"]
    assert [(row["event"], row["rabbit_node"]) for row in events] == [
        (event, "rabbit@rabbit-0") for event in ("stopping", "stopped", "started")
    ]


def test_peers_tell_when_a_node_went_down_and_came_back(normalise):
    tables, _ = normalise({"rabbit1@localhost.log": (RECORDINGS / "log_node_down.log").read_text()})
    told = [(row["event"], row["rabbit_node"]) for row in tables["rabbit_events"]]
    assert ("peer_down", "rabbit3@localhost") in told and ("partition", "rabbit3@localhost") in told


def test_rotated_parts_of_a_console_are_read_in_time_order_and_repeated_lines_once(normalise):
    first = "2026-11-23T15:00:01.000100000Z stdout F 2026-11-23 15:00:01.000000+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)\n"
    last = "2026-11-23T15:10:01.000100000Z stdout F 2026-11-23 15:10:01.000000+00:00 [info] <0.9.0> closing AMQP connection <0.9.0> (10.1.0.5:4000 -> 10.0.0.1:5672)\n"
    tables, _ = normalise(
        {
            "console/mq/rabbit-1/rabbitmq/0.log": first + last,
            "console/mq/rabbit-1/rabbitmq/0.log.20261123-150500": first,
        }
    )
    [row] = tables["connections"]
    assert (row["connected_at"], row["closed_at"]) == (
        parse_rfc3339("2026-11-23T15:00:01Z"),
        parse_rfc3339("2026-11-23T15:10:01Z"),
    )


def test_an_amqp_1_0_connection_of_4_x_is_named_by_its_container_and_ends(normalise):
    """Its lines name no peer when it authenticates and no user when it closes: only the process joins them."""
    lines = [
        "2026-11-23 14:10:00.100000+00:00 [info] <0.91.0> accepting AMQP connection 10.0.0.9:5100 -> 10.0.0.1:5672",
        "2026-11-23 14:10:00.120000+00:00 [info] <0.91.0> Connection from AMQP 1.0 container 'orders-7f9c-x2k4q': "
        "user 'app' authenticated using SASL mechanism PLAIN and granted access to vhost 'shop'",
        "2026-11-23 14:10:09.500000+00:00 [info] <0.91.0> closing AMQP connection (10.0.0.9:5100 -> 10.0.0.1:5672, "
        "duration: '9s')",
    ]
    [row] = normalise({"rabbit@a.log": "\n".join(lines)})[0]["connections"]
    assert (row["user_provided_name"], row["user"], row["vhost"]) == ("orders-7f9c-x2k4q", "app", "shop")
    assert row["closed_at"] == parse_rfc3339("2026-11-23T14:10:09.5Z")


def test_a_reason_on_a_bare_line_as_3_8_writes_it_is_kept_in_files_and_consoles(normalise):
    lines = [
        "2026-11-23 14:10:00.100 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672)",
        "2026-11-23 14:10:01.100 [info] <0.9.0> Connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672) has a client-provided name: a",
        "2026-11-23 14:12:00.100 [warning] <0.9.0> closing AMQP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672 - a, "
        "vhost: 'shop', user: 'app'):",
        "client unexpectedly closed TCP connection",
        "2026-11-23 14:13:00.100 [info] <0.8.0> something else",
        "a line of nobody",
    ]
    stamped = [f"2026-11-23T14:12:00.{number}Z {line}" for number, line in enumerate(lines)]
    for files in ({"rabbit@a.log": "\n".join(lines)}, {"console/mq/rabbit-0/broker.log": "\n".join(stamped)}):
        row = normalise(files)[0]["connections"][0]
        assert row["close_reason"] == "client unexpectedly closed TCP connection"
        assert row["user_provided_name"] == "a"


def test_an_error_with_its_reason_on_the_same_line_is_kept(normalise):
    lines = [
        "2026-11-23 14:10:00.1+00:00 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672)",
        "2026-11-23 14:10:00.2+00:00 [error] <0.9.0> Error on AMQP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672): "
        "enotconn (socket is not connected)",
    ]
    [row] = normalise({"rabbit@a.log": "\n".join(lines)})[0]["connections"]
    assert row["close_reason"] == "enotconn (socket is not connected)"


@pytest.mark.parametrize("product", ["RabbitMQ", "VMware RabbitMQ", "Tanzu RabbitMQ"])
def test_a_start_ends_what_was_open_whatever_the_product_is_called(normalise, product):
    lines = [
        "2026-11-23 14:10:00.1+00:00 [info] <0.9.0> accepting AMQP connection 10.0.0.9:5100 -> 10.0.0.1:5672",
        f"2026-11-23 14:20:00.1+00:00 [info] <0.2.0>  Starting {product} 4.1.0 on Erlang 27.3.2 [jit]",
    ]
    tables, _ = normalise({"rabbit@a.log": "\n".join(lines)})
    assert [event["event"] for event in tables["rabbit_events"]] == ["started"]
    assert tables["connections"][0]["state"] == "closed"


STARTED_3_7 = [
    "2026-11-23 14:10:00.100 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672)",
    "2026-11-23 14:20:00.500 [info] <0.5.0> ",
    " Starting RabbitMQ 3.7.28 on Erlang 22.3",
    " Licensed under a licence",
    "2026-11-23 14:20:00.502 [info] <0.5.0>  ",
    " node           : rabbit@mq-0",
    " home dir       : /var/lib/rabbitmq",
    "2026-11-23 14:20:01.100 [info] <0.7.0> accepting AMQP connection <0.7.0> (10.0.0.9:5200 -> 10.0.0.1:5672)",
]


def test_a_start_whose_banner_stands_in_bare_lines_ends_what_was_open_and_names_the_node(normalise):
    tables, _ = normalise({"broker.log": "\n".join(STARTED_3_7)})
    assert [event["event"] for event in tables["rabbit_events"]] == ["started"]
    states = {row["peer_port"]: row.get("state") for row in tables["connections"]}
    assert states == {5100: "closed", 5200: None}
    assert {(row["rabbit_node"], row["observed"]) for row in tables["connections"]} == {
        ("rabbit@mq-0", False),  # its end is not logged
        ("rabbit@mq-0", True),
    }


def test_a_log_that_names_two_nodes_is_nobodys_for_sure(normalise):
    other = "2026-11-23 14:21:00.100 [info] <0.4.0> Application ranch started on node 'rabbit@mq-1'"
    tables, _ = normalise({"broker.log": "\n".join([*STARTED_3_7, other])})
    assert {(row["rabbit_node"], row["observed"]) for row in tables["connections"]} == {("rabbit@broker", False)}


def test_a_record_after_bare_lines_of_the_same_moment_is_one_of_its_own(normalise):
    lines = [
        "2026-11-23 14:10:00.100 [info] <0.9.0> Stopping these applications in this order:",
        "    rabbit",
        "2026-11-23 14:10:00.100 [info] <0.9.0> Successfully stopped RabbitMQ and its dependencies",
    ]
    tables, _ = normalise({"rabbit@a.log": "\n".join(lines)})
    assert [event["event"] for event in tables["rabbit_events"]] == ["stopped"]


@pytest.mark.parametrize(
    "line",
    [
        "mq-1  | 2026-11-23 14:10:00.100 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672)",
        "=INFO REPORT==== 23-Nov-2026::14:10:00 ===\naccepting AMQP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672)",
    ],
)
def test_a_broker_log_of_which_no_line_can_be_read_is_a_gap(normalise, line):
    tables, gaps = normalise({"rabbit@a.log": f"\n{line}\n", "rabbit@b.log": "\n"})
    assert not tables["connections"]
    assert [gap for gap in gaps if "nothing was read from it" in gap] == [
        f"rabbitmq/rabbit@a.log: none of its {len(line.splitlines())} lines is a record of a broker's log as 3.7 to 4.x "
        "write it: nothing was read from it"
    ]


def test_lines_of_connections_that_cannot_be_read_are_counted_beside_those_that_can(normalise):
    lines = [
        "2026-11-23 14:10:00.1+00:00 [info] <0.9.0> accepting AMQP connection 10.0.0.9:5100 -> 10.0.0.1:5672",
        "[pod/mq-0/mq] 2026-11-23 14:11:00.1+00:00 [info] <0.9.0> accepting AMQP connection 10.0.0.9:5200 -> 10.0.0.1:5672",
        "2026-11-23 14:12:00.1+00:00 [error] <0.9.0> Error on AMQP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672):",
        "closing it",
    ]
    tables, gaps = normalise({"rabbit@a.log": "\n".join(lines), "rabbit@b.log": lines[0]})
    assert [row["peer_port"] for row in tables["connections"] if row["rabbit_node"] == "rabbit@a"] == [5100]
    assert [gap for gap in gaps if "tell of connections" in gap] == [
        "rabbitmq/rabbit@a.log: 1 of its 4 lines tell of connections, but are no records as 3.7 to 4.x write them"
    ]


def test_a_short_queue_list_names_no_vhosts_where_none_are_known(normalise):
    _, gaps = normalise(
        {"queues.json": [{"name": "q", "vhost": "/"}], "overview.json": {"object_totals": {"queues": 3}}}
    )
    assert [gap for gap in gaps if gap.startswith("queues")] == [
        "queues: the list holds 1 queues but more exist (overview: 3): the user lacks permissions on a vhost"
    ]
