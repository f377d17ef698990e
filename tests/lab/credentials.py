"""Ordinary credentials for a capture: a read-only kubeconfig, an Elasticsearch API key, the Rabbit ``mon`` user.

The profile's file names systems and fields, never a credential; those stand in the environment.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from tests.lab.scenario.lab import Lab

PROFILE = "lab"
ROLE = Path(__file__).resolve().parents[2] / "deploy" / "rbac.yaml"


def api_key(lab: Lab) -> str:
    """A key that may read the logs and nothing else; the lab's own, or a new one."""
    known = lab.elasticsearch.get("api_key")
    if known:
        return str(known)
    reader = {"cluster": ["monitor"], "indices": [{"names": ["logs-*"], "privileges": ["read", "view_index_metadata"]}]}
    body = {"name": "incident-reader", "role_descriptors": {"reader": reader}}
    return str(lab.elastic("POST", "/_security/api_key", body)["encoded"])


def kubeconfig(lab: Lab, folder: Path) -> Path:
    """A kubeconfig of a service account that has the role of ``deploy/rbac.yaml`` and nothing else."""
    account = {"kind": "ServiceAccount", "name": "incident-kit", "namespace": "default"}
    lab.kubectl("apply", "-f", ROLE)
    lab.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "incident-kit", "namespace": "default"}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "incident-kit"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "incident-kit"},
            "subjects": [account],
        },
    )
    lab.await_right("default:incident-kit", "list", "pods", "--all-namespaces")
    token = lab.kubectl("-n", "default", "create", "token", "incident-kit", "--duration=8h").strip()
    config = json.loads(lab.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": {"token": token}}]
    path = folder / "kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path


def profile_text(lab: Lab) -> str:
    """``incident-kit.toml`` for the lab."""
    urls = ", ".join(f'"{node["management_url"]}"' for node in lab.facts["rabbitmq"]["nodes"])
    return f"""[profiles.{PROFILE}]
cluster = "lab"
pipeline_accounts = ["ci"]

[profiles.{PROFILE}.kubernetes]
namespaces = ["shop"]

[profiles.{PROFILE}.argocd]
namespaces = ["argocd"]

[profiles.{PROFILE}.elasticsearch]
url = "{lab.elasticsearch["url"]}"
indices = ["logs-shop-*"]

[profiles.{PROFILE}.rabbitmq]
urls = [{urls}]
logs = ["brokers/*.log"]
timeout_seconds = 60
"""


def environment(lab: Lab, folder: Path) -> dict[str, str]:
    """Write the profile into a folder; the environment in which ``incident-kit --profile lab`` works there.

    Paths are relative to the folder or stand in the environment: a bundle keeps its profile, and the sample names no machine.
    """
    (folder / "incident-kit.toml").write_text(profile_text(lab))
    (folder / "brokers").mkdir(exist_ok=True)
    for node in lab.facts["rabbitmq"]["nodes"]:
        link = folder / "brokers" / Path(node["log"]).name
        if not link.exists():
            link.symlink_to(node["log"])
    return {
        **os.environ,
        "KUBECONFIG": str(kubeconfig(lab, folder)),
        "INCIDENT_KIT_ELASTICSEARCH_API_KEY": api_key(lab),
        "INCIDENT_KIT_RABBITMQ_USER": "mon",
        "INCIDENT_KIT_RABBITMQ_PASSWORD": lab.facts["rabbitmq"]["users"]["mon"],
    }


def instant(nanoseconds: int) -> str:
    """Epoch nanoseconds as the command line takes a time."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat().replace("+00:00", "Z")
