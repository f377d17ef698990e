"""One list of dependencies holds: environment.yml installs the project itself and names nothing twice."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
PLAIN = [entry for entry in ENVIRONMENT if isinstance(entry, str)]
PIP = [line for entry in ENVIRONMENT if isinstance(entry, dict) for line in entry["pip"]]
NAMED = {canonicalize_name(Requirement(line).name): Requirement(line) for line in PROJECT["dependencies"]}


def test_the_five_packages_that_users_name_are_dependencies():
    assert {"jupyterlab", "elasticsearch", "kubernetes", "pandas", "matplotlib"} <= NAMED.keys()


def test_the_elasticsearch_client_serves_servers_8_and_9():
    assert "8.19.0" in NAMED["elasticsearch"].specifier
    assert "9.0.0" not in NAMED["elasticsearch"].specifier


def test_conda_gives_python_and_pip_and_pip_gives_the_project():
    assert {line.split(">")[0].split("=")[0] for line in PLAIN} == {"python", "pip"}
    assert PIP == ["-e ."]


def test_both_ask_for_the_same_python():
    (python,) = (line.removeprefix("python") for line in PLAIN if line.startswith("python"))
    assert SpecifierSet(python) == SpecifierSet(PROJECT["requires-python"])


def test_the_lock_file_holds_every_dependency_in_a_version_that_fits():
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    locked = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    assert {name: locked.get(name) for name, asked in NAMED.items() if locked.get(name) not in asked.specifier} == {}
