"""Lives of pods merged over bundles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from incident_kit.correlate.pods.lifetimes import Lifetime, merge_lifetimes

SECOND = 1_000_000_000


@st.composite
def lives(draw):
    """Lives as one bundle may know them: of few names and uids, captured or not, ended or not."""
    number = draw(st.integers(0, 3))
    uid = draw(st.sampled_from([None, f"uid-{number}-0", f"uid-{number}-1"]))
    life = Lifetime(
        draw(st.sampled_from(["shop", "shop", None])),
        f"pod-{number}",
        uid,
        captured=uid is not None and draw(st.booleans()),
    )
    begin = draw(st.integers(0, 50)) * SECOND
    life.sight(begin, "test")
    if life.captured:
        life.learn("created_at", begin, "pod object")
    life.learn("node", draw(st.sampled_from([None, "node-1", "node-2"])), "test", observed=draw(st.booleans()))
    return life


groups = st.lists(st.lists(lives(), max_size=6), max_size=4)


@given(groups)
def test_one_uid_is_one_life_however_many_bundles_know_it(found):
    merged = merge_lifetimes(found)
    uids = [life.pod_uid for life in merged if life.pod_uid is not None]
    assert sorted(uids) == sorted({life.pod_uid for group in found for life in group if life.pod_uid is not None})


@given(groups)
def test_no_sighting_is_lost_and_none_is_invented(found):
    before = {(life.pod, at) for group in found for life in group for at, _ in life.seen}
    assert {(life.pod, at) for life in merge_lifetimes(found) for at, _ in life.seen} == before


@given(groups)
def test_what_was_observed_is_never_replaced_by_what_was_inferred(found):
    observed = {
        (life.pod_uid, life.facts["node"].value) for group in found for life in group
        if life.pod_uid is not None and "node" in life.facts and life.facts["node"].observed
    }  # fmt: skip
    for life in merge_lifetimes(found):
        if any(uid == life.pod_uid for uid, _ in observed):
            assert life.facts["node"].observed and (life.pod_uid, life.facts["node"].value) in observed


@given(groups)
def test_merging_leaves_its_input_as_it_was(found):
    copies = [[(life.key, dict(life.facts), list(life.seen)) for life in group] for group in found]
    merge_lifetimes(found)
    assert [[(life.key, dict(life.facts), list(life.seen)) for life in group] for group in found] == copies
