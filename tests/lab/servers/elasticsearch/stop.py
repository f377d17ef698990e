"""Stops a node."""

from __future__ import annotations

import shutil

from tests.lab.servers.elasticsearch.settings import Node


def stop(node: Node, *, clean: bool = False) -> None:
    """Stop one node; ``clean`` also forgets its data, users and keys."""
    node.process.stop(seconds=30)
    if clean:
        for folder in ("data", "passwords"):
            shutil.rmtree(node.home / folder, ignore_errors=True)
        (node.home / "config" / "users").unlink(missing_ok=True)
