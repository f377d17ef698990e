"""Notebooks without a browser: found by name, run on a bundle, written as one HTML page that needs no network.

The page hides the code. A step that fails does not lose the others' results: the page says on top which step failed
and why, and holds everything before it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from incident_kit.errors import BundleError, NotFoundError, UsageError
from incident_kit.present.files import write_whole
from incident_kit.present.progress import HEADLESS
from incident_kit.present.text import visible

SECONDS_A_CELL = 900


def notebooks_folder() -> Path:
    """Where the notebooks are: inside the installed package, or the repository's folder when run from it.

    Raises:
        BundleError: this installation has none.
    """
    package = Path(str(files("incident_kit")))
    for folder in (package / "notebooks", package.parent.parent / "notebooks"):
        if folder.is_dir() and any(folder.glob("*.ipynb")):
            return folder
    raise BundleError("This installation holds no notebooks. Install incident-kit again.")


def list_notebooks() -> list[str]:
    """Stems of the notebooks, in the order of an investigation."""
    return sorted(path.stem for path in notebooks_folder().glob("*.ipynb"))


def find_notebook(name: str) -> Path:
    """The notebook with this stem, or the only one whose stem holds this part.

    Raises:
        NotFoundError: there is none.
        UsageError: several fit.
    """
    stems = list_notebooks()
    wanted = name.removesuffix(".ipynb").lower()
    fitting = [stem for stem in stems if stem.lower() == wanted] or [stem for stem in stems if wanted in stem.lower()]
    if not fitting:
        raise NotFoundError(f"There is no notebook {visible(name)!r}.", stems)
    if len(fitting) > 1:
        raise UsageError(f"Several notebooks are named like {visible(name)!r}: {', '.join(fitting)}. Write more of it.")
    return notebooks_folder() / f"{fitting[0]}.ipynb"


def run_notebook(
    name: str,
    bundle: str | Path,
    output: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Path:
    """Run one notebook on a bundle and write it as HTML.

    Args:
        name: stem of the notebook or an unambiguous part of it.
        bundle: bundle to read; empty for the sample incident.
        output: page to write; ``STEM.html`` in the current folder by default.
        parameters: further values for the notebook's parameters cell, e.g. ``{"pod": "shop/orders-7c9"}``.

    Returns:
        The page written. It is written also when a step failed; then it says so.

    Raises:
        NotFoundError, UsageError: no such notebook, several, or a parameter that it does not have.
        BundleError: the bundle does not exist.
    """
    source = find_notebook(name)
    if bundle and not Path(bundle).exists():
        raise BundleError(f"{bundle} does not exist. Make a bundle with incident-kit capture or incident-kit import.")
    page = Path(output) if output else Path(f"{source.stem}.html")
    given = {"bundle": str(Path(bundle).resolve()) if bundle else "", **(parameters or {})}
    executed, failure = _execute(_parameterised(source, given))
    return write_whole(page, _page(executed, source.stem, failure).encode("utf-8", errors="backslashreplace"))


def _parameterised(source: Path, given: Mapping[str, Any]) -> Any:
    """The notebook with a cell of given values right after its parameters cell."""
    import nbformat

    notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    known = _parameter_names(notebook)
    if unknown := sorted(set(given) - known):
        raise UsageError(f"{source.stem} has no parameter {', '.join(unknown)}. It has: {', '.join(sorted(known))}.")
    place = next(place for place, cell in enumerate(notebook.cells) if _holds_parameters(cell))
    values = "\n".join(f"{name} = {value!r}" for name, value in given.items())
    tagged = {"tags": ["injected-parameters"]}  # papermill's name for it, so that its tools know the cell
    given_cell = nbformat.v4.new_code_cell(values, metadata=tagged)  # type: ignore[no-untyped-call]
    notebook.cells.insert(place + 1, given_cell)
    return notebook


def _holds_parameters(cell: Any) -> bool:
    return cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", [])


def _parameter_names(notebook: Any) -> set[str]:
    import ast

    cells = [cell for cell in notebook.cells if _holds_parameters(cell)]
    statements = [statement for cell in cells for statement in ast.parse(cell.source).body]
    targets = [target for s in statements if isinstance(s, ast.Assign) for target in s.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _execute(notebook: Any) -> tuple[Any, str]:
    """The notebook with outputs, and what failed ('' when nothing did)."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    with tempfile.TemporaryDirectory(prefix="incident-kit-notebook-") as folder:
        client = NotebookClient(
            notebook,
            timeout=SECONDS_A_CELL,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            config=_kernel_settings(folder),
        )
        try:
            client.execute(env={**os.environ, HEADLESS: "1"})
        except CellExecutionError as error:
            return notebook, f"{_failed_step(notebook)}: {error.ename}: {error.evalue}"
        except (CellTimeoutError, DeadKernelError) as error:
            return notebook, f"{_failed_step(notebook)}: {error}"
    return notebook, ""


def _kernel_settings(folder: str) -> Any:
    """Where the system has them, sockets in the run's own folder: outputs then cross no network, not even loopback."""
    from traitlets.config import Config

    if os.name != "posix":
        return Config()
    return Config({"KernelManager": {"transport": "ipc", "connection_file": str(Path(folder) / "kernel.json")}})


def _failed_step(notebook: Any) -> str:
    """Heading of the section that holds the first cell with an error, or the first that never ran."""
    heading = "the beginning"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            titles = [line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")]
            heading = titles[-1] if titles else heading
        elif cell.execution_count is None or any(part.output_type == "error" for part in cell.outputs):
            return heading
    return heading


def _page(notebook: Any, title: str, failure: str) -> str:
    """One HTML page: results without code, no script, nothing fetched."""
    from nbconvert import HTMLExporter

    from incident_kit.present.page import render_page

    for cell in notebook.cells:  # what went wrong is said in words on top; a traceback helps no reader of the page
        if cell.cell_type == "code":
            cell.outputs = [part for part in cell.outputs if part.output_type not in {"error", "stream"}]
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="basic", exclude_input=True, exclude_output_prompt=True
    )
    body, _ = exporter.from_notebook_node(notebook)
    return render_page("notebook.html.j2", title=title, body=body, failure=visible(failure))


def jupyter_lab(folder: Path, *options: str) -> list[str]:
    """The command that opens JupyterLab on a folder."""
    return [sys.executable, "-m", "jupyter", "lab", *options, str(folder)]


def copy_notebooks(folder: Path, bundle: str | Path | None = None) -> list[str]:
    """Copy the notebooks, with a bundle as their default; copies that are there are somebody's work and stay.

    Returns:
        Names of those that stayed, with whatever bundle they name.
    """
    import nbformat

    if bundle is not None and not Path(bundle).exists():
        raise BundleError(f"{bundle} does not exist. Make a bundle with incident-kit capture or incident-kit import.")
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for source in sorted(notebooks_folder().glob("*.ipynb")):
        copy = folder / source.name
        if copy.exists():
            kept.append(copy.name)
            continue
        if bundle is None:
            shutil.copyfile(source, copy)
            continue
        notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
        for cell in filter(_holds_parameters, notebook.cells):
            cell.source = cell.source.replace('bundle = ""', f"bundle = {str(Path(bundle).resolve())!r}", 1)
        nbformat.write(notebook, copy)  # type: ignore[no-untyped-call]
    return kept
