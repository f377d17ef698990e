"""RabbitMQ 4.0: what a played cluster answered and logged, against the truth that the kernel kept of every connection."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from incident_kit.answers.findings import findings
from incident_kit.correlate.rabbitmq.downs import node_downs
from incident_kit.correlate.rabbitmq.owners import matched_connections
from incident_kit.correlate.rabbitmq.rows import rabbit_row
from incident_kit.normalise.context import Context
from incident_kit.normalise.rabbitmq import normalise_rabbitmq
from incident_kit.normalise.raw import RawFolder
from incident_kit.profile import Profile
from incident_kit.sources.rabbitmq import _half_formed
from incident_kit.tables.rabbitmq import RABBIT_EVENTS
from incident_kit.window import Window, parse_rfc3339
from tests.lab.rabbitmq4.pods import BY_CASE
from tests.lab.rabbitmq4.score import Score, imported
from tests.lab.rabbitmq4.truth import read

RECORDINGS = Path(__file__).parent.parent / "recordings" / "rabbitmq-4.0"
LATER = RECORDINGS.with_name("rabbitmq-4.3")
LOGS = [(path.name, path.read_bytes()) for path in sorted(RECORDINGS.glob("*.log.gz"))]
LAST = json.loads((RECORDINGS / "khepri.json").read_text())
LISTS = [(f"{name}.json", json.dumps(rows).encode()) for name, rows in LAST.items() if name != "window"]
PLAYED = json.loads((RECORDINGS / "played.json").read_text())
AT = PLAYED["captures"]["khepri"]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """All that was captured last: the API's lists, and the logs of everything before."""
    return imported(tmp_path_factory.mktemp("play"), PLAYED["started"], [*LISTS, *LOGS], LAST["window"])


def truth(recordings=RECORDINGS, until=AT):
    return [one for one in read(recordings / "truth.jsonl") if one.opened_at < until]


def of_case(evidence, case):
    """Rows of RABBIT of one case's pod, in order of opening."""
    rows = [rabbit_row(matched, evidence) for matched in matched_connections(evidence)]
    return [row for row in rows if row["pod"] == BY_CASE[case].pod]


def answer(moment, request, recordings=RECORDINGS):
    """The body of a recorded answer."""
    recorded = json.loads((recordings / f"answers-{moment}.json").read_text())
    return next(one["body"] for one in recorded if one["request"] == f"GET /api/{request}")


@pytest.fixture
def normalise(tmp_path):
    """Tables and gaps of files below ``rabbitmq/``."""

    def read_files(files):
        for name, content in files.items():
            path = tmp_path / "rabbitmq" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        context = Context(
            cluster="hare", window=Window.parse("2026-11-26T08:00:00Z", "2026-11-26T09:00:00Z"),
            captured_at=parse_rfc3339("2026-11-26T08:30:00Z"), profile=Profile(),
        )  # fmt: skip
        return normalise_rabbitmq(RawFolder(tmp_path), context), [f"{g['what']}: {g['reason']}" for g in context.gaps]

    return read_files


def test_every_connection_that_a_source_tells_of_is_its_pods_and_ends_when_it_did(evidence):
    score = Score(evidence, truth(), AT)
    assert score.total["wrong"] == 0
    assert score.total["right"] > 100
    missed = [words for words in score.words if words.startswith("missed: ")]
    # Brokers log nothing of the stream protocol, so what had ended before is not known; a gap says so.
    assert all("stream'" in words or "case='journal" in words for words in missed)
    assert [words for words in score.words if words not in missed] == []
    assert any(gap["what"] == "streams before the capture" for gap in evidence.manifest.gaps)


def test_every_connection_of_4_3_is_its_pods_and_ends_when_it_did(tmp_path):
    last, played = (json.loads((LATER / name).read_text()) for name in ("khepri.json", "played.json"))
    until = played["captures"]["khepri"]
    lists = [(f"{name}.json", json.dumps(rows).encode()) for name, rows in last.items() if name != "window"]
    logs = [(path.name, path.read_bytes()) for path in sorted(LATER.glob("*.log.gz"))]
    score = Score(imported(tmp_path, played["started"], [*lists, *logs], last["window"]), truth(LATER, until), until)
    assert score.total["wrong"] == 0
    assert score.total["right"] > 80
    assert [words for words in score.words if "stream'" not in words and "case='journal" not in words] == []


