"""Notebooks keep their shape: one question each, paired, stripped, thin; found by name; run headless to one page."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from incident_kit.errors import NotFoundError, UsageError
from incident_kit.importing import import_folder
from incident_kit.present import notebook as runner
from tests.present.folder import POD, write_folder

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
LAST_SECTION = "What this does not show"
FORBIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.Try, ast.Lambda)


def _notebook(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def _code(name):
    return [cell for cell in _notebook(name).cells if cell.cell_type == "code"]


def _called(tree):
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def test_there_is_a_notebook_for_each_question():
    assert NAMES == [
        "00_capture",
        "01_trace_a_pod",
        "02_console_versus_elastic",
        "03_which_rabbit_node",
        "04_what_changed",
        "05_restarts_and_images",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_pair_says_the_same(name):
    paired = jupytext.read(FOLDER / f"{name}.py")

    def said(notebook):
        return [(cell.cell_type, cell.source, cell.metadata.get("tags", [])) for cell in notebook.cells]

    assert said(_notebook(name)) == said(paired)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_run_is_kept(name):
    notebook = _notebook(name)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in _code(name))
    assert set(notebook.metadata) == {"jupytext", "kernelspec"}
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_literals_each_with_its_help(name):
    (cell,) = [cell for cell in _code(name) if "parameters" in cell.metadata.get("tags", [])]
    for line in cell.source.splitlines():
        (statement,) = ast.parse(line).body
        assert isinstance(statement, ast.Assign)
        ast.literal_eval(statement.value)
        assert re.search(r"  # \S", line), f"{line!r} says nothing about itself"


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_holds_what_belongs_in_the_library(name):
    for cell in _code(name):
        tree = ast.parse(cell.source)
        assert not [node for node in ast.walk(tree) if isinstance(node, FORBIDDEN)]
        assert "print" not in _called(tree)
        assert len(cell.source.splitlines()) <= 10


@pytest.mark.parametrize("name", NAMES)
def test_every_notebook_begins_with_a_question_and_ends_with_what_it_does_not_show(name):
    prose = [cell.source for cell in _notebook(name).cells if cell.cell_type == "markdown"]
    titles = [line for text in prose for line in text.splitlines() if line.startswith("## ")]
    assert prose[0].startswith("# ") and "?" in prose[0]
    assert titles[0] == "## Evidence"
    assert titles[-1] == f"## {LAST_SECTION}"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "00_capture"])
def test_only_the_capture_notebook_may_reach_a_server(name):
    assert not any("capture(" in cell.source for cell in _code(name))


def test_a_notebook_is_found_by_an_unambiguous_part_of_its_name():
    assert runner.find_notebook("trace").stem == "01_trace_a_pod"
    assert runner.find_notebook("04").stem == "04_what_changed"
    assert runner.list_notebooks() == NAMES


def test_an_ambiguous_name_is_refused_with_the_candidates():
    with pytest.raises(UsageError, match="00_capture, 01_trace_a_pod"):
        runner.find_notebook("0")


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(NotFoundError, match="05_restarts_and_images"):
        runner.find_notebook("billing")


def test_an_unknown_parameter_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="It has: bundle, pod"):
        runner.run_notebook("trace", "", parameters={"podd": "x"})


def test_a_failed_step_still_leaves_a_page_that_names_it(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    cells = [
        nbformat.v4.new_code_cell('bundle = ""  # bundle', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_markdown_cell("## What came before"),
        nbformat.v4.new_code_cell("'a result that is whole'"),
        nbformat.v4.new_markdown_cell("## The step that fails"),
        nbformat.v4.new_code_cell("raise ValueError('<script>alert(1)</script>')"),
        nbformat.v4.new_code_cell("'never reached'"),
    ]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "10_broken.ipynb")
    monkeypatch.setattr(runner, "notebooks_folder", lambda: folder)
    page = runner.run_notebook("broken", "", tmp_path / "page.html").read_text("utf-8")
    assert "The step that fails: ValueError" in page
    assert "a result that is whole" in page
    assert "never reached" not in page
    assert "<script>" not in page


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("collected"))
    return import_folder(folder, tmp_path_factory.mktemp("bundles") / "handmade.incident")


@pytest.mark.parametrize("name", NAMES)
def test_every_notebook_runs_to_its_end_on_the_sample_by_default(name, tmp_path):
    page = runner.run_notebook(name, "", tmp_path / f"{name}.html").read_text("utf-8")
    assert "This page is incomplete" not in page
    assert LAST_SECTION in page
    # A bar that nobody watches would leave a dead widget, or a warning that it could not be drawn.
    assert [left for left in ("Warning", "Output()", "widget-view") if left in page] == []


@pytest.mark.parametrize("name", ["01_trace_a_pod", "03_which_rabbit_node"])
def test_a_notebook_runs_to_its_end_on_a_bundle_it_has_never_seen(name, bundle, tmp_path):
    page = runner.run_notebook(name, bundle, tmp_path / f"{name}.html").read_text("utf-8")
    assert "This page is incomplete" not in page
    assert POD in page
    assert LAST_SECTION in page


def test_a_page_of_a_notebook_holds_no_code_runs_no_script_and_fetches_nothing(bundle, tmp_path):
    page = runner.run_notebook("console_versus", bundle, tmp_path / "page.html", {"pod": POD}).read_text("utf-8")
    assert "import incident_kit" not in page
    assert not re.search(r"<script|<link|<iframe|\bsrc=\"(?!data:)|url\(|@import|href=\"http", page)
    assert "&lt;script&gt;alert(1)" in page


def test_copies_for_the_lab_have_the_bundle_as_default_and_are_never_overwritten(bundle, tmp_path):
    runner.copy_notebooks(tmp_path, bundle)
    copy = tmp_path / "01_trace_a_pod.ipynb"
    assert f"bundle = '{bundle.resolve()}'" in nbformat.read(copy, as_version=4).cells[1].source
    copy.write_text("somebody's work")
    runner.copy_notebooks(tmp_path, bundle)
    assert copy.read_text() == "somebody's work"
