"""Capture from the lab's real servers: whole on a good day, and a named gap, never a traceback, on a bad one."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from incident_kit.answers.console_only import console_only
from incident_kit.capture import capture
from incident_kit.capture.doctor import examine
from incident_kit.capture.snapshot import take_snapshot
from incident_kit.errors import SourceError
from incident_kit.evidence import read_evidence
from incident_kit.profile import Profile
from incident_kit.sources import kubernetes
from incident_kit.sources.kubernetes import Cluster
from incident_kit.tables.kubernetes import EVENTS, PODS
from incident_kit.window import Window
from tests.lab.servers.folders import LAB
from tests.live.relay import Relay

pytestmark = pytest.mark.live

DOCUMENTS = 6000


@pytest.fixture(scope="module")
def lab() -> dict[str, Any]:
    path = LAB / "lab.json"
    assert path.exists(), f"{path} is missing: start the lab (make lab)"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def kubectl(lab: dict[str, Any], *arguments: str, stdin: str | None = None) -> str:
    command = [lab["kubernetes"]["kubectl"], "--kubeconfig", lab["kubernetes"]["kubeconfig"], *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True, timeout=300).stdout


@pytest.fixture
def credentials(lab: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INCIDENT_KIT_RABBITMQ_USER", "mon")
    monkeypatch.setenv("INCIDENT_KIT_RABBITMQ_PASSWORD", lab["rabbitmq"]["users"]["mon"])
    monkeypatch.setenv("INCIDENT_KIT_REDACTION_KEY", "ab" * 32)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def index(lab: dict[str, Any]) -> Iterator[str]:
    """An index of this test's own with documents of the last minutes."""
    name = f"kit-{uuid.uuid4().hex[:8]}"
    url = lab["elasticsearch"]["url"]
    properties = {"@timestamp": {"type": "date"}, "podName": {"type": "keyword"}, "message": {"type": "text"}}
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        client.put(f"/{name}", json={"mappings": {"properties": properties}}).raise_for_status()
        now = time.time_ns()
        lines = []
        for number in range(DOCUMENTS):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now / 1e9 - 120 + number / 100))
            document = {"@timestamp": f"{stamp}.{number % 1000:03d}Z", "podName": f"pod-{number % 7}"}
            document["message"] = f"entry {number} of bob{number}@example.com"
            lines += [orjson.dumps({"index": {}}), orjson.dumps(document)]
        answer = client.post(
            f"/{name}/_bulk?refresh=true",
            content=b"\n".join(lines) + b"\n",
            headers={"content-type": "application/x-ndjson"},
        )
        assert not answer.json()["errors"]
        yield name
        client.delete(f"/{name}")


@pytest.fixture(scope="module")
def pod(lab: dict[str, Any]) -> Iterator[str]:
    """A pod that runs: the lab has others, and events, only while a scenario is played or just after it."""
    name = f"kit-{uuid.uuid4().hex[:6]}"
    shell = lab["kubernetes"]["shell_image"]
    command = {"name": "app", "image": shell, "imagePullPolicy": "IfNotPresent", "command": ["/bin/sleep", "86400"]}
    spec = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1, "containers": [command]}
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}
    kubectl(lab, "apply", "-f", "-", stdin=json.dumps(document))
    kubectl(lab, "wait", f"pod/{name}", "-n", "default", "--for=condition=Ready", "--timeout=240s")
    yield name
    kubectl(lab, "delete", "pod", name, "-n", "default")


def profile(lab: dict[str, Any], **changes: Any) -> Profile:
    settings: dict[str, Any] = {
        "name": "lab",
        "cluster": "lab",
        "kubernetes": {"kubeconfig": lab["kubernetes"]["kubeconfig"]},
        # A broker that is busy with what a scenario left is slow, not away.
        "rabbitmq": {"urls": [node["management_url"] for node in lab["rabbitmq"]["nodes"]], "timeout_seconds": 60},
        **changes,
    }
    return Profile.model_validate(settings)


def elasticsearch(url: str, *indices: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "indices": list(indices), "page_size": 500, **more}


def documents(bundle: Path) -> list[dict[str, Any]]:
    files = sorted((bundle / "raw/elasticsearch").glob("documents*.ndjson.gz"))
    return [orjson.loads(line) for path in files for line in gzip.open(path)]


