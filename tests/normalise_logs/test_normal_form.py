"""The normal form folds spellings and nothing else."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.normalise.logs.normal_form import hash_texts, loose_form, normal_form, normal_forms


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=60), min_size=1, max_size=20))
def test_one_text_and_many_have_the_same_form(texts: list[str]) -> None:
    assert normal_forms(pa.array(texts, pa.large_string())).to_pylist() == [normal_form(text) for text in texts]


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\\\x1b&"), max_size=80))
def test_the_form_of_a_form_is_itself(text: str) -> None:
    assert normal_form(normal_form(text)) == normal_form(text)


@pytest.mark.parametrize(
    ("console", "document"),
    [
        ("User bob logged in", 'User "bob" logged in'),
        ("two\n  lines", "two lines"),
        ("caf\\u00e9 au lait", "café au lait"),
        ('said \\"no\\"', 'said "no"'),
        ("\x1b[32mgreen\x1b[0m", "green"),
        ("tab\there", "tab\\there"),
        ("Fu\u0308hrung u\u0308bernommen", "Führung übernommen"),
        ("q=\\x22caf\\xc3\\xa9\\x22", 'q="café"'),
        ("naïve", "na\\xefve"),
        ("it's <b>me</b> & you", "it&#39;s &lt;b&gt;me&lt;/b&gt; &amp; you"),
    ],
)
def test_spellings_of_one_event_are_equal(console: str, document: str) -> None:
    assert normal_form(console) == normal_form(document)


@pytest.mark.parametrize(
    ("console", "document"),
    [("1.50 EUR", "1.5 EUR"), ("1,250", "1250"), ("True", "true"), ("to (null)", "to null"), ("1E+3", "1000")],
)
def test_renderings_of_values_are_equal_in_the_loose_form(console: str, document: str) -> None:
    assert loose_form(console) == loose_form(document)


@pytest.mark.parametrize(
    ("one", "other"), [("Delta 5", "Delta -5"), ("x=1 y=11", "x=11 y=1"), ("order 17", "order 18")]
)
def test_different_values_stay_different_even_in_the_loose_form(one: str, other: str) -> None:
    assert loose_form(one) != loose_form(other)


def test_equal_texts_have_equal_hashes() -> None:
    first, second, third = hash_texts(["a", "a", "b"]).tolist()
    assert first == second != third


def test_a_slice_of_an_array_has_the_forms_of_its_own_texts() -> None:
    whole = pa.array(
        ['say "a"', None, "plain text", "two  blanks", "\u200bzero width", "tab\tbed", "it\u2019s", ""], pa.string()
    )
    for begin in range(len(whole)):
        for end in range(begin, len(whole) + 1):
            part = whole.slice(begin, end - begin)
            assert normal_forms(part).to_pylist() == [None if t is None else normal_form(t) for t in part.to_pylist()]
