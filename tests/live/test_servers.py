"""Each server of the lab answers and is what lab.json says it is.

The servers are real ones, started by ``python -m tests.lab start`` (``make test-live`` does).
"""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import psutil
import pytest

from tests.lab.servers import bridge
from tests.lab.servers.argocd.settings import CONTROLLER_METRICS_PORT
from tests.lab.servers.folders import LAB
from tests.lab.servers.processes import run
from tests.lab.servers.register import SERVERS

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def lab() -> dict[str, Any]:
    path = LAB / "lab.json"
    assert path.exists(), f"{path} is missing: start the lab (make lab)"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def ask(url: str, authorization: str | None = None, method: str = "GET", body: object = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
    payload = None if body is None else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, payload, headers, method=method), timeout=30) as answer:
        return json.loads(answer.read())


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def eventually(question: Callable[[], Any], seconds: float = 240) -> Any:
    """The first answer that is true, or the last one: the bound ends what would never be so, and measures nothing."""
    end = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(0.3)
    return answer


def kubectl(lab: dict[str, Any], *arguments: object, stdin: str | None = None, reader: bool = False) -> str:
    facts = lab["kubernetes"]
    config = facts["reader_kubeconfig"] if reader else facts["kubeconfig"]
    return run(facts["kubectl"], "--kubeconfig", config, *arguments, stdin=stdin, seconds=90)


def refused(function: Callable[[], object]) -> int:
    with pytest.raises(urllib.error.HTTPError) as error:
        function()
    return error.value.code


def test_lab_json_is_readable_by_its_owner_only(lab: dict[str, Any]) -> None:
    assert (LAB / "lab.json").stat().st_mode & 0o777 == 0o600
    assert set(lab) == {"elasticsearch", "elasticsearch_secure", "rabbitmq", "kubernetes", "argocd"}


def test_elasticsearch_without_security_indexes_and_finds(lab: dict[str, Any]) -> None:
    url = lab["elasticsearch"]["url"]
    assert ask(url)["version"]["number"] == lab["elasticsearch"]["version"] == "9.5.3"
    index = f"probe-{uuid.uuid4().hex[:8]}"
    try:
        ask(f"{url}/{index}/_doc?refresh=true", method="POST", body={"message": "hello"})
        assert ask(f"{url}/{index}/_count")["count"] == 1
    finally:
        ask(f"{url}/{index}", method="DELETE")


def test_secured_elasticsearch_refuses_strangers_and_limits_its_api_key(lab: dict[str, Any]) -> None:
    facts = lab["elasticsearch_secure"]
    url, key = facts["url"], f"ApiKey {facts['api_key']}"
    admin = basic(facts["user"], facts["password"])
    assert refused(lambda: ask(url)) == 401
    assert ask(url, admin)["version"]["number"] == "9.5.3"
    readable, hidden = f"logs-probe-{uuid.uuid4().hex[:8]}", f"probe-{uuid.uuid4().hex[:8]}"
    try:
        for index in (readable, hidden):
            ask(f"{url}/{index}/_doc?refresh=true", admin, "POST", {"message": "hello"})
        assert ask(f"{url}/{readable}/_count", key)["count"] == 1
        assert refused(lambda: ask(f"{url}/{hidden}/_count", key)) == 403
        assert refused(lambda: ask(f"{url}/{readable}/_doc", key, "POST", {"message": "no"})) == 403
        nobody = basic("nobody", facts["users"]["nobody"])
        assert refused(lambda: ask(f"{url}/{readable}/_count", nobody)) == 403
    finally:
        for index in (readable, hidden):
            ask(f"{url}/{index}", admin, "DELETE")


def test_three_rabbitmq_nodes_run_as_one_cluster_on_every_management_api(lab: dict[str, Any]) -> None:
    facts = lab["rabbitmq"]
    authorization = basic("mon", facts["users"]["mon"])
    names = {node["name"] for node in facts["nodes"]}
    for node in facts["nodes"]:
        nodes = ask(f"{node['management_url']}/api/nodes", authorization)
        assert {each["name"] for each in nodes if each["running"]} == names
        assert all(each["partitions"] == [] for each in nodes)
        assert Path(node["log"]).is_file()
    assert len(names) == 3
    assert ask(f"{facts['nodes'][0]['management_url']}/api/whoami", authorization)["tags"] == ["monitoring"]


def test_rabbitmq_is_reached_on_the_pods_bridge_and_names_the_connections_node(lab: dict[str, Any]) -> None:
    facts = lab["rabbitmq"]
    node = facts["nodes"][1]
    name = f"probe-{uuid.uuid4().hex[:8]}"
    parameters = pika.ConnectionParameters(
        node["pod_host"],
        node["amqp_port"],
        "shop",
        pika.PlainCredentials("app", facts["users"]["app"]),
        client_properties={"connection_name": name},
    )
    connection = pika.BlockingConnection(parameters)
    try:
        url = f"{facts['nodes'][0]['management_url']}/api/connections"
        monitoring = basic("mon", facts["users"]["mon"])

        def found() -> list[dict[str, Any]]:
            rows = ask(url, monitoring)
            return [row for row in rows if row.get("client_properties", {}).get("connection_name") == name]

        rows = eventually(found)
        assert [row["node"] for row in rows] == [node["name"]]
    finally:
        connection.close()


def test_kubernetes_has_the_version_it_claims_and_one_ready_node(lab: dict[str, Any]) -> None:
    version = json.loads(kubectl(lab, "version", "-o", "json"))["serverVersion"]
    assert version["gitVersion"] == f"v{lab['kubernetes']['version']}" == "v1.37.2"
    [node] = json.loads(kubectl(lab, "get", "nodes", "-o", "json"))["items"]
    assert {each["type"]: each["status"] for each in node["status"]["conditions"]}["Ready"] == "True"
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.37.2"
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://")


