"""What clients need to know of Argo CD."""

from __future__ import annotations

from typing import Any

from tests.lab.servers.argocd.settings import (
    CLI,
    REPOSITORY,
    REPOSITORY_URL,
    SERVER,
    STATE,
    TOKEN_USER,
    USERS,
    VERSION,
    WORKTREE,
)
from tests.lab.servers.folders import password


def facts() -> dict[str, Any]:
    """Server, command line, accounts and the repository it syncs from."""
    return {
        "version": VERSION,
        "server": SERVER,
        "url": f"http://{SERVER}",
        "cli": str(CLI),
        "namespace": "argocd",
        "repository": str(REPOSITORY),
        "repository_url": REPOSITORY_URL,
        "worktree": str(WORKTREE),
        "admin_password": password(STATE, "admin"),
        "users": {user: password(STATE, user) for user in USERS},
        "tokens": {TOKEN_USER: (STATE / "passwords" / f"{TOKEN_USER}-token").read_text()},
    }
