"""deploy/collect.sh is a shell script that writes the names the import knows; tests/live runs it on real servers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from incident_kit.importing.layout import KUBERNETES_EXPECTED, RABBITMQ_LISTS, file_kind

ROOT = Path(__file__).parents[2]
SCRIPT = (ROOT / "deploy" / "collect.sh").read_text("utf-8")


def test_a_shell_can_read_it():
    ran = subprocess.run(["sh", "-n"], input=SCRIPT, text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_it_collects_what_an_import_would_miss():
    words = set(re.findall(r"[a-z]+", SCRIPT))
    assert {*KUBERNETES_EXPECTED, *RABBITMQ_LISTS} <= words
    assert "secrets" not in words


def test_every_file_it_names_is_of_the_layout():
    named = re.findall(r"\b(?:kubernetes|elasticsearch|rabbitmq|argocd)/[a-z$]+\.(?:nd)?json", SCRIPT)
    assert len(named) >= 8
    assert [name for name in named if file_kind(name.replace("$", "")) is None] == []


def test_without_a_cluster_it_says_so_once_and_fails_where_nothing_was_collected(tmp_path):
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\necho 'The connection to the server localhost:8080 was refused' >&2\nexit 1\n")
    program.chmod(0o755)
    for name in ("curl", "jq"):
        (tmp_path / name).write_text("#!/bin/sh\necho '{}'\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "START": "2026-11-20T08:00:00Z"}
    ran = subprocess.run(
        ["sh", str(ROOT / "deploy" / "collect.sh"), str(tmp_path / "collected")],
        env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.count("was refused") == 1 and "nothing could be collected" in ran.stderr


def test_its_settings_are_documented():
    documented = (ROOT / "docs" / "collect.md").read_text("utf-8")
    settings = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", SCRIPT)) - {"IFS", "INDICES"}
    missing = [s for s in settings if s not in documented and f"_{s.split('_', 1)[-1]}" not in documented]
    assert missing == []
