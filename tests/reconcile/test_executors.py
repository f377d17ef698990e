"""Buckets are independent: processes give the same answer as one thread."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from incident_kit.correlate.reconcile import reconcile
from incident_kit.evidence import read_evidence
from incident_kit.importing import import_folder
from tests.reconcile.incident import Incident


def test_processes_give_the_same_verdicts(tmp_path: Path) -> None:
    incident = Incident()
    for pod in ("orders-api-7c9f8d6b5-x2k4q", "ledger-api-7c9f8d6b5-zzbbc"):
        incident.usual(pod=pod)
        incident.log(301.1, "lost", pod=pod, shipped=False)
    bundle = import_folder(incident.write(tmp_path / "import"), tmp_path / "case.incident")
    with ProcessPoolExecutor(2) as executor:
        spread = reconcile(read_evidence(bundle), executor=executor)
    alone = reconcile(read_evidence(bundle))
    assert [one.verdicts.code.tolist() for one in spread.buckets] == [one.verdicts.code.tolist() for one in alone.buckets]
    assert [one.cause.tolist() for one in spread.buckets] == [one.cause.tolist() for one in alone.buckets]
