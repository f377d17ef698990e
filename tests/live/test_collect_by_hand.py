"""deploy/collect.sh collects everything from the real servers, page by page, and the import takes it."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from incident_kit.evidence import read_evidence
from incident_kit.importing import import_folder
from tests.lab.servers.folders import LAB

pytestmark = pytest.mark.live

SCRIPT = Path(__file__).parents[2] / "deploy" / "collect.sh"
#: More than two pages of the script, so that search_after goes on and ends.
DOCUMENTS = 10_007
WINDOW = ("2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z")


@pytest.fixture(scope="module")
def lab() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((LAB / "lab.json").read_text())
    return found


@pytest.fixture(scope="module")
def index(lab):
    name = f"logs-collected-{uuid.uuid4().hex[:8]}"
    lines = []
    for number in range(DOCUMENTS):  # many share an instant, as bursts do
        at = f"2026-11-01T10:{number % 60:02d}:00Z"
        lines += [
            json.dumps({"index": {"_id": str(number)}}),
            json.dumps({"@timestamp": at, "message": f"entry {number}", "podName": "till-0"}),
        ]
    with httpx.Client(base_url=lab["elasticsearch"]["url"], trust_env=False, timeout=120) as client:
        answer = client.post(
            f"/{name}/_bulk?refresh=true", content="\n".join(lines) + "\n",
            headers={"Content-Type": "application/x-ndjson"},
        ).json()  # fmt: skip
        assert not answer["errors"], answer
        yield name
        client.delete(f"/{name}")


@pytest.fixture(scope="module")
def collected(lab, index, tmp_path_factory):
    folder = tmp_path_factory.mktemp("by-hand") / "collected"
    kubernetes, broker = lab["kubernetes"], lab["rabbitmq"]
    environment = {
        **os.environ, "START": WINDOW[0], "END": WINDOW[1], "NAMESPACE": "argocd",
        "PATH": f"{Path(kubernetes['kubectl']).parent}:{os.environ['PATH']}", "KUBECONFIG": kubernetes["reader_kubeconfig"],
        "ELASTICSEARCH_URL": lab["elasticsearch"]["url"], "ELASTICSEARCH_INDICES": index, "no_proxy": "*",
        "RABBITMQ_URL": broker["nodes"][0]["management_url"], "RABBITMQ_USER": "mon",
        "RABBITMQ_PASSWORD": broker["users"]["mon"],
    }  # fmt: skip
    ran = subprocess.run(
        ["sh", str(SCRIPT), str(folder)], env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return folder, ran.stderr


def test_every_document_is_collected_once(collected):
    folder, said = collected
    hits = [json.loads(line) for line in (folder / "elasticsearch" / "hits.ndjson").read_text().splitlines()]
    assert sorted(int(hit["_id"]) for hit in hits) == list(range(DOCUMENTS)), said


def test_lists_of_the_broker_are_whole(collected):
    folder, said = collected
    overview = json.loads((folder / "rabbitmq" / "overview.json").read_text())
    for name in ("nodes", "connections", "channels", "queues", "consumers"):
        assert isinstance(json.loads((folder / "rabbitmq" / f"{name}.json").read_text()), list), said
    queues = json.loads((folder / "rabbitmq" / "queues.json").read_text())
    assert len(queues) <= overview["object_totals"]["queues"]


def test_nothing_half_written_is_left_and_the_import_takes_all_of_it(collected, tmp_path):
    folder, said = collected
    assert not list(folder.rglob("*.part")) and not list(folder.glob("*.json.part")), said
    evidence = read_evidence(import_folder(folder, tmp_path / "collected.incident"))
    not_of_the_layout = [gap for gap in evidence.manifest.gaps if "not a file of the layout" in str(gap["reason"])]
    assert not_of_the_layout == []
    assert evidence.manifest.rows["elastic_documents"] == DOCUMENTS
    assert {"kubernetes", "argocd"} <= {path.parent.name for path in folder.rglob("*.json")}
