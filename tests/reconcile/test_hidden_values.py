"""Hidden values are told in one pass, however long the text and however many they are."""

from __future__ import annotations

import pytest

from incident_kit.correlate.reconcile.hidden_values import fits_shown, shown_parts


@pytest.mark.parametrize(
    ("hidden", "said", "fits"),
    [
        ("User [EMAIL] logged in", "User redacted-email-1 logged in", True),
        ("Card ****1234 of j***@shop.example charged", "Card 4111 1111 1111 1234 of redacted-email-2 charged", True),
        ("User [EMAIL] logged in", "User redacted-email-1 logged out", False),
        ("User [EMAIL] logged in", "User logged in", False),
        ("User [EMAIL] logged in", "u User redacted-email-1 logged in", True),
        ("desk [ID] of [ID] opened", "desk 4 of 9 opened", True),
        ("on [ID] opened", "desk on 9 opened", False),
        ("desk [ID] of [ID] opened", "desk 4 opened", False),
    ],
)
def test_what_is_shown_must_be_equal_and_something_must_be_hidden(hidden: str, said: str, fits: bool) -> None:
    parts = shown_parts(hidden)
    assert parts is not None
    assert fits_shown(parts, said) is fits


@pytest.mark.parametrize("text", ["plain text 17", "**** [ID]", "a list [1, 2] and an index a[i]"])
def test_texts_that_hide_nothing_or_nearly_all_of_them_are_left(text: str) -> None:
    assert shown_parts(text) is None


def test_long_texts_and_many_hidden_values_are_gone_through_once() -> None:
    assert shown_parts("payload " + "abcdef0123" * 20_000) is None
    parts = shown_parts("Orders " + "of b*** settled, " * 2_000 + "all done")
    assert parts is not None
    assert not fits_shown(parts, "Orders " + "of bob settled, " * 2_000 + "not all of them")
