"""``python -m benchmarks.false_rises``: how often a rate that never changed is called one that rose.

Flat series of one mean: Poisson counts, and counts that clump (negative binomial). The table gives the share of series with
a rise, in percent; the kit asks for at most one in a hundred of Poisson's.
"""

from __future__ import annotations

import numpy as np

from incident_kit.correlate.symptoms.change_points import rises

SERIES = 300
RATES = (0.05, 0.5, 5.0, 50.0, 500.0)
BINS = (24, 90, 240)


def main() -> None:
    """Print one row for each kind of counts and mean, one column for each length."""
    print(f"| {SERIES} series each | mean | " + " | ".join(f"{bins} bins, %" for bins in BINS) + " |")
    print("| --- " * (2 + len(BINS)) + "|")
    for kind, shape in (("Poisson", None), ("negative binomial, shape 2", 2.0), ("the same, shape 0.2", 0.2)):
        for rate in RATES:
            shares = [f"{_share(shape, rate, bins):.1f}" for bins in BINS]
            print(f"| {kind} | {rate} | " + " | ".join(shares) + " |", flush=True)


def _share(shape: float | None, rate: float, bins: int) -> float:
    generator = np.random.default_rng(8)
    if shape is None:
        drawn = generator.poisson(rate, (SERIES, bins))
    else:
        drawn = generator.negative_binomial(shape, shape / (shape + rate), (SERIES, bins))
    return 100 * sum(bool(rises(one.astype(float))) for one in drawn) / SERIES


if __name__ == "__main__":
    main()
