"""What kubectl, rabbitmqctl and argocd print as text: each becomes the objects that it shows."""

import json

import pytest

from incident_kit import changes, console_only, import_folder, rabbit, read_evidence, restarts, trace
from incident_kit.tables.kubernetes import EVENTS, PODS
from incident_kit.tables.rabbitmq import CONSUMERS, QUEUES, RABBIT_NODES
from incident_kit.window import parse_rfc3339
from tests.importing.bringing import POD, bring
from tests.importing.bringing import PODS as POD_LIST
from tests.importing.folder import pod

NOW = parse_rfc3339("2026-11-20T09:10:00Z")
WINDOW = {"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z", "captured_at": "2026-11-20T09:10:00Z"}


@pytest.fixture(autouse=True)
def own_key(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


def evidence_of(tmp_path, files, window=WINDOW):
    folder = tmp_path / "collected"
    for name, text in {"window.json": json.dumps(window), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return read_evidence(import_folder(folder, tmp_path / "a.incident"))


DESCRIBED = f"""Name:             {POD}
Namespace:        shop
Priority:         0
Service Account:  orders
Node:             node-1/10.1.0.4
Start Time:       Fri, 20 Nov 2026 07:59:01 +0000
Labels:           app=orders
                  pod-template-hash=7c9f8d6b5
Annotations:      note: first: second
Status:           Running
IP:               10.2.3.4
IPs:
  IP:           10.2.3.4
Controlled By:  ReplicaSet/orders-api-7c9f8d6b5
Containers:
  app:
    Container ID:   containerd://{"b" * 64}
    Image:          registry.example/orders-api:1.4.2
    Image ID:       registry.example/orders-api@sha256:{"a" * 64}
    Port:           8080/TCP
    State:          Running
      Started:      Fri, 20 Nov 2026 08:20:05 +0000
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Fri, 20 Nov 2026 07:59:05 +0000
      Finished:     Fri, 20 Nov 2026 08:20:00 +0000
    Ready:          True
    Restart Count:  1
    Limits:
      memory:  256Mi
    Environment:
      DB_PASSWORD:  hunter2-in-the-clear
    Mounts:         <none>
Conditions:
  Type              Status
  Ready             True
Volumes:            <none>
QoS Class:          Burstable
Events:
  Type     Reason   Age                  From     Message
  ----     ------   ----                 ----     -------
  Warning  BackOff  47m (x4 over 49m)    kubelet  Back-off restarting failed container
  Normal   Pulled   50m                  kubelet  Container image already present
"""


def test_a_described_pod_is_known_with_its_instances_and_events(tmp_path):
    evidence = evidence_of(
        tmp_path, {"describe.txt": f"{DESCRIBED}\n\n{DESCRIBED.replace(POD, 'orders-api-7c9f8d6b5-zzzzz')}"}
    )

    identity = trace(POD, evidence)["identity"]
    assert (identity["node"], identity["pod_ips"], identity["owner_name"]) == (
        "node-1",
        ["10.2.3.4"],
        "orders-api-7c9f8d6b5",
    )
    found = restarts(evidence)
    assert [(r.pod, r.restart_count, r.reason, r.exit_code) for r in found[found["pod"] == POD].itertuples()] == [
        (POD, 0, "OOMKilled", 137)
    ]
    events = evidence.table(EVENTS)
    own = events[events["name"] == POD].set_index("reason")
    assert own.loc["BackOff", "count"] == 4 and str(own.loc["BackOff", "first_at"])[:16] == "2026-11-20 08:21"
    leaked = [path for path in evidence.path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert leaked == []


def test_a_description_beside_the_pod_itself_adds_no_second_pod_and_no_second_event(tmp_path):
    real = {"kind": "Event", "metadata": {"name": "e", "namespace": "shop", "uid": "1"}, "reason": "Pulled", "count": 1,
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": POD, "uid": pod()["metadata"]["uid"]},
            "message": "Container image already present", "lastTimestamp": "2026-11-20T08:20:04Z"}  # fmt: skip

    evidence = evidence_of(
        tmp_path, {"describe.txt": DESCRIBED, "pods.json": POD_LIST, "events.json": json.dumps([real])}
    )

    assert list(evidence.table(PODS)["pod_uid"]) == [pod()["metadata"]["uid"]]
    assert sorted(evidence.table(EVENTS)["reason"]) == ["BackOff", "Pulled"]


def test_without_the_time_of_printing_events_with_ages_are_a_gap_and_the_rest_is_read(tmp_path):
    kept, gaps = bring(tmp_path, {"describe.txt": DESCRIBED, "events.txt": EVENT_TABLE})

    [pods] = [json.loads(text) for path, text in kept.items() if "pods" in path]
    assert pods[0]["status"]["podIP"] == "10.2.3.4" and not [path for path in kept if "events" in path]
    assert [gap["what"] for gap in gaps if "nobody says when" in gap["reason"]] == ["describe.txt", "events.txt"]


def aligned(*rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("   ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


SAID = "Back-off restarting failed  container"
EVENT_TABLE = aligned(
    ("NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"),
    ("shop", "47m (x4 over 49m)", "Warning", "BackOff", f"Pod/{POD}", SAID),
    ("shop", "<unknown>", "Normal", "Scheduled", f"Pod/{POD}", "Assigned to node-1"),
)
WIDE = aligned(
    ("LAST SEEN", "TYPE", "REASON", "OBJECT", "SUBOBJECT", "SOURCE", "MESSAGE", "FIRST SEEN", "COUNT", "NAME"),
    ("47m", "Warning", "BackOff", f"pod/{POD}", "", "kubelet, node-1", SAID, "49m", "4", "x.1"),
)
WATCHED = f"LAST SEEN   TYPE   REASON   OBJECT   MESSAGE\n47m (x4 over 49m)   Warning   BackOff   pod/{POD}   {SAID}\n"


@pytest.mark.parametrize("table", [EVENT_TABLE, WIDE, WATCHED])
def test_tables_of_events_are_events_of_the_known_pods(tmp_path, table):
    kept, _ = bring(tmp_path, {"pods.json": POD_LIST, "events.txt": table}, captured_at=NOW)

    [text] = [text for path, text in kept.items() if "events" in path]
    event = json.loads(text)[0]
    assert (event["involvedObject"]["namespace"], event["involvedObject"]["name"], event["message"]) == (
        "shop",
        POD,
        SAID,
    )
    assert (event["firstTimestamp"][:16], event["lastTimestamp"][:16], event["count"]) == (
        "2026-11-20T08:21",
        "2026-11-20T08:23",
        4,
    )


def test_a_table_of_pods_tells_address_node_and_what_it_counts(tmp_path):
    table = (
        "NAMESPACE   NAME                         READY   STATUS             RESTARTS      AGE   IP         NODE     NOMINATED NODE\n"
        f"shop        {POD}   1/2     CrashLoopBackOff   7 (2m ago)    71m   10.2.3.4   node-1   <none>\n"
    )

    evidence = evidence_of(tmp_path, {"pods.txt": table})

    [row] = evidence.table(PODS).to_dict("records")
    assert (row["ready"], row["status"], row["restarts"], row["node"]) == ("1/2", "CrashLoopBackOff", 7, "node-1")
    assert list(row["pod_ips"]) == ["10.2.3.4"] and str(row["created_at"])[:16] == "2026-11-20 07:59"


def test_of_what_get_all_prints_only_pods_are_pods(tmp_path):
    pods = aligned(("NAME", "READY", "STATUS", "RESTARTS", "AGE"), (f"pod/{POD}", "1/1", "Running", "0", "71m"))
    services = aligned(
        ("NAME", "TYPE", "CLUSTER-IP", "PORT(S)", "AGE"), ("service/orders", "ClusterIP", "10.0.0.1", "80/TCP", "9d")
    )

    kept, _ = bring(tmp_path, {"all.txt": f"{pods}\n{services}"}, captured_at=NOW)

    assert [one["metadata"]["name"] for text in kept.values() for one in json.loads(text)] == [POD]


@pytest.mark.parametrize(("name", "document"), [("rabbitmq/foo.json", [{"bar": 1}]), ("argocd/foo.json", {"bar": 1})])
def test_a_file_that_no_answer_is_made_from_is_said_to_be_one(tmp_path, name, document):
    _, gaps = bring(tmp_path, {name: json.dumps(document)})

    assert [(gap["what"], "no answer is made from it" in gap["reason"]) for gap in gaps] == [(name, True)]


def test_a_list_of_the_api_under_another_name_is_read_as_what_it_is(tmp_path):
    connection = {"name": "a -> b", "peer_host": "10.2.3.4", "peer_port": 1, "client_properties": {}}

    kept, gaps = bring(tmp_path, {"rabbitmq/api_connections.json": json.dumps([connection])})

    assert [path.split("-")[0] for path in kept] == ["rabbitmq/connections"] and gaps == []


NAME, NODE = "10.2.3.4:47122 -> 10.0.0.9:5672", "rabbit@rabbitmq-1.mq.svc"
COLUMNS = ["name", "node", "peer_host", "peer_port", "user", "vhost", "connected_at", "client_properties"]
TERM = '[{"product","longstr","x"},{"connection_name",longstr,"orders"}]'
VALUES = [NAME, NODE, "10.2.3.4", "47122", "app", "shop", "1795161700000", TERM]
BY_PROCESS = {"pid": f"<{NODE}.1795000000.7.0>", "name": NAME, "peer_host": [10, 2, 3, 4], "peer_port": 47122,
              "client_properties": [["connection_name", "longstr", "orders"]]}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "Listing connections ...\n" + "\t".join(COLUMNS) + "\n" + "\t".join(VALUES) + "\n",
        "[\n" + json.dumps(BY_PROCESS) + "\n]\n",
        "pid\tpeer_host\tpeer_port\thost\tport\n" + f"<{NODE}.1795000000.7.0>\t10.2.3.4\t47122\t10.0.0.9\t5672\n",
        "┌──────┬────┐\n│ name │ node │ peer_host │ peer_port │\n├──────┼────┤\n"
        + f"│ {NAME} │ {NODE} │ 10.2.3.4 │ 47122 │\n└──┴──┘\n",
        "name,node,peer_host,peer_port\n" + f'"{NAME}",{NODE},10.2.3.4,47122\n',
    ],
)
def test_connections_as_rabbitmqctl_lists_them_are_the_apis(tmp_path, text):
    kept, gaps = bring(tmp_path, {"rabbitmq/list.json" if text[:1] == "[" else "list.txt": text})

    [connection] = json.loads("".join(kept.values()))
    assert gaps == [] and next(iter(kept)).startswith("rabbitmq/connections-")
    assert (connection["name"], connection["node"], connection["peer_host"], connection["peer_port"]) == (
        NAME,
        NODE,
        "10.2.3.4",
        47122,
    )


def test_who_uses_which_node_is_answered_from_rabbitmqctl_alone(tmp_path):
    text = "\t".join(COLUMNS) + "\n" + "\t".join(VALUES) + "\n"

    evidence = evidence_of(tmp_path, {"pods.json": POD_LIST, "conns.txt": text})

    [row] = rabbit(POD, evidence).to_dict("records")
    assert (row["rabbit_node"], row["connection"], row["user_provided_name"]) == (NODE, NAME, "orders")


def test_connections_without_their_names_are_a_gap_with_the_command_that_tells_them(tmp_path):
    kept, gaps = bring(tmp_path, {"c.txt": "user\tpeer_host\tpeer_port\tstate\napp\t10.2.3.4\t47122\trunning\n"})

    assert kept == {} and "rabbitmqctl list_connections name pid" in gaps[0]["remedy"]


def test_consumers_queues_and_nodes_as_the_tools_print_them(tmp_path):
    lists = (
        "Listing consumers in vhost shop ...\nqueue_name\tchannel_pid\tconsumer_tag\tack_required\tprefetch_count\tactive\targuments\n"
        f"orders.q\t<{NODE}.1.2.0>\tctag1\ttrue\t10\ttrue\t[]\n"
        "Listing queues for vhost billing ...\nname\tmessages\tstate\nbills.q\t12\trunning\n"
    )
    status = f"Cluster status of node {NODE} ...\n\x1b[1mBasics\x1b[0m\n\nCluster name: x\n\nDisk Nodes\n\n{NODE}\nrabbit@gone\n\nRunning Nodes\n\n{NODE}\n"

    evidence = evidence_of(tmp_path, {"lists.txt": lists, "cluster_status.txt": status})

    assert [(r.vhost, r.queue, r.consumer_tag, r.active) for r in evidence.table(CONSUMERS).itertuples()] == [
        ("shop", "orders.q", "ctag1", True)
    ]
    assert [(r.vhost, r.queue, r.messages) for r in evidence.table(QUEUES).itertuples()] == [("billing", "bills.q", 12)]
    assert {r.rabbit_node: bool(r.running) for r in evidence.table(RABBIT_NODES).itertuples()} == {
        NODE: True,
        "rabbit@gone": False,
    }


def test_what_cluster_info_dump_prints_is_objects_and_consoles(tmp_path):
    console = f"==== START logs for container app of pod shop/{POD} ====\n08:01:00 INFO accepted\n==== END logs for container app of pod shop/{POD} ====\n"

    kept, _ = bring(tmp_path, {"dump.txt": json.dumps(json.loads(POD_LIST), indent=4) + "\n" + console})

    [text] = [text for path, text in kept.items() if path.startswith(f"console/shop/{POD}/app.log")]
    assert text == "2026-11-20T08:01:00.000000000Z 08:01:00 INFO accepted\n"
    assert [
        one["metadata"]["name"] for path, text in kept.items() if "kubernetes" in path for one in json.loads(text)
    ] == [POD]


def test_applications_as_argocd_lists_them_are_argocds(tmp_path):
    application = {"metadata": {"name": "orders-api"}, "spec": {"destination": {"namespace": "shop"}, "source": {"repoURL": "x"}},
                   "status": {"resources": [{"kind": "Deployment", "name": "orders-api"}]}}  # fmt: skip

    kept, gaps = bring(tmp_path, {"apps.json": json.dumps([application], indent=1)})

    assert gaps == [] and [path.split("/")[0] for path in kept] == ["argocd"]


def test_a_history_of_argocd_is_the_applications_syncs(tmp_path):
    history = (
        "SOURCE  https://git.example/deploy.git\nID      DATE                           REVISION\n"
        "0       2026-11-20 08:10:00 +0000 UTC  main (57ad10a)\n1       2026-11-20 09:40:00 +0100 CET  v1.5.0 (0c54d41)\n"
    )

    found = changes(evidence_of(tmp_path, {"argocd/orders-api-history.txt": history}))

    syncs = found[found["kind"] == "Application"]
    assert [
        (str(row.time)[:16], row.name, row.new) for row in syncs[["time", "name", "new"]].itertuples(index=False)
    ] == [
        ("2026-11-20 08:10", "orders-api", "57ad10a"),
        ("2026-11-20 08:40", "orders-api", "0c54d41"),
    ]


def test_a_history_beside_the_application_itself_tells_no_sync_twice(tmp_path):
    application = {"kind": "Application", "metadata": {"name": "orders-api", "namespace": "argocd"}, "spec": {}, "status": {
        "history": [{"id": 0, "deployedAt": "2026-11-20T08:10:00Z", "revision": "57ad10a"}]}}  # fmt: skip
    history = "ID  DATE                           REVISION\n0   2026-11-20 08:10:00 +0000 UTC  main (57ad10a)\n"

    found = changes(
        evidence_of(tmp_path, {"argocd/a.json": json.dumps(application), "argocd/orders-api-history.txt": history})
    )

    assert len(found[found["kind"] == "Application"]) == 1


def test_lines_of_one_file_that_go_on_over_a_restart_are_of_two_instances(tmp_path):
    two = pod()
    two["status"]["containerStatuses"][0] |= {
        "restartCount": 1, "state": {"running": {"startedAt": "2026-11-20T08:20:05Z"}},
        "lastState": {"terminated": {"exitCode": 137, "startedAt": "2026-11-20T07:59:05Z", "finishedAt": "2026-11-20T08:20:00Z"}},
    }  # fmt: skip
    lines = "".join(f"[pod/{POD}/app] 2026-11-20T08:{minute:02d}:00Z INFO {minute}\n" for minute in (10, 19, 21, 30))

    evidence = evidence_of(tmp_path, {"pods.json": json.dumps([two]), "all.log": lines})

    found = console_only(evidence, verdicts=True)
    assert [(row.text, row.restart_count) for row in found.itertuples()] == [
        ("INFO 10", 0), ("INFO 19", 0), ("INFO 21", 1), ("INFO 30", 1),
    ]  # fmt: skip