def test_a_container_names_its_amqp_1_0_connection_where_the_list_tells_it(normalise):
    rows = answer("quiet", "connections", LATER)
    names = {row["connection"]: row for row in normalise({"connections.json": rows})[0]["connections"]}
    told = [row for row in rows if row["protocol"] == "AMQP 1-0"]
    assert told and all(names[row["name"]]["user_provided_name"] == row["container_id"] for row in told)
    assert {names[row["name"]]["channel_count"] for row in told} <= {0, 1, 2}  # its sessions


@pytest.mark.parametrize("files", [LOGS, LISTS], ids=["logs", "lists"])
def test_one_source_alone_names_no_wrong_pod(files, tmp_path):
    alone = imported(tmp_path, PLAYED["started"], files, LAST["window"])
    score = Score(alone, truth(), AT)
    assert (score.total["wrong"], score.strangers) == (0, [])
    assert score.total["right"] > 25


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("dies-amqp091", "client unexpectedly closed TCP connection"),
        ("dies-amqp10", "client unexpectedly closed TCP connection"),
        ("dies-mqtt", "peer closed TCP connection"),
        ("stalls-amqp091", "missed heartbeats from client, timeout: 3s"),
        ("stalls-mqtt", "keepalive timeout"),
        ("stalls-stomp", "detected missed client heartbeat(s)"),
        ("leaves-amqp091", None),
        ("leaves-amqp10", None),
        ("leaves-mqtt", None),
        ("leaves-stomp", None),
        ("forced-amqp091", 'operation none caused a connection exception connection_forced: "the lab\'s will"'),
        ("forced-amqp10", 'Connection forced: "the lab\'s will"'),
        ("forced-mqtt", '"the lab\'s will"'),
        ("begins1", "{handshake_timeout,frame_header}"),
        ("refused-amqp091", "access to vhost 'shop' refused for user 'plain'"),
        ("refused-mqtt", "Connect Reason Code 135"),
        ("wrongword", "PLAIN login refused: user 'app' - invalid credentials"),
        ("novhost", "vhost nowhere not found"),
        ("ledger3", 'Connection forced: "Node was put into maintenance mode"'),
        ("desk3", "node is being put into maintenance mode"),
    ],
)
def test_an_end_has_the_brokers_reason(evidence, case, reason):
    first = of_case(evidence, case)[0]
    assert (first["state"], first["close_reason"]) == ("closed", reason)
    assert first["closed_at"] is not None and first["observed"] is not None


def test_a_reason_of_many_lines_is_one_line(evidence):
    assert of_case(evidence, "forced-stomp")[0]["close_reason"] == (
        '{channel_died, {shutdown, {connection_closing, {server_initiated_close, 320, "the lab\'s will"}}}}'
    )


def test_a_client_name_of_two_lines_keeps_its_user_and_virtual_host(evidence):
    first = of_case(evidence, "oddname")[0]
    assert first["source"] == "broker_log"
    assert first["user_provided_name"] == "it's, vhost: 'y' -> (1)\nsecond line"
    assert (first["user"], first["vhost"]) == ("app", "shop")


def test_what_ends_by_its_process_alone_ends(normalise):
    """MQTT whose queue is down; lines of another play."""
    lines = [
        "2026-11-26 08:06:36.568295+00:00 [info] <0.8849.0> Accepted MQTT connection 127.4.1.30:39915 -> 127.0.0.1:1983 for client ID "
        "till2-6d4cf56db6-4m7qt",
        "2026-11-26 08:06:36.587610+00:00 [info] <0.8849.0> Terminating MQTT connection because consuming queue "
        "'mqtt-subscription-till2-6d4cf56db6-4m7qtqos1' in vhost 'shop' is down.",
    ]
    [row] = normalise({"rabbit@a.log": "\n".join(lines)})[0]["connections"]
    assert (row["user_provided_name"], row["state"]) == ("till2-6d4cf56db6-4m7qt", "closed")
    assert row["close_reason"].endswith("in vhost 'shop' is down.")


