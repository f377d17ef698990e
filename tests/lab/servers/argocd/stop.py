"""Stops Argo CD and its Git server."""

from __future__ import annotations

import shutil

from tests.lab.servers.argocd.settings import PROCESSES, REPOSITORIES, STATE, WORKTREE


def stop(*, clean: bool = False) -> None:
    """Stop everything; ``clean`` also forgets accounts and the repository."""
    for process in reversed(PROCESSES):
        process.stop()
    if clean:
        for folder in (STATE, REPOSITORIES, WORKTREE):
            shutil.rmtree(folder, ignore_errors=True)
