"""The pattern chosen for a container is the one of the highest score, whichever patterns were asked about documents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_kit.normalise.logs.formats import detect
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.pairs import cut_heads
from incident_kit.normalise.logs.formats.patterns import PATTERNS, Pattern
from incident_kit.normalise.logs.formats.sample import Sample
from incident_kit.normalise.logs.formats.tried import Tried

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


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(PREFIXES), st.sampled_from(TEXTS)), min_size=1, max_size=20),
    st.sets(st.sampled_from(TEXTS)),
)
def test_the_best_pattern_is_found_without_asking_about_all(
    written: list[tuple[str, str]], documents: set[str]
) -> None:
    lines = pa.array([prefix + text for prefix, text in written], pa.large_string())
    tried = Tried(Sample(lines), KnownMessages.build((text, "info") for text in sorted(documents)))
    left = np.ones(len(lines), dtype=bool)

    found = detect._best(tried, left)

    best: tuple[float, str] | None = None
    for rank, pattern in enumerate(PATTERNS):
        fits = np.asarray(pc.match_substring_regex(lines, pattern.expression))
        if fits.any():
            messages = pc.extract_regex(lines.filter(pa.array(fits)), pattern.expression).field("message").to_pylist()
            heads = cut_heads(pa.array(messages, pa.large_string())).to_pylist()
            equal = sum(not documents.isdisjoint(forms) for forms in zip(messages, heads, strict=True))
            score = int(fits.sum()) * (1 - rank * 0.002) + equal * 2
            if best is None or score > best[0]:
                best = (score, pattern.name)
    assert (None if found is None else found.name) == (None if best is None else best[1])


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if pattern.needs], ids=lambda one: one.name)
@settings(max_examples=20)
@given(data=st.data())
def test_what_a_pattern_needs_stands_in_every_line_it_fits(pattern: Pattern, data: st.DataObject) -> None:
    as_python_writes_it = pattern.expression.replace(r"\x{202f}", "\u202f").replace(r"\p{L}", "[A-Za-z]")
    line = data.draw(st.from_regex(as_python_writes_it.removesuffix("$"), alphabet=st.characters(codec="ascii")))

    if pc.match_substring_regex(pa.array([line]), pattern.expression)[0].as_py():
        assert pattern.needs in line
