"""Change points: a flat rate has none, whatever its height; a step and a burst are found where they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_kit.correlate.symptoms.change_points import FALSE_ALARM, change_points, rises

SERIES = 300


@pytest.mark.parametrize("rate", [0.05, 0.5, 5, 50])
def test_flat_poisson_rates_give_change_points_no_oftener_than_asked_for(rate: float) -> None:
    """Of 300 flat series a rate of false alarms of 1 % allows 3; ten would happen once in 1,600 times."""
    drawn = np.random.default_rng(7).poisson(rate, (SERIES, 90)).astype(float)
    assert sum(bool(change_points(one)) for one in drawn) < 10
    assert FALSE_ALARM == 0.01


@pytest.mark.parametrize("rate", [0.5, 5, 50])
def test_clumps_without_order_are_no_rise(rate: float) -> None:
    """Counts with a variance far above their mean (negative binomial, shape 2); how often they mislead is measured in benchmarks."""
    drawn = np.random.default_rng(8).negative_binomial(2, 2 / (2 + rate), (SERIES, 90)).astype(float)
    assert sum(bool(rises(one)) for one in drawn) <= 0.04 * SERIES


@settings(max_examples=40)
@given(
    before=st.floats(0, 5), factor=st.floats(5, 20), first=st.integers(20, 70), length=st.integers(15, 20), seed=st.integers(0, 99)
)  # fmt: skip
def test_a_rate_five_times_as_high_is_found_near_its_beginning(
    before: float, factor: float, first: int, length: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    counts = generator.poisson(before, 90).astype(float)
    counts[first : first + length] = generator.poisson(max(before, 1) * factor, min(length, 90 - first))
    found = rises(counts)
    assert any(abs(rise.first - first) <= 2 for rise in found), found


@settings(max_examples=60)
@given(st.lists(st.integers(0, 1000), max_size=60))
def test_any_counts_are_answered_with_edges_inside_and_rises_that_rise(counts: list[int]) -> None:
    values = np.array(counts, dtype=float)
    points = change_points(values)
    assert points == sorted(set(points)) and all(0 < p < len(values) for p in points)
    for rise in rises(values):
        assert rise.after >= 2 * rise.before and 0 < rise.first < rise.last <= len(values)


def test_a_single_bin_far_above_a_quiet_series_is_a_rise_and_a_usual_clump_is_none() -> None:
    quiet = np.zeros(24)
    quiet[12] = 40
    assert [(r.first, r.last) for r in rises(quiet)] == [(12, 13)]
    assert rises(np.array([0.0, 30, 0, 0, 25, 0, 0, 0, 40, 0, 0, 0, 35, 0, 0, 0, 20, 0, 0, 0])) == []
