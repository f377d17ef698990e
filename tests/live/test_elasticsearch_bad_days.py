"""Bad days of a real Elasticsearch: each leaves a gap with a remedy, never an empty answer, and loses no other source."""

from __future__ import annotations

import itertools
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from incident_kit.answers.console_only import console_only
from incident_kit.capture import capture
from incident_kit.evidence import read_evidence
from incident_kit.sources.elasticsearch import Search
from incident_kit.sources.slices import Reading
from incident_kit.tables.kubernetes import PODS
from incident_kit.window import Window
from tests.live import test_capture
from tests.live.relay import Relay
from tests.live.test_capture import DOCUMENTS, credentials, documents, elasticsearch, gaps, index, lab

__all__ = ["credentials", "index", "lab"]  # fixtures
pytestmark = [pytest.mark.live, pytest.mark.usefixtures("credentials")]


def taken(lab: dict[str, Any], settings: dict[str, Any]) -> Path:
    """A capture of one quiet namespace and of Elasticsearch; whatever happens there, Kubernetes is captured."""
    kubernetes = {"kubeconfig": lab["kubernetes"]["kubeconfig"], "namespaces": ["default"]}
    chosen = test_capture.profile(lab, elasticsearch=settings, kubernetes=kubernetes, rabbitmq={"urls": []})
    bundle = capture(chosen, Window.parse("-30m"), f"{uuid.uuid4().hex[:8]}.incident")
    assert (bundle / "raw/kubernetes/namespaces.json").is_file()
    evidence = read_evidence(bundle)
    assert not gaps(bundle, "kubernetes")
    assert evidence.table(PODS) is not None
    assert not len(console_only(evidence))
    return bundle


def told(bundle: Path) -> str:
    """All gaps of Elasticsearch, reasons and remedies; there is at least one."""
    found = gaps(bundle, "elasticsearch")
    assert found
    assert all(gap["remedy"] for gap in found), found
    return " ".join(f"{gap['what']}: {gap['reason']} -> {gap['remedy']}" for gap in found)


def read(search: Search, index: str, closings: int) -> tuple[Reading, list[dict[str, Any]]]:
    """Read an index while somebody closes the point in time, so many times."""
    reading, hits, lock, opened = Reading(), [], threading.Lock(), []
    known = search.open_point_in_time

    def open_and_tell(indices: Any, what: str) -> str:
        opened.append(known(indices, what))
        return opened[-1]

    def write(_: int, lines: bytes) -> None:
        with lock:
            hits.extend(orjson.loads(line) for line in lines.splitlines())
            if len(opened) <= closings:
                search.close_point_in_time(opened[-1])

    search.open_point_in_time = open_and_tell  # type: ignore[method-assign]
    query = {"range": {"@timestamp": {"gte": "now-1d"}}}
    search.documents([index], query, slices=2, page_size=500, what="test", reading=reading, write=write)
    return reading, hits


def test_a_point_in_time_that_is_lost_is_opened_again_and_everything_comes(lab: dict[str, Any], index: str) -> None:
    reading, hits = read(Search(lab["elasticsearch"]["url"]), index, closings=1)
    assert not reading.problems
    assert reading.fetched == reading.expected == DOCUMENTS
    assert len({hit["_id"] for hit in hits}) == DOCUMENTS
    assert len(hits) > DOCUMENTS  # what came before stays


def test_a_point_in_time_that_is_lost_again_and_again_is_a_problem(lab: dict[str, Any], index: str) -> None:
    reading, hits = read(Search(lab["elasticsearch"]["url"]), index, closings=9)
    assert "lost the point in time 3 times" in " ".join(reading.problems)
    assert hits


@contextmanager
def changed(url: str, path: str, body: dict[str, Any], back: dict[str, Any]) -> Iterator[None]:
    """Settings of the server, changed for a while."""
    httpx.put(url + path, json=body, timeout=120, trust_env=False).raise_for_status()
    try:
        yield
    finally:
        httpx.put(url + path, json=back, timeout=120, trust_env=False).raise_for_status()


