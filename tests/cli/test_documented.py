"""What pages and messages tell people to type can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from incident_kit.cli.main import app
from incident_kit.profile import load_profile

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAM = typer.main.get_command(app)


def _commands(text: str) -> list[list[str]]:
    """Words of every ``incident-kit ...`` line in the code blocks of a page, without what the shell does to it."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(re.split(r" [>|] ", line)[0], comments=True) for line in lines if "incident-kit " in line[:40]]


def _parse(words: list[str]) -> None:
    name, *rest = words[1:]
    command = PROGRAM.commands[name]  # type: ignore[attr-defined]
    command.make_context(name, rest, resilient_parsing=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_can_be_given(page):
    for words in _commands(page.read_text("utf-8")):
        _parse([word for word in words if "=" not in word or word.startswith("-")])


@pytest.mark.parametrize("command", PROGRAM.commands, ids=str)  # type: ignore[attr-defined]
def test_the_examples_of_a_help_can_be_given(command):
    epilog = PROGRAM.commands[command].epilog  # type: ignore[attr-defined]
    examples = [line for line in epilog.splitlines() if line.startswith("incident-kit ")]
    assert examples
    for line in examples:
        _parse(shlex.split(line.split(" > ")[0]))


def test_messages_advise_only_commands_that_exist():
    advised = {
        (path.name, word)
        for path in (ROOT / "src").rglob("*.py")
        for word in re.findall(r"incident-kit ([a-z]+(?:-[a-z]+)*) ", path.read_text("utf-8"))
    }
    prose = {"again", "key", "or", "is", "reads", "makes", "needs"}
    assert [(name, word) for name, word in sorted(advised) if word not in PROGRAM.commands and word not in prose] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(("page", "name"), [("README.md", "shop"), ("docs/profile.md", "prod")])
def test_the_profiles_of_the_pages_are_profiles(page, name, tmp_path):
    block = re.search(r"```toml\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    assert block is not None
    (tmp_path / "incident-kit.toml").write_text(block[1], encoding="utf-8")
    assert load_profile(name, tmp_path / "incident-kit.toml").elasticsearch.indices == ("logs-shop-*",)
