"""The architecture holds: layers point down, importing is light, every command is known to the README."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import incident_kit

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "incident_kit"
HEAVY = ("pandas", "matplotlib", "kubernetes", "elasticsearch", "httpx", "pydantic", "duckdb", "pyarrow")
#: A module longer than this smells; a few may be, none may grow without end.
LONG_MODULE, MOST_LONG_MODULES, LONGEST_MODULE = 300, 8, 450


def _python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_imports_follow_the_layers():
    program = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("statement", ["import incident_kit", "import incident_kit.cli.main"])
def test_importing_loads_nothing_heavy(statement):
    ran = _python(f"{statement}; import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])")
    assert ran.stdout.split() == [], ran.stderr


def test_copying_begins_before_what_only_tables_need_is_loaded():
    program = "from incident_kit import import_folder; import sys; print(*{'pandas', 'duckdb'} & sys.modules.keys())"
    ran = _python(program)
    assert (ran.returncode, ran.stdout.split()) == (0, []), ran.stderr


def test_every_public_name_can_be_loaded():
    assert [name for name in incident_kit.__all__ if not hasattr(incident_kit, name)] == []


def test_the_readme_knows_every_command_and_names_no_other():
    from incident_kit.cli.main import app

    commands = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    named = set(re.findall(r"incident-kit ([a-z][a-z-]+)", (ROOT / "README.md").read_text("utf-8")))
    assert commands == named


def test_every_command_explains_itself():
    from typer.testing import CliRunner

    from incident_kit.cli.main import app

    runner = CliRunner()
    for command in app.registered_commands:
        shown = runner.invoke(app, [str(command.name), "--help"])
        assert shown.exit_code == 0, command.name
        assert (command.callback.__doc__ or "").split("\n")[0].rstrip(".")[:20] in shown.output


def test_modules_stay_short():
    lengths = [len(path.read_text("utf-8").splitlines()) for path in SOURCE.rglob("*.py")]
    assert max(lengths) <= LONGEST_MODULE
    assert sum(length > LONG_MODULE for length in lengths) <= MOST_LONG_MODULES


def test_no_module_is_a_drawer_for_everything():
    names = {path.stem for path in SOURCE.rglob("*.py")}
    assert names.isdisjoint({"utils", "helpers", "common", "misc"})


def test_no_handler_catches_everything_and_goes_on():
    """The command line's outermost handler is the one exception: it turns a fault into one line and an exit code."""
    broad = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        if path.parent.name != "cli"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node)
    ]
    assert broad == []


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    reraises = any(isinstance(node, ast.Raise) for node in ast.walk(handler))
    return not reraises and (handler.type is None or ast.unparse(handler.type) in {"Exception", "BaseException"})


ARCHITECTURE = ROOT / "docs" / "architecture.md"


def test_the_architecture_page_names_every_folder_and_no_other():
    told = set(re.findall(r"^\| `([a-z_]+)/`", ARCHITECTURE.read_text("utf-8"), re.MULTILINE))
    assert told == {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    joined = set(re.findall(r"`correlate/([a-z_]+)/` \|$", ARCHITECTURE.read_text("utf-8"), re.MULTILINE))
    assert joined == {path.parent.name for path in SOURCE.glob("correlate/*/__init__.py")}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_paths_and_links_of_a_page_lead_somewhere(page):
    text = page.read_text("utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
    folders = ("src/", "tests/", "docs/", "deploy/", "benchmarks/", "notebooks/")
    named = [path for path in re.findall(r"`([\w./-]+)`", text) if path.startswith(folders)]
    inside = [path for path in re.findall(r"`([a-z_]+/[\w./-]+)`", text) if (SOURCE / path.split("/")[0]).is_dir()]
    missing = [path for path in named if not (ROOT / path).exists()]
    missing += [path for path in inside if not (SOURCE / path).exists()]
    assert missing == []


def test_every_answer_command_knows_which_gaps_could_change_it():
    from incident_kit.cli.answering import PANEL
    from incident_kit.cli.main import app
    from incident_kit.cli.run import RELEVANT

    assert {command.name for command in app.registered_commands if command.rich_help_panel == PANEL} == set(RELEVANT)
