"""The redaction key: where it lives and how it is made.

Searched in this order: the environment variable ``INCIDENT_KIT_REDACTION_KEY`` (64 hex digits; for a CronJob from a
Secret), the file ``$XDG_DATA_HOME/incident-kit/redaction.key`` (``~/.local/share`` by default, mode 0600), the
keyring entry ``incident-kit`` / ``redaction-key``. Where there is none, the file is created. Whoever wants the keyring
instead runs ``keyring set incident-kit redaction-key`` with 64 hex digits and removes the file.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from incident_kit.errors import ProfileError
from incident_kit.redaction.redactor import Redactor

VARIABLE = "INCIDENT_KIT_REDACTION_KEY"
_KEY_BYTES = 32


def default_redactor(keep: Iterable[str] = ()) -> Redactor:
    """A redactor with this user's key, which is created where there is none yet."""
    return Redactor(load_key(), keep=keep)


def load_key() -> bytes:
    """This user's redaction key, created on first use.

    Raises:
        ProfileError: the key is malformed, other users can read its file, or it cannot be made.
    """
    variable = os.environ.get(VARIABLE)
    if variable:
        return _decode(variable, f"the environment variable {VARIABLE}")
    path = key_path()
    if path.exists():
        return _read(path)
    stored = _from_keyring()
    if stored:
        return _decode(stored, "the keyring entry incident-kit/redaction-key")
    return _create(path)


def key_path() -> Path:
    """Where the key's file is, or would be created."""
    base = os.environ.get("XDG_DATA_HOME")
    if base and Path(base).is_absolute():
        return Path(base) / "incident-kit" / "redaction.key"
    try:
        home = Path.home()
    except RuntimeError:
        raise ProfileError(
            f"There is no home folder for the redaction key. Set HOME, XDG_DATA_HOME or {VARIABLE}."
        ) from None
    return home / ".local" / "share" / "incident-kit" / "redaction.key"


def _read(path: Path) -> bytes:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise ProfileError(f"Others can read the redaction key {path} (mode {mode:o}). Run: chmod 600 {path}")
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise ProfileError(f"The redaction key {path} cannot be read: {error.strerror}. Check its owner.") from error
    return _decode(text, str(path))


def _decode(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) < 16:
        raise ProfileError(f"The redaction key in {where} is not at least 32 hex digits. Write 64, or remove it.")
    return key


def _from_keyring() -> str | None:
    import keyring
    import keyring.errors

    try:
        return keyring.get_password("incident-kit", "redaction-key")
    except keyring.errors.KeyringError:
        return None  # no usable keyring on this machine: the file serves


def _create(path: Path) -> bytes:
    key = secrets.token_bytes(_KEY_BYTES)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was faster
        return _read(path)
    except OSError as error:
        raise ProfileError(
            f"The redaction key cannot be made at {path}: {error.strerror}. Let XDG_DATA_HOME name a folder that you "
            f"may write to, or set {VARIABLE} to 64 hex digits."
        ) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
    return key
