"""Files come in chunks that join to the file, and where they can end at a line's end they do."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.normalise import compression
from incident_kit.normalise.compression import decompressed


@given(data=st.lists(st.sampled_from([b"a", b"bc", b"\n"]), max_size=60).map(b"".join), size=st.integers(1, 40))
def test_chunks_are_the_file_and_end_where_lines_do(data: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compression, "_LOOKED_AHEAD", 7)
        chunks = list(decompressed(io.BytesIO(data), size))
    assert b"".join(chunks) == data
    assert all(0 < len(chunk) <= size for chunk in chunks)
    if size > 7:
        assert all(chunk.endswith(b"\n") or b"\n" not in chunk[-(len(chunk) + 7 - size) :] for chunk in chunks[:-1])