def test_text_and_json_logs_tell_the_same_of_the_nodes(evidence):
    events = evidence.table(RABBIT_EVENTS)
    told = {
        (event, node): sorted(rows["reported_by"].unique())
        for (event, node), rows in events.groupby(["event", "rabbit_node"])
    }
    everybody = ["hare1@localhost", "hare2@localhost", "hare3@localhost"]
    assert told["alarm_set", "hare2@localhost"] == told["alarm_cleared", "hare2@localhost"] == everybody
    assert told["alarm_set", "hare3@localhost"] == told["alarm_cleared", "hare3@localhost"] == everybody
    assert told["drained", "hare3@localhost"] == told["revived", "hare3@localhost"] == ["hare3@localhost"]
    assert told["peer_down", "hare3@localhost"] == ["hare1@localhost", "hare2@localhost"]  # with Khepri
    assert told["stopping", "hare1@localhost"] == ["hare1@localhost"]
    assert told["consumer_timeout", "hare1@localhost"] == ["hare1@localhost"]


def test_findings_name_the_nodes_that_were_down_and_the_alarms(evidence):
    found = findings(evidence)
    titles = [title for rule, title in zip(found["rule"], found["title"], strict=True) if rule.startswith("rabbit-")]
    assert sum("raised a resource alarm" in title for title in titles) == 2
    assert {title.split(" ", 1)[0] for title in titles if " was down from " in title} == {
        "hare1@localhost", "hare2@localhost", "hare3@localhost",
    }  # fmt: skip


def test_rows_of_all_protocols_have_the_names_that_their_clients_gave(normalise):
    tables, gaps = normalise({"connections.json": answer("quiet", "connections")})
    names = {row["connection"]: row["user_provided_name"] for row in tables["connections"]}
    told = {row["protocol"]: names[row["name"]] for row in answer("quiet", "connections")}
    assert told["AMQP 1-0"] is None  # 4.0 does not tell the container
    assert told["STOMP 1.2"] is None
    assert told["MQTT 5-0"] == BY_CASE["till3"].pod
    assert told["stream"].split("-", 1)[0] in (
        "journal1",
        "journal2",
        "journal3",
        "locator",
        "leaves",
        "rstream",
        "dies",
    )
    assert not any("lack connected_at" in gap for gap in gaps)


def test_protocols_without_channels_are_no_lost_consumers(normalise):
    rows = answer("quiet", "connections")
    assert {row.get("channels") for row in rows if row["protocol"] == "stream"} >= {0}
    tables, _ = normalise({"connections.json": rows})
    counts = {row["connection"]: row["channel_count"] for row in tables["connections"]}
    assert {counts[row["name"]] for row in rows if row["protocol"] == "stream"} == {None}
    assert {counts[row["name"]] for row in rows if row["protocol"] == "AMQP 0-9-1"} == {0, 1}


def test_a_whole_row_of_amqp_1_0_is_not_taken_for_one_that_was_just_opened():
    rows = [row for row in answer("quiet", "connections") if row["protocol"] == "AMQP 1-0"]
    assert rows and all("state" not in row for row in rows)
    assert not any(map(_half_formed, rows))


def test_what_consumers_of_amqp_1_0_consume_is_not_known_rather_than_nothing(evidence):
    assert of_case(evidence, "ledgerless")[-1]["consumes"] is None
    assert of_case(evidence, "sends")[-1]["consumes"] is None  # it consumes nothing, and nobody can tell
    assert of_case(evidence, "journal1")[-1]["state"] == "running"
    [orders] = [row["consumes"] for row in of_case(evidence, "orders1") if row["closed_at"] is None]
    assert [told.split(" ", 1)[0] for told in orders] == ["shop/work"]
    assert any("do not say whose they are" in gap["reason"] for gap in evidence.manifest.gaps)


