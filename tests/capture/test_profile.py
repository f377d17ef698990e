"""Profiles hold no credential, say what is wrong with them, and survive the trip through a manifest."""

import json
from pathlib import Path

import pytest

from incident_kit.errors import ProfileError
from incident_kit.profile import Profile, default_profile, load_profile
from incident_kit.profile.credentials import load_credentials

GOOD = """
[profiles.shop]
cluster = "shop-prod"
console_time_zone = "Europe/Prague"
pipeline_accounts = ["ci"]
[profiles.shop.elasticsearch]
url = "https://elastic.example:9200"
indices = ["logs-shop-*"]
[profiles.shop.fields]
pod = ["fields.podName"]
[[profiles.shop.release_groups]]
name = "API"
patterns = ["*-web"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "incident-kit.toml"
    path.write_text(text)
    return path


def test_a_profile_is_read_and_survives_the_manifest(tmp_path: Path) -> None:
    profile = load_profile("shop", written(tmp_path, GOOD))
    assert profile.fields.pod == ("fields.podName",)
    assert profile.fields.message == default_profile().fields.message
    assert Profile.model_validate(json.loads(json.dumps(profile.public()))) == profile


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[profiles.shop.elasticsearch]\npassword = "x"', "never holds one"),
        ('[profiles.shop.elasticsearch]\napi_key = "x"', "INCIDENT_KIT_ELASTICSEARCH_API_KEY"),
        ('[profiles.shop.rabbitmq]\nurls = ["http://u:p@rabbit:15672"]', "INCIDENT_KIT_RABBITMQ_PASSWORD"),
        ('[profiles.shop.elasticsearch]\nurll = "x"', "elasticsearch.urll"),
        ('[profiles.shop]\nconsole_time_zone = "Prague"', "time zone"),
        ("[profiles.shop", "not TOML"),
        ("[profiles.shopp]", "It has: shopp"),
        ("x = 1", "no \\[profiles.NAME\\]"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence_without_the_secret(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ProfileError, match=told) as error:
        load_profile("shop", written(tmp_path, text))
    assert "\n" not in str(error.value)
    assert ":p@" not in str(error.value)


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    """Windows' Notepad writes one."""
    assert load_profile("shop", written(tmp_path, "\ufeff" + GOOD)).name == "shop"


def test_credentials_come_from_the_environment_and_hide_in_reprs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCIDENT_KIT_ELASTICSEARCH_API_KEY", "general-key")
    monkeypatch.setenv("INCIDENT_KIT_DEFAULT_RABBITMQ_PASSWORD", "own-password")
    monkeypatch.setenv("INCIDENT_KIT_RABBITMQ_PASSWORD", "general-password")
    credentials = load_credentials(default_profile())
    assert credentials.elasticsearch_api_key is not None
    assert credentials.elasticsearch_api_key.get_secret_value() == "general-key"
    assert credentials.rabbitmq_password is not None
    assert credentials.rabbitmq_password.get_secret_value() == "own-password"
    assert "key" not in repr(credentials).replace("api_key", "")
    assert "own-password" not in repr(credentials)
