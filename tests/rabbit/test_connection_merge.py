"""Merging what several sources say of connections."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from incident_kit.correlate.rabbitmq.connection import Connection
from incident_kit.correlate.rabbitmq.merging import merge_connections

SECOND = 1_000_000_000
NAME = "10.1.0.5:4000 -> 10.0.0.1:5672"


@st.composite
def rows(draw):
    """A row that some source could tell of one of two connection names."""
    begin = draw(st.integers(0, 40)) * 30 * SECOND
    lasting = draw(st.integers(0, 10)) * 20 * SECOND
    known, closed = draw(st.booleans()), draw(st.booleans())
    jitter = draw(st.integers(-1, 1)) * SECOND // 2
    return Connection(
        connection=draw(st.sampled_from([NAME, "[fd00::7]:4000 -> 10.0.0.1:5672"])),
        rabbit_node=draw(st.sampled_from([None, "rabbit@a", "rabbit@b"])),
        connected_at=begin + jitter if known else None,
        closed_at=begin + lasting if closed else None,
        first_seen_at=begin + jitter,
        last_seen_at=begin + lasting,
        user_provided_name=draw(st.sampled_from([None, "pod-a"])),
        observed=known,
        source=draw(st.sampled_from(["management_api", "broker_log", "metricbeat"])),
    )


@given(st.lists(rows(), max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    assert merge_connections(shuffled) == merge_connections(found)


@given(st.lists(rows(), max_size=12))
def test_merging_again_changes_nothing(found):
    once = merge_connections(found)
    assert merge_connections(once) == once
    assert merge_connections([*once, *once]) == once


@given(st.lists(rows(), max_size=12))
def test_no_connection_is_invented_or_lost(found):
    merged = merge_connections(found)
    assert {row.connection for row in merged} == {row.connection for row in found}
    assert len(merged) <= len(set(found))
    sources = {part for row in merged for part in row.source.split("+")}
    assert sources == {row.source for row in found}


def test_api_log_and_metricbeat_of_one_connection_are_one_row():
    api = Connection(connection=NAME, rabbit_node="rabbit@a", connected_at=100 * SECOND + 608_000_000, first_seen_at=100 * SECOND,
                     last_seen_at=900 * SECOND, state="running", channel_count=2, source="management_api")  # fmt: skip
    log = Connection(connection=NAME, rabbit_node="rabbit@a", connected_at=100 * SECOND + 607_117_000, first_seen_at=100 * SECOND,
                     last_seen_at=950 * SECOND, closed_at=950 * SECOND, user="app", source="broker_log")  # fmt: skip
    metric = Connection(connection=NAME, rabbit_node=None, first_seen_at=300 * SECOND, last_seen_at=600 * SECOND,
                        observed=False, source="metricbeat")  # fmt: skip
    [row] = merge_connections([metric, log, api])
    assert (row.source, row.closed_at, row.user, row.channel_count) == (
        "management_api+broker_log+metricbeat",
        950 * SECOND,
        "app",
        2,
    )
    assert row.connected_at == log.connected_at


def test_a_port_used_again_is_another_connection():
    first = Connection(connection=NAME, connected_at=100 * SECOND, closed_at=150 * SECOND, source="broker_log")
    again = replace(first, connected_at=160 * SECOND, closed_at=None)
    assert len(merge_connections([first, again])) == 2


def test_the_same_name_on_two_nodes_is_two_connections():
    one = Connection(connection=NAME, rabbit_node="rabbit@a", connected_at=100 * SECOND)
    assert len(merge_connections([one, replace(one, rabbit_node="rabbit@b")])) == 2
