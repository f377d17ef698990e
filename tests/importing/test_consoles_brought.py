"""Consoles in the forms in which people have them: each becomes lines with the kubelet's time, of the right pod."""

import bz2
import json
import lzma
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from incident_kit.normalise.logs.copies import without_copies
from incident_kit.normalise.logs.lines import Lines
from tests.importing.bringing import POD, PODS, bring

OTHER = "orders-api-7c9f8d6b5-9hq2z"
ID = "b" * 64
STAMP = "2026-11-20T08:01:00.000000000Z"
KUBECTL = f"{STAMP} INFO accepted\n{STAMP} \tat com.shop.Orders(Orders.java:7)\n"
CRI = f"{STAMP} stdout F INFO accepted\n{STAMP} stderr F \tat com.shop.Orders(Orders.java:7)\n"


@pytest.fixture(autouse=True)
def own_key(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


@pytest.mark.parametrize(
    ("name", "destination"),
    [
        (f"Console/shop/{POD}/app.LOG", f"console/shop/{POD}/app.log"),
        (f"console/shop/{POD}/app.txt", f"console/shop/{POD}/app.log"),
        (f"console/shop/{POD}/app.log.1", f"console/shop/{POD}/app.log.1"),
        (f"console/shop/{POD}/app-previous.log", f"console/shop/{POD}/app.previous.log"),
        (f"console/shop/{POD}/app.1.log", f"console/shop/{POD}/app.log.1"),
        (f"console/{POD}/app/0.log", f"console/shop/{POD}/app/0.log"),
        (f"console/shop/{POD}/app/previous.log", f"console/shop/{POD}/app.previous.log"),
        (f"logs/{POD}.log", f"console/shop/{POD}/app.log"),
        (f"{POD}-previous.log", f"console/shop/{POD}/app.previous.log"),
        (f"{POD}.txt", f"console/shop/{POD}/app.log"),
        (f"x/shop/{POD}/app_previous.log", f"console/shop/{POD}/app.previous.log"),
        (f"shop_{POD}_app.log", f"console/shop/{POD}/app.log"),
        (f"shop-{POD}-app.log", f"console/shop/{POD}/app.log"),
        (f"var/log/containers/{POD}_shop_app-{ID}.log", f"console/shop/{POD}/app.log"),
        (f"var/lib/docker/containers/{ID}/{ID}-json.log", f"console/shop/{POD}/app.log"),
        (f"var/log/pods/shop_{POD}_0b9c7d1e-0000-4000-8000-000000000001/app/3.log", f"console/shop/{POD}/app/3.log"),
        (f"mg/namespaces/shop/pods/{POD}/app/app/logs/current.log", f"console/shop/{POD}/app.log"),
        (f"mg/namespaces/shop/pods/{POD}/app/app/logs/previous.log", f"console/shop/{POD}/app.previous.log"),
    ],
)
def test_a_path_tells_whose_console_it_is(tmp_path, name, destination):
    kept, gaps = bring(tmp_path, {"kubernetes/pods.json": PODS, name: KUBECTL})

    assert kept[destination] == KUBECTL and gaps == []


def test_lines_that_return_to_their_beginning_keep_the_kubelets_times(tmp_path):
    bars = "".join(f"{STAMP} stderr F \rloading: {number}%\r\x85{number}/40\n" for number in range(40))
    kept, gaps = bring(tmp_path, {"kubernetes/pods.json": PODS, f"console/shop/{POD}/app/0.log": CRI + bars})

    assert kept[f"console/shop/{POD}/app/0.log"] == (CRI + bars).replace("\r", "\n") and gaps == []


def test_without_pod_objects_a_generated_name_is_a_pods_and_what_nothing_tells_is_a_gap(tmp_path):
    kept, gaps = bring(tmp_path, {f"shop/{POD}/app.log": KUBECTL, f"{OTHER}.log": KUBECTL, "orders.log": KUBECTL})

    assert {f"console/shop/{POD}/app.log", f"console/unknown/{OTHER}/unknown.log"} == set(kept)
    assert [gap["what"] for gap in gaps] == [f"{OTHER}.log", "orders.log"] or {gap["what"] for gap in gaps} == {
        f"{OTHER}.log", "orders.log",
    }  # fmt: skip


def test_of_a_pod_with_several_containers_a_file_without_any_is_kubectls_default_and_says_so(tmp_path):
    two = json.loads(PODS)
    two["items"][0]["spec"]["containers"].append({"name": "proxy", "image": "envoy"})

    kept, gaps = bring(tmp_path, {"pods.json": json.dumps(two), f"{POD}.log": KUBECTL, f"{POD}_proxy.log": KUBECTL})

    assert {f"console/shop/{POD}/app.log", f"console/shop/{POD}/proxy.log"} <= set(kept)
    [gap] = gaps
    assert gap["what"] == f"{POD}.log" and "app, proxy" in gap["reason"]


@pytest.mark.parametrize("name", ["pod.yaml", "notes.md", "describe.txt"])
def test_what_lies_beside_a_console_is_none_by_its_folder(tmp_path, name):
    texts = {
        "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  creationTimestamp: 2026-11-20T08:00:00Z\n",
        "notes.md": "08:01:00 it began\n08:02:00 it ended\n",
        "describe.txt": f"Name:       {POD}\nNamespace:  shop\nNode:       node-1/10.0.0.1\nContainers:\n  app:\n    Image:  x\n",
    }

    kept, gaps = bring(tmp_path, {f"console/shop/{POD}/{name}": texts[name]})

    assert not [path for path in kept if path.startswith("console/")] and (kept or gaps)


def test_logs_of_several_brokers_by_one_name_are_not_one_brokers(tmp_path):
    record = "2026-11-20 08:01:00.000000+00:00 [info] <0.7.0> accepting AMQP connection <0.7.0> (10.2.3.4:5 -> 10.0.0.1:5672)\n"

    kept, _ = bring(tmp_path, {f"mq/rabbitmq-{n}/rabbitmq.log": record for n in range(2)})

    assert set(kept) == {"rabbitmq/rabbitmq-0.log", "rabbitmq/rabbitmq-1.log"}


def docker(texts, **more):
    return "".join(json.dumps({"log": text, "stream": "stdout", "time": STAMP, **more}) + "\n" for text in texts)


@pytest.mark.parametrize("name", [f"console/shop/{POD}/app.log", f"console/shop/{POD}/app/0.log", f"{ID}-json.log"])
def test_dockers_json_becomes_the_kubelets_lines_its_parts_joined_there(tmp_path, name):
    kept, _ = bring(tmp_path, {"kubernetes/pods.json": PODS, name: docker(["one\n", "two begins ", "and ends\n"])})

    [text] = [text for path, text in kept.items() if path.startswith("console/")]
    assert text == f"{STAMP} stdout F one\n{STAMP} stdout P two begins \n{STAMP} stdout F and ends\n"


def test_a_brokers_log_in_dockers_json_is_its_text(tmp_path):
    record = "2026-11-20 08:01:00.000000+00:00 [info] <0.7.0> accepting AMQP connection <0.7.0> (10.2.3.4:5 -> 10.0.0.1:5672)\n"

    kept, _ = bring(tmp_path, {"rabbitmq/rabbit-0.log": docker([record]), "broker.LOG": record})

    assert kept == {"rabbitmq/rabbit-0.log": record, "rabbitmq/broker.log": record}


@pytest.mark.parametrize(
    "line",
    [
        "[pod/{pod}/app] {stamp} INFO accepted",
        "{pod} app {stamp} INFO accepted",
        "shop {pod} app {stamp} INFO accepted",
        "\x1b[92m{pod}\x1b[0m \x1b[32mapp\x1b[0m {stamp} INFO accepted",
        "shop/{pod}[app]: {stamp} INFO accepted",
        "[{pod} app] {stamp} INFO accepted",
        "{pod}   | {stamp} INFO accepted",
    ],
)
def test_a_name_in_front_of_each_line_tells_whose_it_is(tmp_path, line):
    text = "".join(line.format(pod=pod, stamp=STAMP) + "\n" for pod in (POD, OTHER))

    kept, _ = bring(
        tmp_path, {"kubernetes/pods.json": PODS, "all.log": f"+ {POD} › app\n{text}" if " app " in line[:12] else text}
    )

    found = {path.split("/")[2]: text for path, text in kept.items() if path.startswith("console/shop/")}
    assert found == {POD: f"{STAMP} INFO accepted\n", OTHER: f"{STAMP} INFO accepted\n"}


def test_json_lines_under_a_pods_name_are_its_console_though_they_name_it_as_documents_do(tmp_path):
    line = json.dumps({"@timestamp": "2026-11-20T08:01:00Z", "podName": POD, "message": "accepted"}) + "\n"

    kept, _ = bring(tmp_path, {f"{POD}_app.log": line, "export.log": line})

    assert {path.split("/")[0] for path in kept} == {"console", "elasticsearch"}
    assert kept[f"console/unknown/{POD}/app.log"] == f"{STAMP} {line}"


def test_a_pod_that_only_documents_name_is_known_by_them(tmp_path):
    source = {"@timestamp": "2026-11-20T08:01:00Z", "message": "x", "kubernetes": {
        "namespace": "shop", "pod": {"name": "ledger-db-0"}, "container": {"name": "db"}}}  # fmt: skip

    kept, gaps = bring(
        tmp_path, {"hits.ndjson": json.dumps({"_id": "1", "_source": source}) + "\n", "ledger-db-0.log": KUBECTL}
    )

    assert kept["console/shop/ledger-db-0/db.log"] == KUBECTL and gaps == []


@pytest.mark.parametrize(("shift", "expected"), [(1, "08:01:00"), (-5, "08:01:00"), (5.5, "08:01:00")])
def test_own_times_without_a_zone_are_in_the_one_that_documents_show(tmp_path, shift, expected):
    told = [(f"2026-11-20T08:0{minute}:00Z", f"Order {minute} accepted for ACME") for minute in range(1, 9)]
    hits = [{"_id": text, "_source": {"@timestamp": time, "message": text, "podName": POD}} for time, text in told]
    local = [(datetime.fromisoformat(time) + timedelta(hours=shift)).strftime("%Y-%m-%d %H:%M:%S") for time, _ in told]
    lines = "".join(f"{time},004 INFO {text}\n" for time, (_, text) in zip(local, told, strict=True))

    kept, gaps = bring(
        tmp_path, {"hits.ndjson": "".join(json.dumps(hit) + "\n" for hit in hits), f"console/shop/{POD}/app.log": lines}
    )

    assert kept[f"console/shop/{POD}/app.log"].startswith(f"2026-11-20T{expected}.004")
    assert f"UTC{shift:+g}" in gaps[0]["reason"] and "taken as UTC" not in gaps[0]["reason"]


def copies(*files):
    return [
        Lines(np.array([int(second * 1e9) for second, _ in file], np.int64), np.zeros(len(file), np.int8),
              pa.array([text for _, text in file], pa.large_string()), [])
        for file in files
    ]  # fmt: skip


def test_lines_that_two_files_of_one_console_have_with_stamps_of_other_precision_come_once():
    fine = [
        (10.000_000_1, "a"),
        (10.200_000_1, "beat"),
        (10.400_000_1, "beat"),
        (19.000_000_1, "b"),
        (25.000_000_1, "c"),
    ]
    coarse = [(10.0, "a"), (10.2, "beat  "), (10.4, "beat"), (10.6, "beat"), (19.0, "b"), (30.0, "later")]

    found = without_copies(copies(coarse, fine))

    assert [one.text.to_pylist() for one in found] == [["beat", "later"], ["a", "beat", "beat", "b", "c"]]


def test_files_that_follow_one_another_keep_equal_lines_near_the_rotation():
    first, second = [(10.000_000_1, "beat"), (12.000_000_1, "beat")], [(12.0, "beat"), (14.0, "beat")]

    assert [len(one) for one in without_copies(copies(first, second))] == [2, 2]


def test_levels_in_front_of_a_bar_are_no_names_of_services(tmp_path):
    _, gaps = bring(tmp_path, {"app.log": "INFO  | accepted\nWARN  | slow\n"})

    assert [gap["what"] for gap in gaps] == ["app.log"]


def test_the_dump_of_kubectl_cluster_info_is_taken_apart_by_its_marks(tmp_path):
    text = (
        f"==== START logs for container app of pod shop/{POD} ====\n"
        "2026-11-20 08:01:00,250 INFO accepted\n\tat com.shop.Orders(Orders.java:7)\n"
        f"==== END logs for container app of pod shop/{POD} ====\n"
        f"==== START logs for container app of pod shop/{OTHER} ====\n"
        f"==== END logs for container app of pod shop/{OTHER} ====\n"
    )

    kept, gaps = bring(tmp_path, {f"dump/shop/{POD}/logs.txt": text, "dump/shop/pods.json": PODS})

    [path] = [path for path in kept if path.startswith("console/")]
    assert path.startswith(f"console/shop/{POD}/app.log.from-")
    assert kept[path] == (
        "2026-11-20T08:01:00.250000000Z 2026-11-20 08:01:00,250 INFO accepted\n"
        "2026-11-20T08:01:00.250000000Z \tat com.shop.Orders(Orders.java:7)\n"
    )
    assert ["no times of the kubelet" in gap["reason"] for gap in gaps] == [True]


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("2026-11-20T08:01:00.250+01:00 INFO accepted", "07:01:00.250000000"),
        ("[2026-11-20 08:01:00.250 +00:00 INF] accepted", "08:01:00.250000000"),
        ('{"@timestamp":"2026-11-20T08:01:00.250Z","message":"accepted"}', "08:01:00.250000000"),
        ('{"level":"info","ts":1795161660.25,"msg":"accepted"}', "08:01:00.250000000"),
        ("I1120 08:01:00.250000       1 main.go:7] accepted", "08:01:00.250000000"),
        ("08:01:00.250 [main] INFO accepted", "08:01:00.250000000"),
        ('10.0.0.1 - - [20/Nov/2026:08:01:00 +0000] "GET / HTTP/1.1" 200', "08:01:00.000000000"),
    ],
)
def test_a_console_without_the_kubelets_times_has_its_own(tmp_path, line, time):
    banner, trace = "Starting up", "\tat com.shop.Orders(Orders.java:7)"

    kept, gaps = bring(tmp_path, {f"console/shop/{POD}/app.log": f"{banner}\n{line}\n{trace}\n{line}\n"})

    expected = "".join(f"2026-11-20T{time}Z {text}\n" for text in (banner, line, trace, line))
    assert kept == {f"console/shop/{POD}/app.log": expected}
    assert ["no times of the kubelet" in gap["reason"] for gap in gaps] == [True]


