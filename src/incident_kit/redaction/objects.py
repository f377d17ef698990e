"""Decoded documents: a walk that replaces values by their names and by what their text holds."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from incident_kit.redaction.detectors import (
    Pseudonym,
    is_card_name,
    is_secret_name,
    is_time_or_id_name,
    passes_luhn,
    secret_value,
)
from incident_kit.redaction.pseudonym import Pseudonyms

Text = Callable[[str, str], str]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_FLAG = re.compile(r"--?[\w.-]+")
#: Objects and lists within each other that are looked into.
DEEPEST = 200
#: Fields whose text names objects and fields, never secrets.
_STRUCTURE = frozenset({"managedFields"})


def redact_object(plural: str, document: Any, text: Text, pseudonyms: Pseudonyms, pseudonym: Pseudonym) -> Any:
    """A Kubernetes object without data, environment values and last-applied configuration."""
    if not isinstance(document, dict):
        return redact_value(document, text, pseudonym)
    kind = str(document.get("kind", ""))
    if plural == "secrets" or kind == "Secret":
        document = _hash_data(document, pseudonyms, encoded=True)
    elif plural == "configmaps" or kind == "ConfigMap":
        document = _hash_data(document, pseudonyms, encoded=False)
    return _walk(document, "", text, pseudonym, 0, structural=True)


def redact_value(value: Any, text: Text, pseudonym: Pseudonym) -> Any:
    """Any document; the very same object comes back when there was nothing to replace."""
    return _walk(value, "", text, pseudonym, 0, structural=False)


def _hash_data(document: dict[str, Any], pseudonyms: Pseudonyms, *, encoded: bool) -> dict[str, Any]:
    """Every value of ``data``, ``binaryData`` and ``stringData`` as a keyed hash under its own key."""
    hashed = dict(document)
    for field, base64_encoded in (("data", encoded), ("binaryData", True), ("stringData", False)):
        values = document.get(field)
        if isinstance(values, dict):
            hashed[field] = {key: _hash(value, pseudonyms, encoded=base64_encoded) for key, value in values.items()}
    return hashed


def _hash(value: Any, pseudonyms: Pseudonyms, *, encoded: bool) -> str:
    text = value if isinstance(value, str) else repr(value)
    if encoded and not text.startswith("redacted-"):
        try:
            return pseudonyms.of_bytes("value", base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            pass  # not base64 after all: the text itself is hashed
    return pseudonyms.of("value", text)


def _walk(value: Any, name: str, text: Text, pseudonym: Pseudonym, depth: int, *, structural: bool) -> Any:
    if isinstance(value, str):
        return text(value, name)
    if isinstance(value, dict):
        return _walk_dict(value, text, pseudonym, depth + 1, structural=structural)
    if isinstance(value, list):
        return _walk_list(value, name, text, pseudonym, depth + 1, structural=structural)
    if isinstance(value, int) and _is_card_number(value, name):
        return pseudonym("card", str(value))
    return value


def _walk_dict(value: dict[str, Any], text: Text, pseudonym: Pseudonym, depth: int, *, structural: bool) -> Any:
    if depth > DEEPEST:
        return pseudonym("value", repr(value)[:4096])
    changed: dict[str, Any] | None = None
    for key, old in value.items():
        if key in _STRUCTURE:
            continue
        if key == LAST_APPLIED:
            changed = dict(value) if changed is None else changed
            del changed[key]
            continue
        new: Any
        if key == "env" and isinstance(old, list):
            new = [_environment(entry, text, pseudonym) for entry in old]
        elif _is_credential(key, old, structural=structural) or (
            key == "value"
            and isinstance(named := value.get("name"), str)
            and isinstance(old, str)
            and is_secret_name(named)
        ):
            new = secret_value(str(old), pseudonym)
        elif isinstance(old, str):
            new = text(old, key)
        else:
            new = _walk(old, key, text, pseudonym, depth, structural=structural and key != "annotations")
        if new is not old and new != old:
            changed = dict(value) if changed is None else changed
            changed[key] = new
    return value if changed is None else changed


def _is_credential(key: str, value: Any, *, structural: bool) -> bool:
    """Whether the whole value is a credential; in Kubernetes' own fields (``tokenName``, ``key``) names say nothing."""
    return not structural and is_secret_name(key) and isinstance(value, (str, int)) and not isinstance(value, bool)


def _walk_list(value: list[Any], name: str, text: Text, pseudonym: Pseudonym, depth: int, *, structural: bool) -> Any:
    if depth > DEEPEST:
        return pseudonym("value", repr(value)[:4096])
    changed: list[Any] | None = None
    flag = False
    for index, old in enumerate(value):
        if flag and isinstance(old, str) and not old.startswith("-"):
            new: Any = secret_value(old, pseudonym)
        else:
            new = _walk(old, name, text, pseudonym, depth, structural=structural)
        flag = isinstance(old, str) and bool(_FLAG.fullmatch(old)) and is_secret_name(old)
        if new is not old and new != old:
            changed = list(value) if changed is None else changed
            changed[index] = new
    return value if changed is None else changed


def _environment(entry: Any, text: Text, pseudonym: Pseudonym) -> Any:
    """A container's variable: the name and where it comes from stay, a literal value becomes its keyed hash."""
    if not isinstance(entry, dict):
        return _walk(entry, "env", text, pseudonym, 0, structural=False)
    if not isinstance(entry.get("value"), str):
        return entry
    return {**entry, "value": pseudonym("value", entry["value"])}


def _is_card_number(value: int, name: str) -> bool:
    if isinstance(value, bool) or value < 10**12 or is_time_or_id_name(name) or not is_card_name(name):
        return False
    digits = str(value)
    return len(digits) <= 19 and digits[0] in "23456" and passes_luhn(digits)
