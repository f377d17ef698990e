"""Consoles of which nothing told the namespace or the container: what the documents say of their pod is taken."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset as ds

from incident_kit.normalise.logs.console import ContainerConsole
from incident_kit.normalise.raw import UNKNOWN
from incident_kit.tables.logs import ELASTIC_DOCUMENTS


def told_by_documents(found: list[ContainerConsole], tables_folder: Path) -> list[ContainerConsole]:
    """The consoles, under the names that all documents of their pod agree upon where their own are not known.

    Args:
        found: the consoles.
        tables_folder: where the documents' table is written.
    """
    asked = {one.pod for one in found if UNKNOWN in (one.namespace, one.container)}
    folder = tables_folder / ELASTIC_DOCUMENTS.name
    if not asked or not any(folder.rglob("*.parquet")):
        return found
    columns = ["pod", "namespace", "container"]
    table = ds.dataset(folder, format="parquet").to_table(columns=columns, filter=pc.field("pod").isin(sorted(asked)))
    said: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for row in table.group_by(columns).aggregate([]).to_pylist():
        for names, name in zip(said[row["pod"]], (row["namespace"], row["container"]), strict=True):
            names.update({name} if name else ())
    named: dict[tuple[str, str, str], ContainerConsole] = {}
    for one in found:
        namespaces, containers = said.get(one.pod, (set(), set()))
        key = (_only(one.namespace, namespaces), one.pod, _only(one.container, containers))
        named.setdefault(key, ContainerConsole(*key)).files += one.files
    return [named[key] for key in sorted(named)]


def _only(name: str, said: set[str]) -> str:
    return next(iter(said)) if name == UNKNOWN and len(said) == 1 else name
