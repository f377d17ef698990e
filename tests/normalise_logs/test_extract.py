"""Groups are the same whichever way an expression is asked."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_kit.normalise.logs.formats.extract import extract
from incident_kit.normalise.logs.formats.patterns import PATTERNS

_pieces = st.sampled_from(
    ["2026-11-20 08:00:00,123", "2026-11-20T08:00:00Z", "2026/11/20 08:00:00.5 +01:00", "08:00:00", "08:00:00.123", "20-Nov-2026 08:00:00", "Nov 20 08:00:00",
     "Nov 20, 2026 8:00:00 AM", "11/20/2026 08:00:00", "11/20/2026, 8:00:00 AM", "20.11.2026 08:00:00", " ", "[", "]", "|", " - ", ": ", "INFO", "warn", "[main]", "a.b.C", "x=1", "text", "\t", "(", ")", "é"]
)  # fmt: skip


@pytest.mark.parametrize("name", [pattern.name for pattern in PATTERNS])
@settings(max_examples=15, deadline=None)
@given(st.lists(st.one_of(st.none(), st.lists(_pieces, max_size=9).map("".join)), max_size=12))
def test_the_usual_times_first_find_the_same_groups(name: str, lines: list[str | None]) -> None:
    expression = next(pattern.expression for pattern in PATTERNS if pattern.name == name)
    texts = pa.array(lines, pa.large_string())

    assert extract(texts, expression).to_pylist() == pc.extract_regex(texts, expression).to_pylist()
