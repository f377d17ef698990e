"""The file ``incident-kit.toml``: where it is, which profile is meant, and the refusal of credentials in it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from incident_kit.errors import ProfileError
from incident_kit.profile.settings import Profile

FILE_NAME = "incident-kit.toml"
FILE_VARIABLE = "INCIDENT_KIT_CONFIG"
#: A profile that works, in one line; everything else has a default.
_SHORTEST = (
    'profiles.{name}.elasticsearch = {{ url = "https://elastic.example:9200", indices = ["logs-*"] }}; '
    "docs/profile.md has the rest."
)
_SECRET_KEYS = re.compile(
    r"pass(word|wd|phrase)?$|pwd$|secret$|token$|api_?key$|private_?key$|credentials?$", re.IGNORECASE
)


def load_profile(name: str, path: Path | None = None) -> Profile:
    """The profile of that name.

    Args:
        name: NAME of ``[profiles.NAME]``.
        path: the file; by default ``$INCIDENT_KIT_CONFIG``, else ``incident-kit.toml`` in the current folder or one
            above it, else ``$XDG_CONFIG_HOME/incident-kit/incident-kit.toml``.

    Raises:
        ProfileError: no such file or profile, an unknown or malformed setting, or a credential in the file.
    """
    file = path or find_file()
    if file is None:
        raise ProfileError(
            f"No {FILE_NAME} here, in a folder above, or in {_user_folder()}. Write one, such as {_SHORTEST.format(name=name)}"
        )
    profiles = _read(file).get("profiles")
    if not isinstance(profiles, dict) or not profiles:
        raise ProfileError(f"{file} has no [profiles.NAME]. Write one, such as {_SHORTEST.format(name=name)}")
    if name not in profiles:
        near = get_close_matches(name, profiles, 3)
        raise ProfileError(f"{file} has no profile {name!r}. It has: {', '.join(near or sorted(profiles))}.")
    settings = profiles[name]
    if not isinstance(settings, dict):
        raise ProfileError(f"{file}: profiles.{name} is not a table. Write [profiles.{name}].")
    _refuse_credentials(settings, f"profiles.{name}", file)
    try:
        return Profile.model_validate({"name": name, **settings})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, ("profiles", name, *first["loc"])))
        raise ProfileError(f"{file}: {where}: {_wrong(first)}. See docs/profile.md.") from None


def _wrong(problem: Any) -> str:
    """What is wrong with a setting, in the words of TOML."""
    if problem["type"] == "extra_forbidden":
        known = Profile.model_fields
        for part in problem["loc"][:-1]:
            known = getattr(known[part].annotation, "model_fields", {}) if part in known else {}
        near = get_close_matches(str(problem["loc"][-1]), known, 1)
        return "there is no such setting" + (f"; the nearest is {near[0]}" if near else "")
    return str(problem["msg"]).replace("valid tuple", "list, in brackets").replace("Input should", "it should")


def find_file() -> Path | None:
    """The profile file that would be read, or None."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    here = Path.cwd()
    candidates = [*(folder / FILE_NAME for folder in (here, *here.parents)), _user_folder() / FILE_NAME]
    return next((path for path in candidates if path.is_file()), None)


def profile_names() -> list[str]:
    """Names of the profiles that could be asked for; none where there is no file that can be read."""
    file = find_file()
    try:
        profiles = _read(file).get("profiles") if file is not None else None
    except ProfileError:
        return []
    return sorted(map(str, profiles)) if isinstance(profiles, dict) else []


def _user_folder() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "incident-kit"


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ProfileError(f"{file} cannot be read: {error.strerror}. Check the path and its permissions.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{file} is not TOML: {error}. Correct it; docs/profile.md shows a whole file.") from error


def _refuse_credentials(value: Any, where: str, file: Path) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if _SECRET_KEYS.search(str(key)) and isinstance(inner, str):
                raise ProfileError(
                    f"{file}: {where}.{key} looks like a credential, and this file never holds one. Remove it and set "
                    f"{_variable_hint(where, str(key))} in the environment, or use the keyring."
                )
            _refuse_credentials(inner, f"{where}.{key}", file)
    elif isinstance(value, list):
        for item in value:
            _refuse_credentials(item, where, file)
    elif isinstance(value, str) and "://" in value and _has_password(value):
        raise ProfileError(
            f"{file}: {where} is a URL with a password, and this file never holds one. Write the URL without user "
            f"information and set {_variable_hint(where, 'password')} in the environment, or use the keyring."
        )


def _variable_hint(where: str, key: str) -> str:
    system = next((s for s in ("elasticsearch", "rabbitmq") if s in where), "elasticsearch")
    kind = "API_KEY" if "key" in key.lower() else "PASSWORD"
    return f"INCIDENT_KIT_{system.upper()}_{kind}"


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return "@" in url
