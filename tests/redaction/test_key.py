"""The key is made once, kept private, and refused when others could read it."""

import stat
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest

from incident_kit.errors import ProfileError
from incident_kit.redaction import load_key


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("INCIDENT_KIT_REDACTION_KEY", raising=False)
    keyring.set_keyring(keyring.backends.fail.Keyring())
    return tmp_path / "incident-kit" / "redaction.key"


def test_the_key_is_created_once_and_only_its_owner_reads_it(own_folder: Path) -> None:
    key = load_key()
    assert len(key) == 32
    assert load_key() == key
    assert stat.S_IMODE(own_folder.stat().st_mode) == 0o600


def test_a_key_that_others_can_read_is_refused_with_the_command_that_helps(own_folder: Path) -> None:
    load_key()
    own_folder.chmod(0o644)
    with pytest.raises(ProfileError, match="chmod 600"):
        load_key()


def test_the_environment_goes_first_and_must_be_hexadecimal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCIDENT_KIT_REDACTION_KEY", "ab" * 32)
    assert load_key() == bytes.fromhex("ab" * 32)
    monkeypatch.setenv("INCIDENT_KIT_REDACTION_KEY", "not a key")
    with pytest.raises(ProfileError, match="hex digits"):
        load_key()