def gaps(bundle: Path, source: str) -> list[dict[str, Any]]:
    return [gap for gap in read_evidence(bundle).manifest.gaps if gap["source"] == source]


@pytest.mark.usefixtures("credentials")
def test_every_document_comes_once_and_the_pods_come_with_them(lab: dict[str, Any], index: str, pod: str) -> None:
    chosen = profile(lab, elasticsearch=elasticsearch(lab["elasticsearch"]["url"], index, slices=3))
    bundle = capture(chosen, Window.parse("-30m"), "whole.incident")
    hits = documents(bundle)
    assert len(hits) == DOCUMENTS
    assert len({hit["_id"] for hit in hits}) == DOCUMENTS
    assert not gaps(bundle, "elasticsearch")
    assert b"@example.com" not in b"".join(orjson.dumps(hit) for hit in hits)
    assert pod in set(read_evidence(bundle).table(PODS)["pod"])


@pytest.mark.usefixtures("credentials")
def test_an_elasticsearch_that_dies_in_the_middle_is_a_gap_and_loses_no_other_source(
    lab: dict[str, Any], index: str, pod: str
) -> None:
    relay = Relay(lab["elasticsearch"]["url"], cut_after=400_000)
    bundle = capture(profile(lab, elasticsearch=elasticsearch(relay.url, index)), Window.parse("-30m"), "dead.incident")
    relay.close()
    told = " ".join(gap["reason"] for gap in gaps(bundle, "elasticsearch"))
    assert "broke off after" in told
    assert 0 < len(documents(bundle)) < DOCUMENTS
    assert not len(console_only(read_evidence(bundle)))  # what was not read is unknown, never lost
    assert len(read_evidence(bundle).table(EVENTS))
    assert (bundle / "raw/rabbitmq/connections.json").is_file()


@pytest.mark.usefixtures("credentials")
def test_elasticsearch_that_never_answers_is_a_gap(lab: dict[str, Any]) -> None:
    chosen = profile(lab, elasticsearch=elasticsearch("http://127.0.0.1:9", "logs-*"))
    bundle = capture(chosen, Window.parse("-5m"), "away.incident")
    assert any("no answer from http://127.0.0.1:9" in gap["reason"] for gap in gaps(bundle, "elasticsearch"))


@pytest.fixture
def without_logs(lab: dict[str, Any], tmp_path: Path) -> Iterator[str]:
    """A kubeconfig of an account that may list pods and nothing else."""
    name = f"kit-{uuid.uuid4().hex[:6]}"
    kubectl(lab, "create", "serviceaccount", name, "-n", "default")
    kubectl(lab, "create", "clusterrole", name, "--verb=list", "--resource=pods")
    kubectl(lab, "create", "clusterrolebinding", name, f"--clusterrole={name}", f"--serviceaccount=default:{name}")
    config = json.loads(kubectl(lab, "config", "view", "--raw", "-o", "json"))
    token = kubectl(lab, "create", "token", name, "-n", "default").strip()
    # The API server knows a role some time after it was made.
    question = ("auth", "can-i", "list", "pods", "-A", f"--as=system:serviceaccount:default:{name}")
    wait_until(lambda: says_yes(lab, *question), seconds=60)
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    path = tmp_path / "limited.conf"
    path.write_text(json.dumps(config))
    yield str(path)
    for kind in ("clusterrolebinding", "clusterrole"):
        kubectl(lab, "delete", kind, name)
    kubectl(lab, "delete", "serviceaccount", name, "-n", "default")


@pytest.mark.usefixtures("credentials")
def test_without_the_right_to_read_logs_the_gap_names_the_right_and_the_pods_are_there(
    lab: dict[str, Any], without_logs: str, pod: str
) -> None:
    chosen = profile(lab, kubernetes={"kubeconfig": without_logs}, argocd={"kubeconfig": without_logs})
    bundle = capture(chosen, Window.parse("-30m"), "limited.incident")
    assert pod in set(read_evidence(bundle).table(PODS)["pod"])
    assert any("pods/log" in gap["reason"] for gap in gaps(bundle, "console"))
    denied = {gap["what"] for gap in gaps(bundle, "kubernetes")}
    assert any("events" in what for what in denied)
    assert not any(what.endswith("/pods") for what in denied)
    checks = {check.what: check for check in examine(chosen)}
    assert checks["list pods"].passed
    assert not checks["get pods/log"].passed
    assert "--resource=pods/log" in checks["get pods/log"].remedy


