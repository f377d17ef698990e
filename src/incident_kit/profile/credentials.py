"""Credentials: from the environment, then the keyring; never from the profile's file."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from incident_kit.profile.settings import Profile


class Credentials(BaseSettings):
    """Credentials of one profile, from the environment, then the keyring; hidden in every repr.

    ``INCIDENT_KIT_<PROFILE>_ELASTICSEARCH_API_KEY`` goes before ``INCIDENT_KIT_ELASTICSEARCH_API_KEY``, and both before
    the keyring entry ``incident-kit`` / ``<profile>.elasticsearch_api_key``.
    """

    model_config = SettingsConfigDict(extra="ignore")

    elasticsearch_api_key: SecretStr | None = None
    elasticsearch_user: str | None = None
    elasticsearch_password: SecretStr | None = None
    rabbitmq_user: str | None = None
    rabbitmq_password: SecretStr | None = None


def load_credentials(profile: Profile) -> Credentials:
    """The credentials of a profile.

    Environment first (the profile's own, then the general), then the keyring; what is nowhere is None.
    """
    prefix = f"INCIDENT_KIT_{re.sub(r'[^A-Za-z0-9]', '_', profile.name).upper()}_"
    own = Credentials(_env_prefix=prefix)  # type: ignore[call-arg]  # an option of BaseSettings
    general = Credentials(_env_prefix="INCIDENT_KIT_")  # type: ignore[call-arg]  # the same
    values: dict[str, Any] = {}
    for field in Credentials.model_fields:
        value = getattr(own, field) or getattr(general, field)
        values[field] = value if value is not None else _keyring_entry(f"{profile.name}.{field}")
    return Credentials.model_construct(**{k: _hidden(k, v) for k, v in values.items()})


def _hidden(field: str, value: Any) -> Any:
    if value is None or isinstance(value, SecretStr) or field.endswith("_user"):
        return value
    return SecretStr(str(value))


@cache
def _keyring_entry(name: str) -> str | None:
    import keyring
    import keyring.errors

    try:
        return keyring.get_password("incident-kit", name)
    except keyring.errors.KeyringError:
        return None  # no usable keyring on this machine