def test_alarms_of_both_kinds_stand_in_the_list_of_nodes(normalise):
    tables, _ = normalise({"nodes.json": answer("alarms", "nodes")})
    alarms = {row["rabbit_node"]: (row["memory_alarm"], row["disk_alarm"]) for row in tables["rabbit_nodes"]}
    assert alarms == {
        "hare1@localhost": (False, False), "hare2@localhost": (True, False), "hare3@localhost": (False, True),
    }  # fmt: skip


def test_a_killed_node_is_a_gap(normalise):
    tables, gaps = normalise({"nodes.json": answer("killed", "nodes")})
    assert {row["rabbit_node"] for row in tables["rabbit_nodes"] if row["running"] is False} == {"hare2@localhost"}
    assert any(gap.startswith("connections of hare2@localhost") for gap in gaps)


def test_a_nameless_connection_to_a_virtual_host_with_quotes_in_its_name_ends(normalise):
    line = (
        "2026-11-26 08:10:00.100000+00:00 [info] <0.9.0> closing AMQP connection (10.0.0.9:5100 -> 10.0.0.1:5672, "
        "vhost: 'it's, user: 'x' (1)', user: 'app', duration: '1M, 3s')"
    )
    [row] = normalise({"rabbit@a.log": line})[0]["connections"]
    assert (row["state"], row["vhost"], row["user"]) == ("closed", "it's, user: 'x' (1)", "app")
    assert row["closed_at"] - row["connected_at"] == 63_000_000_000


def test_lines_of_coarser_times_are_records_of_their_own(normalise):
    """3.7 and 3.8 write milliseconds, in which one process writes several records."""
    lines = [
        "2026-11-26 08:10:00.100 [info] <0.9.0> accepting AMQP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672)",
        "2026-11-26 08:10:00.100 [info] <0.9.0> Connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:5672) has a client-provided name: a",
    ]
    [row] = normalise({"rabbit@a.log": "\n".join(lines)})[0]["connections"]
    assert row["user_provided_name"] == "a"


def test_a_connection_whose_end_was_only_announced_before_the_node_stopped_keeps_the_reason(normalise):
    text = gzip.decompress(dict(LOGS)["hare1@localhost.log.gz"]).decode()
    tables, _ = normalise({"hare1@localhost.log": text})
    forced = [
        row for row in tables["connections"] if "broker forced connection closure" in str(row.get("close_reason"))
    ]
    assert forced


def test_lines_of_all_protocols_are_found_among_documents_that_a_shipper_made_of_them(tmp_path):
    """Each line is a document with the shipper's time, its own head taken off."""
    messages = [
        "accepting STOMP connection <0.5540.0> (10.0.0.4:36871 -> 10.0.0.1:61613)",
        "closing STOMP connection <0.5540.0> (10.0.0.4:36871 -> 10.0.0.1:61613)",
        "Accepted MQTT connection 10.0.0.5:54009 -> 10.0.0.1:1883 for client ID till-1",
        'closing MQTT connection <<"10.0.0.5:54009 -> 10.0.0.1:1883">> (keepalive timeout)',
        "MQTT connection to the tills is up",  # an application's
    ]
    hits = [
        {"_index": "logs", "_id": str(number), "_source": {
            "@timestamp": f"2026-11-26T08:10:0{number}Z", "message": message, "kubernetes": {"pod": {"name": "rabbit-0"}},
        }}
        for number, message in enumerate(messages)
    ]  # fmt: skip
    path = tmp_path / "elasticsearch" / "hits.ndjson"
    path.parent.mkdir()
    path.write_text("\n".join(map(json.dumps, hits)))
    context = Context(
        cluster="hare",
        window=Window.parse("2026-11-26T08:00:00Z", "2026-11-26T09:00:00Z"),
        captured_at=None,
        profile=Profile(),
    )
    rows = normalise_rabbitmq(RawFolder(tmp_path), context)["connections"]
    assert [(row["peer_host"], row.get("user_provided_name"), row.get("close_reason")) for row in rows] == [
        ("10.0.0.4", None, None),
        ("10.0.0.5", "till-1", "keepalive timeout"),
    ]
    assert all(row["closed_at"] - row["connected_at"] == 1_000_000_000 for row in rows)