def test_an_index_that_is_blocked_for_reading_is_named_with_the_block(lab: dict[str, Any], index: str) -> None:
    url = lab["elasticsearch"]["url"]
    with changed(url, f"/{index}/_settings", {"index.blocks.read": True}, {"index.blocks.read": None}):
        bundle = taken(lab, elasticsearch(url, index))
    assert "lift index.blocks.read" in told(bundle)
    assert not documents(bundle)


def test_a_closed_index_is_named_though_the_server_passes_over_it(lab: dict[str, Any], index: str) -> None:
    url, other = lab["elasticsearch"]["url"], f"{index}-closed"
    httpx.put(f"{url}/{other}", timeout=120, trust_env=False).raise_for_status()
    httpx.post(f"{url}/{other}/_close", timeout=120, trust_env=False).raise_for_status()
    try:
        bundle = taken(lab, elasticsearch(url, f"{index}*"))
    finally:
        httpx.delete(f"{url}/{other}", timeout=120, trust_env=False)
    assert f"{other}: the index is closed" in told(bundle)
    assert f"POST /{other}/_open" in told(bundle)
    assert len(documents(bundle)) == DOCUMENTS


@pytest.mark.parametrize("pattern", ["no-such-logs-*", "no-such-index"])
def test_a_pattern_that_matches_nothing_is_no_empty_answer(lab: dict[str, Any], pattern: str) -> None:
    bundle = taken(lab, elasticsearch(lab["elasticsearch"]["url"], pattern))
    assert "no index matches" in told(bundle) or "no such index" in told(bundle)
    assert "elasticsearch.indices" in told(bundle)


def test_a_server_short_of_memory_is_asked_again_a_few_times_and_then_a_gap(lab: dict[str, Any], index: str) -> None:
    url, limit = lab["elasticsearch"]["url"], "indices.breaker.request.limit"
    search = Search(url)
    body = {"size": 0, "aggs": {"pods": {"terms": {"field": "podName", "size": 1000}}}}
    started = time.monotonic()
    with (
        changed(url, "/_cluster/settings", {"persistent": {limit: "1b"}}, {"persistent": {limit: None}}),
        pytest.raises(Exception, match="circuit_breaking_exception"),
    ):
        search.ask("POST", f"/{index}/_search", body, what="documents by pod")
    assert time.monotonic() - started > 2
    assert search.ask("POST", f"/{index}/_search", body)["aggregations"]["pods"]["buckets"]