def test_clocks_without_a_date_go_on_past_midnight(tmp_path):
    kept, _ = bring(
        tmp_path, {f"console/shop/{POD}/app.log": "23:59:59.5 INFO late\nSTARTING\n00:00:01.0 INFO early\n"}
    )

    stamps = [line.split(" ")[0] for line in kept[f"console/shop/{POD}/app.log"].splitlines()]
    assert stamps[0].startswith("2026-11-20T23:59:59.5") and stamps[2].startswith("2026-11-21T00:00:01")


ROW = {
    "TimeGenerated": STAMP, "Computer": "node-1", "ContainerName": "app", "PodName": POD, "PodNamespace": "shop",
    "LogMessage": "INFO accepted", "LogSource": "stdout",
}  # fmt: skip
LABELS = {"namespace": "shop", "pod": POD, "container": "app", "stream": "stdout"}
NANOSECONDS = "1795161660000000000"


def csv_of(*rows):
    return "\n".join([",".join(rows[0]), *(",".join(f'"{value}"' for value in row.values()) for row in rows)]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        csv_of(ROW),
        "\ufeff" + csv_of(ROW).replace("TimeGenerated", "TimeGenerated [UTC]"),
        csv_of({**ROW, "TimeGenerated": "11/20/2026, 8:01:00.000 AM"}),
        json.dumps([{**ROW, "TableName": "PrimaryResult"}], indent=2),
        json.dumps({"tables": [{"name": "PrimaryResult", "columns": [{"name": n, "type": "string"} for n in ROW],
                                "rows": [list(ROW.values())]}]}),
        json.dumps({"labels": LABELS, "line": "INFO accepted", "timestamp": STAMP}) + "\n",
        json.dumps([{"line": "INFO accepted", "timestamp": NANOSECONDS, "date": STAMP, "fields": LABELS}]),
        json.dumps({"status": "success", "data": {"resultType": "streams", "result": [
            {"stream": LABELS, "values": [[NANOSECONDS, "INFO accepted"]]}]}}),
        json.dumps([{"textPayload": "INFO accepted", "timestamp": STAMP, "logName": "projects/p/logs/stdout", "resource": {
            "type": "k8s_container", "labels": {"pod_name": POD, "container_name": "app", "namespace_name": "shop"}}}]),
        json.dumps({"time": STAMP, "stream": "stdout", "_p": "F", "log": "INFO accepted", "kubernetes": {
            "pod_name": POD, "container_name": "app", "namespace_name": "shop"}}) + "\n",
        f'{STAMP} {{container="app", namespace="shop", pod="{POD}", stream="stdout"}} INFO accepted\n',
    ],
)  # fmt: skip
def test_consoles_out_of_a_log_store_are_consoles(tmp_path, text):
    kept, _ = bring(tmp_path, {"export.csv" if "," in text.split("\n")[0] and "{" not in text else "export.json": text})

    [(path, line)] = kept.items()
    assert path.startswith(f"console/shop/{POD}/app.log.from-") and line == f"{STAMP} stdout F INFO accepted\n"


