"""Documents that identify their pod without naming it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from incident_kit.normalise.logs.fields import detect_roles
from incident_kit.normalise.logs.pod_identities import PodIdentities
from tests.reconcile.incident import POD, Incident

UID, ID = "0f6d1c1e-8a54-4a52-9d0b-6f9b3c1f2a10", "ab12" * 16
SIBLING = "orders-api-7c9f8d6b5-bcdfg"
KNOWN = PodIdentities.of(
    [POD],
    pd.DataFrame({"pod_uid": [UID, "twice-one", "twice-one", None], "pod": [POD, POD, SIBLING, POD]}),
    pd.DataFrame({"container_id": [ID, None], "pod": [POD, POD]}),
)


@pytest.mark.parametrize(
    ("value", "pod"),
    [
        (UID, POD),
        (ID, POD),
        (f"containerd://{ID}", POD),
        (f"/var/log/pods/shop_{POD}_{UID}/app/0.log", POD),
        (f"/var/log/containers/{POD}_shop_app-{ID}.log", POD),
        (f"kubernetes.var.log.containers.{POD}_shop_app-{ID}.log", POD),
        (f"/var/lib/docker/containers/{ID}/{ID}-json.log", POD),
        (f"/var/log/pods/shop_{SIBLING}_{UID}/app/0.log", None),
        ("twice-one", None),
        (f"order {UID} placed", None),
        (7, None),
    ],
)
def test_a_value_identifies_a_known_pod_or_none(value: Any, pod: str | None) -> None:
    assert KNOWN.pod_of(value) == pod


def test_what_identifies_counts_only_where_nothing_names() -> None:
    alone, beside = [{"container": {"id": ID}}], [{"container": {"id": ID}}, {"podName": POD}]
    for samples, pod in ((alone, POD), (beside, None)):
        roles, _ = detect_roles(samples, [POD], identities=KNOWN)
        assert roles.value(samples[0], "pod") == pod


def test_equal_texts_of_two_pods_are_told_apart_by_the_paths_of_their_files(tmp_path: Path) -> None:
    incident = Incident()
    for pod in (POD, SIBLING):
        incident.usual(pod=pod)
    incident.documents = [one for number, one in enumerate(incident.documents) if number % 10 or number < 236]
    for one in incident.documents:
        pod = one["_source"].pop("podName")
        one["_source"]["log"] = {"file": {"path": f"/var/log/pods/shop_{pod}_{UID}/app/0.log"}}
    shipped = Counter(one["_source"]["log"]["file"]["path"].split("_")[1] for one in incident.documents)
    found = Counter((row["pod"], row["verdict"]) for row in incident.answered(tmp_path))
    lost = {pod: 236 - count for pod, count in shipped.items() if count < 236}
    assert {pod: count for (pod, verdict), count in found.items() if verdict == "matched"} == dict(shipped)
    assert {pod: count for (pod, verdict), count in found.items() if verdict == "console_only"} == lost