@pytest.mark.usefixtures("credentials")
def test_a_rabbitmq_user_who_sees_only_its_own_connections_is_told_so(
    lab: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_KIT_RABBITMQ_USER", "mgmt")
    monkeypatch.setenv("INCIDENT_KIT_RABBITMQ_PASSWORD", lab["rabbitmq"]["users"]["mgmt"])
    bundle = capture(profile(lab), Window.parse("-5m"), "mgmt.incident")
    told = gaps(bundle, "rabbitmq")
    assert any("sees its own connections" in gap["reason"] for gap in told)
    assert any("set_user_tags mgmt monitoring" in (gap["remedy"] or "") for gap in told)


@pytest.mark.usefixtures("credentials")
def test_a_wrong_rabbitmq_password_is_a_gap_and_never_in_the_bundle(
    lab: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_KIT_RABBITMQ_PASSWORD", "wr0ng-passw0rd")
    bundle = capture(profile(lab), Window.parse("-5m"), "wrong.incident")
    assert gaps(bundle, "rabbitmq")
    assert not any(b"wr0ng-passw0rd" in path.read_bytes() for path in bundle.rglob("*") if path.is_file())


@pytest.mark.usefixtures("credentials")
def test_a_rabbitmq_node_that_is_away_is_named_and_another_one_answers(lab: dict[str, Any]) -> None:
    urls = ["http://127.0.0.1:9", *(node["management_url"] for node in lab["rabbitmq"]["nodes"])]
    bundle = capture(profile(lab, rabbitmq={"urls": urls}), Window.parse("-5m"), "node.incident")
    assert any("127.0.0.1:9" in gap["what"] for gap in gaps(bundle, "rabbitmq"))
    assert len(json.loads((bundle / "raw/rabbitmq/nodes.json").read_text())) == len(lab["rabbitmq"]["nodes"])


@pytest.mark.usefixtures("credentials")
def test_an_elasticsearch_user_without_privileges_is_refused_and_doctor_says_what_to_grant(
    lab: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    secure = lab["elasticsearch_secure"]
    monkeypatch.setenv("INCIDENT_KIT_ELASTICSEARCH_USER", "nobody")
    monkeypatch.setenv("INCIDENT_KIT_ELASTICSEARCH_PASSWORD", secure["users"]["nobody"])
    chosen = profile(lab, elasticsearch=elasticsearch(secure["url"], "logs-*"))
    bundle = capture(chosen, Window.parse("-5m"), "refused.incident")
    assert any("privileges" in (gap["remedy"] or "") for gap in gaps(bundle, "elasticsearch"))
    failed = [check for check in examine(chosen) if check.source == "elasticsearch" and not check.passed]
    assert any("view_index_metadata" in check.remedy for check in failed)


@pytest.fixture
def secrets_in_cluster(lab: dict[str, Any]) -> Iterator[str]:
    """A Secret and a ConfigMap whose values must not reach a bundle."""
    name = f"kit-{uuid.uuid4().hex[:6]}"
    kubectl(lab, "create", "secret", "generic", name, "-n", "default", "--from-literal=k=secret-value-never-leaves")
    kubectl(lab, "create", "configmap", name, "-n", "default", "--from-literal=k=config-value-never-leaves")
    yield name
    kubectl(lab, "delete", "secret,configmap", name, "-n", "default")


@pytest.mark.usefixtures("credentials")
def test_values_of_secrets_and_configmaps_never_reach_the_bundle_but_their_changes_do(
    lab: dict[str, Any], secrets_in_cluster: str
) -> None:
    def hashes(bundle: Path) -> dict[str, str]:
        return {
            plural: next(
                item["data"]["k"]
                for item in json.loads((bundle / f"raw/kubernetes/{plural}.json").read_text())
                if item["metadata"]["name"] == secrets_in_cluster
            )
            for plural in ("secrets", "configmaps")
        }

    first = capture(profile(lab), Window.parse("-5m"), "one.incident")
    encoded = base64.b64encode(b"secret-value-never-leaves")
    for path in (path for path in first.rglob("*") if path.is_file()):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert b"value-never-leaves" not in data
        assert encoded not in data
    change = '{"data": {"k": "other-config-value"}}'
    kubectl(lab, "patch", "configmap", secrets_in_cluster, "-n", "default", "--type=merge", "-p", change)
    second = capture(profile(lab), Window.parse("-5m"), "two.incident")
    assert hashes(first)["secrets"] == hashes(second)["secrets"]
    assert hashes(first)["configmaps"] != hashes(second)["configmaps"]


@pytest.mark.usefixtures("credentials")
def test_a_snapshot_keeps_only_what_the_one_before_does_not_hold(lab: dict[str, Any], tmp_path: Path, pod: str) -> None:
    first = take_snapshot(profile(lab), tmp_path / "store")
    time.sleep(1.1)  # snapshots are named by the second
    second = take_snapshot(profile(lab), tmp_path / "store")
    kept = [
        {(event["metadata"]["uid"], event["metadata"]["resourceVersion"]) for event in read_raw(path, "events")}
        for path in (first, second)
    ]
    assert kept[0]
    assert not kept[0] & kept[1]


def read_raw(bundle: Path, plural: str) -> list[dict[str, Any]]:
    evidence = read_evidence(bundle)  # a zip is unpacked only while its evidence lives
    found: list[dict[str, Any]] = json.loads((evidence.raw.path / f"kubernetes/{plural}.json").read_text())
    return found


def says_yes(lab: dict[str, Any], *question: str) -> bool:
    """The answer of ``kubectl auth can-i``, which ends with 1 when it is no."""
    command = [lab["kubernetes"]["kubectl"], "--kubeconfig", lab["kubernetes"]["kubeconfig"], *question]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300).stdout.strip() == "yes"


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, but not for ever."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so within {seconds} s"
        time.sleep(0.5)


def is_expired(cluster: Cluster, token: str) -> bool:
    """Whether the server no longer knows the revision of a continue token (HTTP 410)."""
    try:
        cluster.json("GET", "/api/v1/serviceaccounts", {"limit": "3", "continue": token})
    except SourceError as error:
        return "too old" in error.reason or "expired" in error.reason.lower()
    return False


def test_lists_come_whole_in_small_pages_and_after_the_continue_token_expired(
    lab: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(kubeconfig=lab["kubernetes"]["kubeconfig"])
    whole = {item["metadata"]["uid"] for item in cluster.list("serviceaccounts")}
    monkeypatch.setattr(kubernetes, "PAGE", 3)
    assert {item["metadata"]["uid"] for item in cluster.list("serviceaccounts")} >= whole
    # The lab's API server forgets old revisions every 20 seconds; then it answers 410 and a token for the rest of the list.
    expired = json.dumps({"v": "meta.k8s.io/v1", "rv": 1, "start": "a\u0000"}).encode()
    token = base64.urlsafe_b64encode(expired).decode().rstrip("=")
    wait_until(lambda: is_expired(cluster, token), seconds=600)
    again = {item["metadata"]["uid"] for item in cluster.list("serviceaccounts", **{"continue": token})}
    monkeypatch.undo()
    # Namespaces that an earlier test left may have gone meanwhile, with their accounts.
    assert again >= whole & {item["metadata"]["uid"] for item in cluster.list("serviceaccounts")}


@pytest.mark.usefixtures("credentials")
def test_a_capture_of_one_pod_holds_its_console_and_all_its_documents_and_no_others(
    lab: dict[str, Any], index: str
) -> None:
    chosen = profile(lab, elasticsearch=elasticsearch(lab["elasticsearch"]["url"], index))
    bundle = capture(chosen, Window.parse("-30m"), "pod.incident", pod="default/pod-3")
    assert {hit["_source"]["podName"] for hit in documents(bundle)} == {"pod-3"}
    assert len(documents(bundle)) == len(range(3, DOCUMENTS, 7))
    assert orjson.loads((bundle / "raw/elasticsearch/query.json").read_bytes())["pods"] == ["pod-3"]
    assert not (bundle / "raw/console").exists()
