"""Questions that are asked of a column's bytes: they say what plain searches say, and only sooner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.normalise.logs import text_bytes
from incident_kit.normalise.logs.text_bytes import one_of

FEW = st.lists(st.sampled_from([b" ", b"{", b'"', b"\xc3\xa9"]), max_size=40).map(b"".join)


@pytest.mark.parametrize("much", [4, 1 << 18])
@given(data=FEW, needles=st.lists(st.sampled_from([b" ", b"  ", b'{"', b'"{', b'{""', b"\xc3\xa9"]), max_size=3))
def test_needles_of_any_length_are_found_wherever_they_stand(much: int, data: bytes, needles: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_bytes, "_MUCH", much)
        assert one_of(needles, data) == any(needle in data for needle in needles)
