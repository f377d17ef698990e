"""The CronJob of ``deploy/`` runs as written in a real cluster, with no more rights than it names.

The lab has no registry of Python images, so the pod takes the interpreter, the environment and the kit from its node,
and the node's network instead of a Service network; everything else is the manifest's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from incident_kit.evidence import read_evidence
from incident_kit.tables.kubernetes import PODS
from incident_kit.tables.rabbitmq import RABBIT_NODES
from tests.lab.servers.folders import LAB

pytestmark = pytest.mark.live

REPOSITORY = Path(__file__).parents[2]
NAMESPACE = "incident-kit"


@pytest.fixture(scope="module")
def lab() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((LAB / "lab.json").read_text())
    return found


#: Bounds end what would never end; none is a measure of the lab's speed.
LONGEST_SECONDS = 600


def kubectl(lab: dict[str, Any], *arguments: str, stdin: str | None = None) -> str:
    command = [lab["kubernetes"]["kubectl"], "--kubeconfig", lab["kubernetes"]["kubeconfig"], *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=LONGEST_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def remove(lab: dict[str, Any]) -> None:
    """What this test makes, and what a run of it left that was cut short."""
    kubectl(lab, "delete", "clusterrolebinding,clusterrole", "incident-kit-snapshot", "--ignore-not-found")
    kubectl(lab, "delete", "namespace", NAMESPACE, "--ignore-not-found")


def manifests(lab: dict[str, Any], store: Path) -> list[dict[str, Any]]:
    """The manifest of deploy/, on the node's interpreter, network and disk."""
    documents = list(yaml.safe_load_all((REPOSITORY / "deploy/snapshot-cronjob.yaml").read_text()))
    documents = [document for document in documents if document["kind"] != "PersistentVolumeClaim"]
    by_kind = {document["kind"]: document for document in documents}
    settings = by_kind["ConfigMap"]["data"]
    management = lab["rabbitmq"]["nodes"][0]["management_url"]
    settings["incident-kit.toml"] = settings["incident-kit.toml"].replace(
        "http://rabbitmq.messaging.svc:15672", management
    )
    pod = by_kind["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    pod |= {"hostNetwork": True, "tolerations": [{"operator": "Exists"}]}
    pod["securityContext"] = {"runAsUser": 0}  # the node's interpreter lies in a folder that is root's alone
    container = pod["containers"][0]
    server = urlsplit(lab["kubernetes"]["server"])
    container |= {
        "image": lab["kubernetes"]["shell_image"],
        "command": [sys.executable, "-c", "from incident_kit.cli.main import main; main()"],
        "env": [
            {"name": "KUBERNETES_SERVICE_HOST", "value": str(server.hostname)},
            {"name": "KUBERNETES_SERVICE_PORT", "value": str(server.port)},
            {"name": "INCIDENT_KIT_CONFIG", "value": "/etc/incident-kit/incident-kit.toml"},
            {"name": "PYTHON_KEYRING_BACKEND", "value": "keyring.backends.null.Keyring"},
            {"name": "MPLCONFIGDIR", "value": "/tmp"},
            {"name": "HOME", "value": "/tmp"},
        ],
    }
    folders = {"/usr/lib": "/usr/lib", "/lib": "/usr/lib", "/usr/lib64": "/usr/lib64", "/lib64": "/usr/lib64"}
    folders |= {path: path for path in {sys.base_prefix, sys.prefix, str(REPOSITORY / "src")}}
    pod["volumes"] = [volume for volume in pod["volumes"] if volume["name"] != "store"]
    pod["volumes"].append({"name": "store", "hostPath": {"path": str(store)}})
    for number, (inside, outside) in enumerate(sorted(folders.items())):
        pod["volumes"].append({"name": f"node-{number}", "hostPath": {"path": outside}})
        container["volumeMounts"].append({"name": f"node-{number}", "mountPath": inside, "readOnly": True})
    return documents


@pytest.fixture(scope="module")
def applied(lab: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    store = tmp_path_factory.mktemp("store")
    remove(lab)
    kubectl(lab, "create", "namespace", NAMESPACE)
    try:
        secret = {
            "INCIDENT_KIT_REDACTION_KEY": "ab" * 32,
            "INCIDENT_KIT_RABBITMQ_USER": "mon",
            "INCIDENT_KIT_RABBITMQ_PASSWORD": lab["rabbitmq"]["users"]["mon"],
        }
        literals = [f"--from-literal={name}={value}" for name, value in secret.items()]
        kubectl(lab, "create", "secret", "generic", "incident-kit", "-n", NAMESPACE, *literals)
        kubectl(lab, "apply", "-f", "-", stdin=yaml.safe_dump_all(manifests(lab, store)))
        yield store
    finally:
        remove(lab)


def test_the_cronjob_takes_a_snapshot_with_the_rights_it_names(lab: dict[str, Any], applied: Path) -> None:
    kubectl(lab, "create", "job", "by-hand", "--from=cronjob/incident-kit-snapshot", "-n", NAMESPACE)
    deadline = time.monotonic() + LONGEST_SECONDS
    while not (taken := sorted(applied.glob("*.zip"))) and time.monotonic() < deadline:
        time.sleep(1)
    said = subprocess.run(
        [
            lab["kubernetes"]["kubectl"],
            "--kubeconfig",
            lab["kubernetes"]["kubeconfig"],
            "logs",
            "-n",
            NAMESPACE,
            "job/by-hand",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert taken, said.stdout + said.stderr
    evidence = read_evidence(taken[0])
    assert evidence.cluster == "CLUSTER"
    assert any(evidence.table(PODS)["pod"].str.startswith("by-hand"))
    assert len(evidence.table(RABBIT_NODES)) == len(lab["rabbitmq"]["nodes"])
    assert not [gap for gap in evidence.manifest.gaps if gap["source"] == "kubernetes"]


def test_the_snapshots_account_may_not_read_logs_or_secrets(lab: dict[str, Any], applied: Path) -> None:
    account = f"--as=system:serviceaccount:{NAMESPACE}:incident-kit"

    def may(*what: str) -> bool:
        command = [lab["kubernetes"]["kubectl"], "--kubeconfig", lab["kubernetes"]["kubeconfig"], "auth", "can-i"]
        done = subprocess.run([*command, *what, "-A", account], capture_output=True, text=True, timeout=60)
        return done.stdout.strip() == "yes"

    assert may("list", "pods")
    assert not may("get", "pods", "--subresource=log")
    assert not may("list", "secrets")
    assert not may("delete", "pods")
