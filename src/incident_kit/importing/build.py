"""From a redacted ``raw/`` folder to a sealed bundle: normalise, write tables, write the manifest."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incident_kit.arrow_memory import small_pages
from incident_kit.errors import BundleError
from incident_kit.evidence.archive import write_archive
from incident_kit.evidence.manifest import MANIFEST_NAME, Manifest, digest_tree
from incident_kit.importing.outside import report_outside
from incident_kit.normalise.raw import RawFolder
from incident_kit.tables import ALL, Table
from incident_kit.tables.answers import COVERAGE
from incident_kit.tables.kubernetes import CONTAINERS, PODS
from incident_kit.window import format_ns

if TYPE_CHECKING:
    from incident_kit.normalise.context import Context


@contextmanager
def staging(output: Path, *, force: bool) -> Iterator[Path]:
    """A temporary folder beside the output; nothing half written is ever left under the output's name.

    Raises:
        BundleError: the output exists and ``force`` is not given, or it is not a bundle.
    """
    if output.exists():
        if not force:
            raise BundleError(f"{output} exists. Choose another name, or replace it with --force.")
        if output.is_dir() and not (output / MANIFEST_NAME).is_file() and any(output.iterdir()):
            raise BundleError(f"{output} is a folder but no bundle; it is not replaced. Choose another name.")
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        stage = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    except OSError as error:
        error.filename = str(output)  # the stage has a name that nobody gave
        raise
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def build_bundle(
    stage: Path, context: Context, output: Path, *, asked: list[dict[str, Any]], force: bool = False
) -> Path:
    """Normalise ``stage/raw``, seal the bundle and move it to its name.

    Args:
        stage: a folder from `staging` that holds ``raw/``, already redacted.
        context: cluster, window, profile and the gaps so far.
        output: ``NAME.incident`` or ``NAME.zip``.
        asked: what was asked of whom and when.
        force: replace an existing output.

    Returns:
        The output's path.
    """
    with ThreadPoolExecutor(1) as pool:
        # What was copied is whole: whenever a processor waits while tables are made, it takes these checksums.
        raw = pool.submit(digest_tree, stage, ["raw"])
        rows = write_tables(stage, context)
        files = {**raw.result(), **digest_tree(stage, ["tables"])}
    manifest = Manifest(
        window=context.window,
        cluster=context.cluster,
        captured_at=context.captured_at,
        created_at=time.time_ns(),
        imported=context.imported,
        kit_version=version("incident-kit"),
        profile=context.profile.public(),
        asked=asked,
        rows=rows,
        gaps=_told_once(context.gaps),
        files=files,
    )
    (stage / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    _publish(stage, output, force=force)
    return output


def _told_once(gaps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    told = {tuple(gap.items()): gap for gap in gaps}
    return [{**gap, "from": format_ns(gap["from"]), "to": format_ns(gap["to"])} for gap in told.values()]


@small_pages()
def write_tables(stage: Path, context: Context) -> dict[str, int]:
    """Normalise ``stage/raw`` into ``stage/tables``; row counts by table."""
    from incident_kit.normalise.argocd import normalise_argocd
    from incident_kit.normalise.kubernetes import normalise_kubernetes
    from incident_kit.normalise.logs.normalise import normalise_logs
    from incident_kit.normalise.rabbitmq import normalise_rabbitmq

    raw = RawFolder(stage / "raw")
    folder = stage / "tables"
    folder.mkdir()
    tables: dict[str, list[dict[str, Any]]] = {}
    for normaliser in (normalise_kubernetes, normalise_argocd, normalise_rabbitmq):
        for table, rows in normaliser(raw, context).items():
            tables.setdefault(table, []).extend(rows)
    pods, containers = PODS.frame(tables.get(PODS.name, [])), CONTAINERS.frame(tables.get(CONTAINERS.name, []))
    tables[COVERAGE.name] = normalise_logs(raw, context, containers, pods, folder)
    if context.imported:
        report_outside(folder, context)
    for name, rows in tables.items():
        _write_table(ALL[name], rows, folder)
    return {**{name: len(rows) for name, rows in tables.items()}, **_log_rows(folder)}


def _write_table(table: Table, rows: list[dict[str, Any]], folder: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table.arrow(rows), folder / f"{table.name}.parquet", compression="zstd")


def _log_rows(folder: Path) -> dict[str, int]:
    import pyarrow.parquet as pq

    return {
        table.name: sum(pq.read_metadata(path).num_rows for path in (folder / table.name).rglob("*.parquet"))
        for table in ALL.values()
        if table.logs
    }


def _publish(stage: Path, output: Path, *, force: bool) -> None:
    if output.suffix == ".zip":
        packed = stage.with_name(f"{stage.name}.zip")
        try:
            write_archive(stage, packed)
            os.replace(packed, output)
        finally:
            packed.unlink(missing_ok=True)
        return
    old = None
    if output.exists() and force:
        old = Path(tempfile.mkdtemp(prefix=f".{output.name}.old.", dir=output.parent)) / output.name
        os.replace(output, old)
    stage.chmod(0o755)
    os.replace(stage, output)
    if old is not None:
        shutil.rmtree(old.parent)