@pytest.fixture
def namespace(lab: dict[str, Any]) -> Iterator[str]:
    name = f"probe-{uuid.uuid4().hex[:8]}"
    kubectl(lab, "create", "namespace", name)
    account = ("-n", name, "get", "serviceaccount", "default", "--ignore-not-found", "-o", "name")
    assert eventually(lambda: kubectl(lab, *account).strip())  # no pod is let in before
    yield name
    kubectl(lab, "delete", "namespace", name, "--wait=false")


def test_a_pod_reaches_the_servers_from_an_address_of_its_own(lab: dict[str, Any], namespace: str) -> None:
    node = lab["rabbitmq"]["nodes"][0]
    elastic = lab["elasticsearch"]["pod_url"]
    # The broker greets nobody before eight bytes that it does not like: then it says which protocol it speaks.
    script = f"wget -q -O - {elastic} && printf 'NOTAMQP!' | nc -w 60 {node['pod_host']} {node['amqp_port']}; exit 0"
    container = {
        "name": "probe",
        "image": lab["kubernetes"]["shell_image"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", script],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "namespace": namespace},
        "spec": {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]},
    }
    kubectl(lab, "apply", "-f", "-", stdin=json.dumps(pod))
    phase = ("get", "pod", "probe", "-n", namespace, "-o", "jsonpath={.status.phase}")
    assert eventually(lambda: kubectl(lab, *phase) == "Succeeded"), kubectl(
        lab, "describe", "pod", "probe", "-n", namespace
    )
    said = kubectl(lab, "logs", "probe", "-n", namespace, reader=True)
    assert "You Know, for Search" in said
    assert "AMQP" in said
    address = kubectl(lab, "get", "pod", "probe", "-n", namespace, "-o", "jsonpath={.status.podIP}")
    assert address.startswith("10.88.0.")
    # The broker's own log is the witness of who came.
    assert eventually(lambda: f"({address}:" in Path(node["log"]).read_text(errors="replace"))


def test_the_reader_of_the_cluster_has_the_rights_of_a_capture_and_no_more(lab: dict[str, Any]) -> None:
    def can(verb: str, kind: str) -> str:
        config = lab["kubernetes"]["reader_kubeconfig"]
        question = (verb, kind, "--all-namespaces")
        return run(
            lab["kubernetes"]["kubectl"], "--kubeconfig", config, "auth", "can-i", *question, check=False
        ).strip()

    assert can("list", "pods") == "yes"
    assert can("get", "pods/log") == "yes"
    assert can("create", "pods/exec") == "no"
    assert can("delete", "pods") == "no"


def test_argo_cd_syncs_an_application_from_the_lab_s_git_server(
    lab: dict[str, Any], namespace: str, tmp_path: Path
) -> None:
    facts = lab["argocd"]
    version = ask(f"{facts['url']}/api/version")["Version"]
    assert version.removeprefix("v").split("+")[0] == facts["version"] == "3.5.7"
    # A branch of its own: the repository may be in use.
    identity = {
        f"GIT_{role}_{part}": "probe@example.invalid" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
    }

    def git(*arguments: object) -> str:
        return run("git", *arguments, cwd=tmp_path, environment={**identity, "HOME": str(tmp_path)})

    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe"}, "data": {"answer": "42"}}
    git("init", "-q", f"--initial-branch={namespace}")
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe" / "map.yaml").write_text(json.dumps(config_map))
    git("add", "probe")
    git("commit", "-q", "-m", "Probe")
    git("push", "-q", facts["repository"], namespace)
    source = {"repoURL": facts["repository_url"], "targetRevision": namespace, "path": "probe"}
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": namespace, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
        },
    }
    cli = (facts["cli"], "--plaintext", "--server", facts["server"], "--auth-token", facts["tokens"]["ci"])
    environment = {"HOME": str(tmp_path), "NO_PROXY": "*"}
    try:
        kubectl(lab, "apply", "-f", "-", stdin=json.dumps(application))
        # Argo CD's API server answers from a cache that comes after Kubernetes.
        listing = (*cli, "app", "list", "-o", "name")
        assert eventually(lambda: f"argocd/{namespace}" in run(*listing, environment=environment).split())
        run(*cli, "app", "sync", namespace, "--timeout", 300, seconds=90, environment=environment)
        assert kubectl(lab, "get", "configmap", "probe", "-n", namespace, "-o", "jsonpath={.data.answer}") == "42"
        status = json.loads(kubectl(lab, "get", "application", namespace, "-n", "argocd", "-o", "json"))["status"]
        [entry] = status["history"]
        assert entry["revision"] == git("rev-parse", "HEAD").strip()
        assert entry["initiatedBy"] == {"username": "ci"}
    finally:
        kubectl(lab, "delete", "application", namespace, "-n", "argocd", "--ignore-not-found")
        git("push", "-q", facts["repository"], "--delete", namespace)


def test_the_lab_listens_on_loopback_and_on_the_pods_bridge_only() -> None:
    pids = {process.pid() for server in SERVERS for process in server.processes}
    children = {child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)}
    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    ours = {
        (each.laddr.ip.removeprefix("::ffff:"), each.laddr.port) for each in listening if each.pid in pids | children
    }
    open_to_others = {port for address, port in ours if address not in {"127.0.0.1", "::1", bridge.HOST_ADDRESS}}
    # Argo CD's controller has no setting for the address of its metrics, which hold no secrets.
    assert open_to_others <= {CONTROLLER_METRICS_PORT}
    assert {9200, 9201, 5672, 16443, 18080} <= {port for _, port in ours}
