"""Times keep nanoseconds, and a time without zone is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.errors import UsageError
from incident_kit.window import MAX_NS, MIN_NS, SECOND, Window, format_ns, parse_rfc3339, parse_time


@given(st.integers(min_value=MIN_NS, max_value=MAX_NS))
def test_every_instant_survives_being_written_and_read(instant):
    assert parse_rfc3339(format_ns(instant)) == instant


@given(st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_an_offset_names_the_same_instant_as_z(moment, minutes):
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"

    assert parse_rfc3339(text + zone) == parse_rfc3339(text + "Z") - minutes * 60 * SECOND


def test_years_that_do_not_fit_are_none_rather_than_an_error():
    assert parse_rfc3339("0001-01-01T00:00:00Z") is None
    assert parse_rfc3339("9999-12-31T23:59:59Z") is None


def test_a_leap_second_is_the_second_after_59():
    assert parse_rfc3339("2016-12-31T23:59:60Z") == parse_rfc3339("2017-01-01T00:00:00Z")


@pytest.mark.parametrize("text", ["2026-11-20T08:00:00", "2026-11-20 08:00"])
def test_a_time_without_zone_is_refused_and_the_remedy_is_shown(text):
    with pytest.raises(UsageError, match="has no zone"):
        parse_time(text)


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01T00:00:00Z", "2h", "-h"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UsageError, match="is not a time"):
        parse_time(text)


def test_relative_times_count_back_from_now():
    now = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()) * SECOND

    assert parse_time("-90m", now) == now - 5400 * SECOND


def test_a_window_is_half_open_and_never_runs_backwards():
    window = Window(start=0, end=10)

    assert (0 in window, 9 in window, 10 in window) == (True, True, False)
    with pytest.raises(UsageError, match="before it begins"):
        Window(start=10, end=10)
