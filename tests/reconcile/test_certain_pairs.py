"""The quick way through the bulk of the rows gives the answer of the careful way."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.answers.console_only import console_only
from incident_kit.correlate.reconcile import certain, pairing
from incident_kit.correlate.reconcile.certain import agree
from incident_kit.correlate.reconcile.match import by_code, is_among, once_on_both
from incident_kit.evidence import read_evidence
from incident_kit.importing import import_folder
from tests.reconcile.incident import Incident

OTHER = "ledger-api-7c9f8d6b5-zzbbc"
keys = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), max_size=40).map(
    lambda values: np.array(values, np.int64)
)


@given(keys, keys)
def test_keys_that_occur_once_on_each_side_are_found_and_no_others(mine: np.ndarray, theirs: np.ndarray) -> None:
    left, right = once_on_both(mine, theirs)
    counts = Counter(mine.tolist()), Counter(theirs.tolist())
    pairs = {(mine[row], theirs[other]) for row, other in zip(left, right, strict=True)}
    assert all(a == b and counts[0][a] == counts[1][b] == 1 for a, b in pairs)
    # Keys that share their upper bits may hide each other: small numbers do here, hashes do not.
    low = 2 << max(len(mine), len(theirs), 1).bit_length()
    uppers = Counter(int(key) // low for key in [*mine.tolist(), *theirs.tolist()])
    sure = {key for key in counts[0] if counts[0][key] == counts[1][key] == 1 and uppers[key // low] == 2}
    assert sure <= {int(a) for a, _ in pairs}


@given(keys, keys)
def test_membership_is_that_of_sets(mine: np.ndarray, theirs: np.ndarray) -> None:
    assert is_among(mine, theirs).tolist() == [key in set(theirs.tolist()) for key in mine.tolist()]


@given(st.lists(st.integers(0, 3), max_size=30))
def test_rows_of_a_code_are_found_in_their_order(codes: list[int]) -> None:
    array = np.array(codes, np.int64)
    found = {code: np.arange(len(codes))[rows].tolist() for code, rows in by_code(array)}
    assert found == {code: [n for n, one in enumerate(codes) if one == code] for code in set(codes)}


@pytest.mark.parametrize(
    ("own", "other", "same"),
    [
        (1_234_567_890, 1_234_567_890, True),
        (1_234_567_890, 1_234_000_000, True),  # the document keeps milliseconds
        (1_234_567_890, 1_234_567_000, True),  # microseconds
        (1_234_567_890, 1_234_567_800, True),  # the hundred nanoseconds of .NET
        (1_234_567_000, 1_234_567_890, True),  # the console keeps microseconds
        (1_234_567_890, 1_234_567_891, False),
        (1_234_567_890, 1_234_566_000, False),
    ],
)
def test_own_times_are_compared_as_precisely_as_both_are_known(own: int, other: int, same: bool) -> None:
    assert agree(np.array([own]), np.array([other])).tolist() == [same]


def _odd_incident(seed: int) -> Incident:
    """Everything that may stand in the way: repeats, twins, losses, foreign and missing pods, cut and precise times."""
    rng, incident = random.Random(seed), Incident()
    texts = ["Heartbeat: consumer alive", "queue is empty", *(f"Order {n} settled" for n in range(60))]
    at = 10.0
    for number in range(240):
        at += rng.choice([0.0, 0.0004, 0.3, 2.0])
        pod = rng.choice([OTHER, "orders-api-7c9f8d6b5-x2k4q"])
        incident.log(at, rng.choice(texts), pod=pod, shipped=rng.random() > 0.05)
        if rng.random() < 0.05:
            twin = dict(incident.documents[-1])
            incident.documents.append(twin if rng.random() < 0.5 else twin | {"_id": f"twin-{number}"})
        if rng.random() < 0.03:
            incident.documents[-1]["_source"].pop("podName", None)
        if rng.random() < 0.05:
            incident.documents[-1]["_source"]["kubernetes"] = {"container": {"name": rng.choice(["app", "sidecar"])}}
        if rng.random() < 0.03:
            incident.ship(at + rng.random(), rng.choice(texts), pod=pod)
    return incident


@pytest.mark.parametrize("seed", range(6))
def test_the_careful_way_alone_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    bundle = import_folder(_odd_incident(seed).write(tmp_path / "import"), tmp_path / "case.incident")
    columns = ["time", "side", "pod", "text", "verdict", "cause", "confidence", "evidence"]

    def answer() -> Counter[str]:
        frame = console_only(read_evidence(bundle, verify=False), verdicts=True)
        return Counter(map(repr, frame[columns].itertuples(index=False)))

    quick = answer()
    for module, step in ((certain, "pair_by_own_time"), (certain, "_pair_by_text"), (pairing, "pair_by_own_time")):
        monkeypatch.setattr(module, step, lambda *_: None)
    assert answer() == quick
