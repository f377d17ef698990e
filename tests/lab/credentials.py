"""Ordinary credentials for a capture: a read-only kubeconfig, an Elasticsearch API key, the Rabbit ``mon`` user.

The profile's file names systems and fields, never a credential; those stand in the environment.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from tests.lab.scenario.lab import Lab

PROFILE = "lab"


def api_key(lab: Lab) -> str:
    """A key that may read the logs and nothing else; the lab's own, or a new one."""
    known = lab.elasticsearch.get("api_key")
    if known:
        return str(known)
    reader = {"cluster": ["monitor"], "indices": [{"names": ["logs-*"], "privileges": ["read", "view_index_metadata"]}]}
    body = {"name": "incident-reader", "role_descriptors": {"reader": reader}}
    return str(lab.elastic("POST", "/_security/api_key", body)["encoded"])


def profile_text(lab: Lab) -> str:
    """``incident-kit.toml`` for the lab."""
    kubeconfig = lab.facts["kubernetes"].get("reader_kubeconfig") or lab.facts["kubernetes"]["kubeconfig"]
    urls = ", ".join(f'"{node["management_url"]}"' for node in lab.facts["rabbitmq"]["nodes"])
    logs = ", ".join(f'"{node["log"]}"' for node in lab.facts["rabbitmq"]["nodes"])
    return f"""[profiles.{PROFILE}]
cluster = "lab"
pipeline_accounts = ["ci"]

[profiles.{PROFILE}.kubernetes]
kubeconfig = "{kubeconfig}"
namespaces = ["shop"]

[profiles.{PROFILE}.argocd]
namespaces = ["argocd"]

[profiles.{PROFILE}.elasticsearch]
url = "{lab.elasticsearch["url"]}"
indices = ["logs-shop-*"]

[profiles.{PROFILE}.rabbitmq]
urls = [{urls}]
logs = [{logs}]
"""


def environment(lab: Lab, folder: Path) -> dict[str, str]:
    """Write the profile into a folder; the environment in which ``incident-kit --profile lab`` works."""
    file = folder / "incident-kit.toml"
    file.write_text(profile_text(lab))
    return {
        **os.environ,
        "INCIDENT_KIT_CONFIG": str(file),
        "INCIDENT_KIT_ELASTICSEARCH_API_KEY": api_key(lab),
        "INCIDENT_KIT_RABBITMQ_USER": "mon",
        "INCIDENT_KIT_RABBITMQ_PASSWORD": lab.facts["rabbitmq"]["users"]["mon"],
    }


def instant(nanoseconds: int) -> str:
    """Epoch nanoseconds as the command line takes a time."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat().replace("+00:00", "Z")
