"""Tables are declared once and checked at the seams."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.errors import TableError
from incident_kit.tables import ALL
from incident_kit.tables.answers import GAPS, RESTARTS
from incident_kit.tables.kubernetes import PODS

SMALL = [table for table in ALL.values() if not table.logs]


@pytest.mark.parametrize("table", ALL.values(), ids=ALL)
def test_every_column_says_what_it_means(table):
    assert table.grain and table.origin
    assert [name for name, _, meaning in table.describe() if not meaning] == []
    assert set(table.key) | set(table.order) <= set(table.columns)


@pytest.mark.parametrize("table", SMALL, ids=lambda t: t.name)
def test_an_empty_table_has_its_columns_and_conforms(table):
    empty = table.frame()

    assert list(empty.columns) == table.columns
    pd.testing.assert_frame_equal(table.conform(empty), empty)


@given(st.lists(st.tuples(st.none() | st.integers(0, 2**62), st.none() | st.integers(0, 9), st.text()), max_size=20))
def test_conforming_twice_is_conforming_once_and_nanoseconds_stay(rows):
    frame = RESTARTS.frame({"time": time, "exit_code": code, "reason": reason} for time, code, reason in rows)

    assert sorted(frame["time"].dropna().astype("int64")) == sorted(time for time, _, _ in rows if time is not None)
    pd.testing.assert_frame_equal(RESTARTS.conform(frame), frame)


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(TableError, match=r"gaps lacks \['reason'\].*raeson"):
        GAPS.conform(GAPS.frame().rename(columns={"reason": "raeson"}))


def test_an_undeclared_column_is_refused():
    with pytest.raises(TableError, match="podd"):
        PODS.frame([{"podd": "a"}])