def test_an_export_with_the_latest_first_is_turned_and_equal_times_keep_their_order(tmp_path):
    rows = [{**ROW, "LogMessage": text, "TimeGenerated": time} for text, time in
            (("last", "2026-11-20T08:02:00Z"), ("\tat second", STAMP), ("first", STAMP))]  # fmt: skip

    kept, _ = bring(tmp_path, {"export.csv": csv_of(*rows)})

    [text] = kept.values()
    assert [line.split(" F ")[1] for line in text.splitlines()] == ["first", "\tat second", "last"]


def test_rows_that_name_no_pod_are_a_gap(tmp_path):
    kept, gaps = bring(tmp_path, {"export.csv": csv_of({k: v for k, v in ROW.items() if k != "PodName"})})

    assert kept == {} and "1 rows name no pod" in gaps[0]["reason"]


def test_secrets_in_a_converted_console_are_redacted(tmp_path):
    kept, _ = bring(tmp_path, {"export.csv": csv_of({**ROW, "LogMessage": "password=hunter2secret"})})

    assert "hunter2secret" not in "".join(kept.values())


def zstandard(data):
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


@pytest.mark.parametrize(
    ("ending", "pack"), [("xz", lzma.compress), ("bz2", bz2.compress), ("zst", zstandard), ("txt", zstandard)]
)
def test_packed_files_are_unpacked_by_what_they_hold(tmp_path, ending, pack):
    kept, gaps = bring(tmp_path, {f"console/shop/{POD}/app.log.{ending}": pack(KUBECTL.encode())})

    assert list(kept.values()) == [KUBECTL] and gaps == []


def test_a_torn_packed_file_is_a_gap(tmp_path):
    _, gaps = bring(tmp_path, {f"console/shop/{POD}/app.log.xz": lzma.compress(KUBECTL.encode() * 99)[:-40]})

    assert ["torn or unreadable" in gap["reason"] for gap in gaps] == [True]
