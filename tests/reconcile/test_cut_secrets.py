"""Documents that were cut within a secret, or within the value of a line of pairs that the message is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from incident_kit.correlate.reconcile.cut_secrets import ends_in_secret
from tests.reconcile.incident import Incident


@pytest.mark.parametrize("mark", ["", "..."])
def test_a_document_cut_within_a_token_is_truncated(tmp_path: Path, mark: str) -> None:
    incident = Incident()
    for number in range(60):
        token = f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI{number * 7919:08d}abcd.c2lnbmF0dXJl{number:08d}"
        text = f"login of user{number} with token={token} ok" if number % 3 else f"order {number} settled"
        at = 10 + number * 5
        incident.say(at, f'time="2026-11-20T10:0{number * 5 // 60}:00Z" level=info msg="{text}" user={number}')
        if number != 31:
            incident.ship(at, text[:60] + mark if len(text) > 60 else text)
    found = Counter(row["verdict"] for row in incident.answered(tmp_path))
    assert found == {"matched": 20, "truncated": 39, "console_only": 1}


SECRETS = [f"redacted-secret-{digit * 12}" for digit in "ab"]


@pytest.mark.parametrize(
    ("mine", "theirs", "cut"),
    [
        ("signed in with {0} at noon", "signed in with {1}", True),
        ("signed in with {0}", "signed in with {1}...", True),
        ("signed in with {0} at noon", "signed in with 4111 1111 1", True),
        ("signed in with {0}", "signed in with {1}", False),
        ("signed in with {0} at noon", "signed in with {1} at noon", False),
        ("key {0} is old", "key {1}", False),
    ],
)
def test_only_what_ends_within_the_secret_was_cut_there(mine: str, theirs: str, *, cut: bool) -> None:
    assert ends_in_secret(mine.format(*SECRETS), theirs.format(*SECRETS)) == cut
