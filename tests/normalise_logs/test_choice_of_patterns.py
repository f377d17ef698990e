"""The pattern chosen for a container is the one of the highest score, whichever patterns were asked about documents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_kit.normalise.logs.formats import detect
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.patterns import PATTERNS

TEXTS = [
    "Order 1 accepted",
    "com.example.Order - Order 2 accepted",
    "[main] o.Order - x y z",
    "INFO Order 3 accepted",
    "msg=hello",
    "app: ready",
]
PREFIXES = [
    "", "08:00:00 ", "2026-11-20 08:00:00,123 ", "2026-11-20T08:00:00Z INFO ", "[08:00:00 INF] ", "2026-11-20 08:00:00 [main] INFO  a.B - ",
    "INFO:app:", "2026-11-20 08:00:00 - app - INFO - ", "E1120 08:00:00.000000 1 main.go:1] ", "info: ",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PREFIXES), st.sampled_from(TEXTS)), min_size=1, max_size=20),
    st.sets(st.sampled_from(TEXTS)),
)
def test_the_best_pattern_is_found_without_asking_about_all(
    written: list[tuple[str, str]], documents: set[str]
) -> None:
    lines = pa.array([prefix + text for prefix, text in written], pa.large_string())
    known = KnownMessages.build((text, "info") for text in sorted(documents))

    found = detect._best(lines, known)

    best: tuple[float, str, list[bool]] | None = None
    for rank, pattern in enumerate(PATTERNS):
        fits = np.asarray(pc.match_substring_regex(lines, pattern.expression))
        if fits.any():
            equal = detect._equal(lines.filter(pa.array(fits)), pattern.expression, known)
            score = int(fits.sum()) * (1 - rank * 0.002) + equal * 2
            if best is None or score > best[0]:
                best = (score, pattern.name, fits.tolist())
    assert (None if found is None else (found[0].name, found[1].tolist())) == (None if best is None else best[1:])
