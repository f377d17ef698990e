"""Questions that are asked of a column's bytes: they say what plain searches say, and only sooner."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.normalise.logs import text_bytes
from incident_kit.normalise.logs.text_bytes import bytes_of, one_of

FEW = st.lists(st.sampled_from([b" ", b"{", b'"', b"\xc3\xa9"]), max_size=40).map(b"".join)


@pytest.mark.parametrize("much", [4, 1 << 18])
@given(data=FEW, needles=st.lists(st.sampled_from([b" ", b"  ", b'{"', b'"{', b'{""', b"\xc3\xa9"]), max_size=3))
def test_needles_of_any_length_are_found_wherever_they_stand(much: int, data: bytes, needles: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_bytes, "_MUCH", much)
        assert one_of(needles, data) == any(needle in data for needle in needles)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()])
def test_all_bytes_are_there(kind: pa.DataType) -> None:
    """A column of large binaries gave half of its bytes: times of another shape in the other half were not seen."""
    texts = pa.array([b"2026-11-26", b"2026-11-27", b"26 Nov 200", b""]).cast(kind)
    assert bytes_of(texts) == b"2026-11-262026-11-2726 Nov 200"
    assert bytes_of(texts.slice(1, 2)) == b"2026-11-2726 Nov 200"
