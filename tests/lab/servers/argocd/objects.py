"""The objects that Argo CD reads its own settings from."""

from __future__ import annotations

import secrets
from typing import Any

from tests.lab.servers.argocd.settings import CLI, HOME, STATE, TOKEN_USER, USERS
from tests.lab.servers.folders import password, write_private
from tests.lab.servers.processes import run

# Any fixed time: with the hash it says since when a password holds.
PASSWORD_SET_AT = "2026-01-01T00:00:00Z"


def _part(kind: str, name: str, **content: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "argocd"}
    metadata = {"name": name, "namespace": "argocd", "labels": labels}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


def _secret() -> dict[str, str]:
    """Password hashes and the key that signs sessions; made once, so that tokens stay valid."""
    secret = {}
    for user in USERS:
        path = STATE / "passwords" / f"{user}.bcrypt"
        if not path.exists():
            answer = run(CLI, "account", "bcrypt", "--password", password(STATE, user), environment={"HOME": str(HOME)})
            write_private(path, answer.strip())
        prefix = "admin." if user == "admin" else f"accounts.{user}."
        secret[f"{prefix}password"] = path.read_text()
        secret[f"{prefix}passwordMtime"] = PASSWORD_SET_AT
    key = STATE / "passwords" / "session-key"
    if not key.exists():
        write_private(key, secrets.token_hex(24))
    return {**secret, "server.secretkey": key.read_text()}


def objects() -> list[dict[str, Any]]:
    """Name space, settings, accounts and the default project."""
    settings = {f"accounts.{user}": "login" for user in USERS if user != "admin"}
    settings |= {f"accounts.{TOKEN_USER}": "apiKey", "application.resourceTrackingMethod": "annotation"}
    policy = "".join(f"g, {user}, role:admin\n" for user in (*USERS[1:], TOKEN_USER))
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": "argocd"},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}},
        _part("ConfigMap", "argocd-cm", data=settings),
        _part("ConfigMap", "argocd-rbac-cm", data={"policy.csv": policy}),
        _part("Secret", "argocd-secret", stringData=_secret()),
        project,
    ]