def test_a_list_that_was_collected_twice_counts_once(normalise):
    """/api/queues and /api/queues/detailed, /api/connections and /api/stream/connections have the same rows."""
    queues, connections = answer("quiet", "queues"), answer("quiet", "connections")
    streams = [row for row in connections if row["protocol"] == "stream"]
    tables, gaps = normalise(
        {"queues.json": queues, "queues-2.json": queues, "connections.json": connections, "connections-2.json": streams}
    )
    assert len(tables["queues"]) == len(queues)
    assert len(tables["connections"]) == len(connections)
    assert any(gap.startswith(f"streams before the capture: {len(streams)} connections") for gap in gaps)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "closing AMQP connection 10.0.0.9:5100 -> 10.0.0.1:5672 (duration: '9s'):\nTLS client detected on non-TLS AMQP port.",
            "TLS client detected on non-TLS AMQP port.",
        ),
        (
            "closing AMQP connection 10.0.0.9:5100 -> 10.0.0.1:5672 of user 'app': credential has expired",
            "credential has expired",
        ),
        (
            "closing STOMP connection <0.9.0> (10.0.0.9:5100 -> 10.0.0.1:61613): credential has expired",
            "credential has expired",
        ),
        ("Web MQTT closing connection 10.0.0.9:5100 -> 10.0.0.1:15675", None),
        ("keepalive timeout in Web MQTT connection 10.0.0.9:5100 -> 10.0.0.1:15675", "keepalive timeout"),
    ],
)
def test_ends_that_4_3_words_of_its_own_are_ends(normalise, line, reason):
    """After the format strings of 4.3.6, which nobody played."""
    first, _, second = line.partition("\n")
    head = "2026-11-26 08:10:00.100000+00:00 [info] <0.9.0> "
    text = "\n".join([head + first, *([head + second] if second else [])])
    [row] = normalise({"rabbit@a.log": text})[0]["connections"]
    assert (row["peer_host"], row["state"], row.get("close_reason")) == ("10.0.0.9", "closed", reason)


def test_a_reason_that_4_3_announces_before_the_end_is_kept(normalise):
    lines = [
        "2026-11-26 08:10:00.100000+00:00 [info] <0.9.0> accepting AMQP connection 10.0.0.9:5100 -> 10.0.0.1:5672",
        "2026-11-26 08:10:01.100000+00:00 [info] <0.9.0> Closing AMQP 1.0 connection <0.9.0>: the lab's will",
        "2026-11-26 08:10:01.200000+00:00 [info] <0.9.0> closing AMQP connection (10.0.0.9:5100 -> 10.0.0.1:5672, duration: '1s')",
        "2026-11-26 08:10:02.100000+00:00 [info] <0.8.0> accepting AMQP connection 10.0.0.9:5200 -> 10.0.0.1:5672",
        "2026-11-26 08:10:03.100000+00:00 [info] <0.8.0> Closing AMQP connection <0.8.0> (10.0.0.9:5200 -> 10.0.0.1:5672, "
        "vhost: 'shop', user: 'app'): node is going away",
        "2026-11-26 08:10:03.200000+00:00 [info] <0.8.0> closing AMQP connection (10.0.0.9:5200 -> 10.0.0.1:5672, vhost: 'shop', "
        "user: 'app', duration: '1s')",
    ]
    rows = normalise({"rabbit@a.log": "\n".join(lines)})[0]["connections"]
    assert [(row["peer_port"], row["close_reason"]) for row in rows] == [
        (5100, "the lab's will"), (5200, "node is going away"),
    ]  # fmt: skip


def test_a_node_that_its_peers_see_up_and_down_while_it_starts_was_down_once(tmp_path):
    """4.3: up and down again within a millisecond, then its own start, then up."""
    played = json.loads((LATER / "played.json").read_text())
    last = json.loads((LATER / "khepri.json").read_text())
    logs = [(path.name, path.read_bytes()) for path in sorted(LATER.glob("*.log.gz"))]
    evidence = imported(tmp_path, played["started"], logs, last["window"])
    downs = [(down.rabbit_node, down.certain) for down in node_downs(evidence)]
    assert downs == [("hare2@localhost", True), ("hare1@localhost", True), ("hare3@localhost", True)]