def test_a_key_that_the_server_does_not_know_is_told_as_that(
    lab: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCIDENT_KIT_ELASTICSEARCH_API_KEY", "d3Jvbmc6d3Jvbmctd3Jvbmctd3Jvbmc=")
    bundle = taken(lab, elasticsearch(lab["elasticsearch_secure"]["url"], "logs-*"))
    assert "make a new one" in told(bundle)
    assert not any(b"d3Jvbmc6d3Jvbmctd3" in path.read_bytes() for path in bundle.rglob("*") if path.is_file())


@pytest.fixture
def refused(lab: dict[str, Any]) -> str:
    """A data stream of the secured server whose failure store holds one refused document."""
    secure, name = lab["elasticsearch_secure"], f"logs-kit{uuid.uuid4().hex[:6]}-refused"
    properties = {"code": {"type": "long"}, "podName": {"type": "keyword"}, "@timestamp": {"type": "date"}}
    template = {"data_stream_options": {"failure_store": {"enabled": True}}, "mappings": {"properties": properties}}
    body = {"index_patterns": ["logs-kit*-refused"], "priority": 330, "data_stream": {}, "template": template}
    lines = []
    for code in (1, "abc"):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lines += [{"create": {}}, {"@timestamp": stamp, "podName": "pod-1", "code": code, "message": f"code {code}"}]
    content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    auth, kind = (secure["user"], secure["password"]), {"content-type": "application/x-ndjson"}
    with httpx.Client(base_url=secure["url"], auth=auth, timeout=120, trust_env=False) as client:
        client.put("/_index_template/kit-refused", json=body).raise_for_status()
        answer = client.post(f"/{name}/_bulk?refresh=true", content=content, headers=kind).json()
    assert [item["create"].get("failure_store") for item in answer["items"]] == [None, "used"]
    return name


def new_key(secure: dict[str, Any], *privileges: str) -> str:
    role = {"reader": {"cluster": ["monitor"], "indices": [{"names": ["logs-*"], "privileges": list(privileges)}]}}
    auth = (secure["user"], secure["password"])
    body = {"name": "kit", "role_descriptors": role}
    answer = httpx.post(f"{secure['url']}/_security/api_key", json=body, auth=auth, timeout=120, trust_env=False)
    return str(answer.json()["encoded"])


def test_a_failure_store_that_this_user_may_not_read_is_a_gap_and_one_that_it_may_is_read(
    lab: dict[str, Any], refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure = lab["elasticsearch_secure"]
    usual = ("read", "view_index_metadata")
    monkeypatch.setenv("INCIDENT_KIT_ELASTICSEARCH_API_KEY", new_key(secure, *usual))
    bundle = taken(lab, elasticsearch(secure["url"], f"{refused}*"))
    assert "Grant the indices privilege read_failure_store" in told(bundle)
    assert [hit["_source"]["code"] for hit in documents(bundle)] == [1]
    monkeypatch.setenv("INCIDENT_KIT_ELASTICSEARCH_API_KEY", new_key(secure, *usual, "read_failure_store"))
    bundle = taken(lab, elasticsearch(secure["url"], f"{refused}*"))
    assert not gaps(bundle, "elasticsearch")
    assert list((bundle / "raw/elasticsearch").glob("failures*.ndjson.gz"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that no authority signed, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    pair = folder / "server.crt", folder / "server.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(pair[0]), "-keyout", str(pair[1])]
    subprocess.run([*command, *names], check=True, capture_output=True, timeout=60)
    return pair


def test_tls_that_cannot_be_verified_is_a_gap_that_names_the_setting_and_the_setting_helps(
    lab: dict[str, Any], index: str, certificate: tuple[Path, Path]
) -> None:
    relay = Relay(lab["elasticsearch"]["url"], certificate=certificate)
    assert "elasticsearch.ca_certificate" in told(taken(lab, elasticsearch(relay.url, index)))
    trusted = taken(lab, elasticsearch(relay.url, index, ca_certificate=str(certificate[0])))
    relay.close()
    assert not gaps(trusted, "elasticsearch")
    assert len(documents(trusted)) == DOCUMENTS


def test_https_to_a_server_without_tls_is_a_gap_about_the_scheme(lab: dict[str, Any], index: str) -> None:
    url = lab["elasticsearch"]["url"].replace("http:", "https:")
    assert "scheme" in told(taken(lab, elasticsearch(url, index)))


def asked(silent: socket.socket) -> int:
    """How many connections wait at a server that takes none."""
    silent.setblocking(False)
    for number in itertools.count():
        try:
            silent.accept()[0].close()
        except BlockingIOError:
            silent.setblocking(True)
            return number
    raise AssertionError("unreachable")


def test_a_server_that_hangs_holds_the_capture_up_for_its_time_out_only(lab: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        search = Search(url, timeout_seconds=1.0)
        with pytest.raises(Exception, match="no answer"):
            search.ask("GET", "/_mapping")
        assert asked(silent) == 1  # each time more would cost the time-out once more
        bundle = taken(lab, elasticsearch(url, "logs-*", timeout_seconds=1.0))
    assert "raise elasticsearch.timeout_seconds" in told(bundle)


def test_an_index_whose_time_is_no_date_is_a_gap_though_no_shard_fails(lab: dict[str, Any], index: str) -> None:
    url, other = lab["elasticsearch"]["url"], f"{index}-other"
    mapping = {"mappings": {"properties": {"@timestamp": {"type": "keyword"}, "podName": {"type": "keyword"}}}}
    httpx.put(f"{url}/{other}", json=mapping, timeout=120, trust_env=False).raise_for_status()
    try:
        bundle = taken(lab, elasticsearch(url, f"{index}*"))
    finally:
        httpx.delete(f"{url}/{other}", timeout=120, trust_env=False)
    assert "@timestamp is keyword in some of the indices" in told(bundle)
    assert len(documents(bundle)) == DOCUMENTS
