"""Which node of a broker is asked, and what is said of those that do not answer; and of a kubeconfig that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_kit.errors import SourceUnreachable
from incident_kit.sources.broker import Broker
from incident_kit.sources.kubernetes import Cluster

GONE = "http://127.0.0.1:9"


def test_a_node_that_does_not_answer_is_a_gap_of_its_own_only_where_another_was_asked() -> None:
    gaps: list[str] = []
    with pytest.raises(SourceUnreachable):
        Broker([GONE], user="mon", password="p").connect(lambda what, _reason, remedy: gaps.append(f"{what}: {remedy}"))
    assert gaps == []
    with pytest.raises(SourceUnreachable):
        Broker([GONE, f"{GONE}9"], user="m", password="p").connect(
            lambda what, _reason, remedy: gaps.append(f"{what}: {remedy}")
        )
    assert gaps == [f"management API of {GONE}: Check the node and the network."]


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(SourceUnreachable, match=f"there is no kubeconfig at {tmp_path}/none"):
        Cluster()
