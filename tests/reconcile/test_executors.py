"""Buckets are independent: processes, Dask's workers, and storage elsewhere give the same answer as one thread."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from incident_kit.correlate.reconcile import reconcile
from incident_kit.correlate.reconcile.verdicts import CAUSE
from incident_kit.evidence import read_evidence
from incident_kit.importing import import_folder
from tests.reconcile.incident import Incident


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    incident = Incident()
    for pod in ("orders-api-7c9f8d6b5-x2k4q", "ledger-api-7c9f8d6b5-zzbbc"):
        incident.usual(pod=pod)
        incident.log(301.1, "lost", pod=pod, shipped=False)
    return import_folder(incident.write(tmp_path / "import"), tmp_path / "case.incident")


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    """Two processes started anew: a fork of this one would take along the locks that Arrow's threads may hold just then."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


def assert_same_answer(bundle: Path, executor: Executor, log_tables: str | None = None) -> None:
    spread = reconcile(read_evidence(bundle), executor, log_tables)
    alone = reconcile(read_evidence(bundle))
    assert [one.verdicts.code.tolist() for one in spread.buckets] == [
        one.verdicts.code.tolist() for one in alone.buckets
    ]
    assert [one.verdicts.cause.tolist() for one in spread.buckets] == [
        one.verdicts.cause.tolist() for one in alone.buckets
    ]
    assert sum(int((one.verdicts.cause == CAUSE["unexplained"]).sum()) for one in spread.buckets) == 2


def test_processes_give_the_same_verdicts(bundle: Path, processes: Executor) -> None:
    assert_same_answer(bundle, processes)


def test_workers_read_the_tables_of_another_place(bundle: Path, tmp_path: Path, processes: Executor) -> None:
    """By an address of Arrow's own file systems, as from object storage."""
    shutil.copytree(bundle / "tables", tmp_path / "store" / "tables")
    assert_same_answer(bundle, processes, (tmp_path / "store" / "tables").as_uri())


def test_workers_read_any_storage_that_fsspec_knows(bundle: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").put(str(bundle / "tables"), "/incidents/night/tables", recursive=True)
    with ThreadPoolExecutor(2) as executor:
        assert_same_answer(bundle, executor, "memory://incidents/night/tables/")


def test_a_place_without_the_tables_is_no_empty_answer(bundle: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as executor, pytest.raises(OSError, match="nowhere"):
        reconcile(read_evidence(bundle), executor, (tmp_path / "nowhere").as_uri())


@pytest.mark.live
def test_a_dask_cluster_of_two_workers_gives_the_same_verdicts(bundle: Path) -> None:
    """A real scheduler with two worker processes on loopback, reading one shared bundle."""
    distributed = pytest.importorskip("distributed")
    patience = {f"distributed.comm.timeouts.{what}": "600s" for what in ("connect", "tcp")}  # of starting processes
    with (
        pytest.importorskip("dask").config.set(patience),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        assert_same_answer(bundle, executor)
