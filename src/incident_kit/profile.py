"""Profile: which systems to read, and how this shop names things.

Profiles stand in ``incident-kit.toml``, several of them as ``[profiles.NAME]``; see docs/profile.md. Credentials never
do: they come from the kubeconfig, the environment or the keyring, and a credential written into the file is refused.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from incident_kit.errors import ProfileError

FILE_NAME = "incident-kit.toml"
FILE_VARIABLE = "INCIDENT_KIT_CONFIG"
_SECRET_KEYS = re.compile(
    r"pass(word|wd|phrase)?$|pwd$|secret$|token$|api_?key$|private_?key$|credentials?$", re.IGNORECASE
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldRoles(_Section):
    """Candidates for each role of an Elasticsearch document, best first; dotted paths."""

    pod: tuple[str, ...] = (
        "podName",
        "kubernetes.pod.name",
        "kubernetes.pod_name",
        "fields.podName",
        "resource.attributes.k8s.pod.name",
        "k8s.pod.name",
        "pod_name",
        "pod",
    )
    namespace: tuple[str, ...] = (
        "kubernetes.namespace",
        "kubernetes.namespace_name",
        "fields.namespace",
        "resource.attributes.k8s.namespace.name",
        "namespace",
    )
    container: tuple[str, ...] = (
        "kubernetes.container.name",
        "kubernetes.container_name",
        "containerName",
        "fields.containerName",
        "resource.attributes.k8s.container.name",
        "container.name",
    )
    node: tuple[str, ...] = (
        "kubernetes.node.name",
        "kubernetes.host",
        "resource.attributes.k8s.node.name",
        "nodeName",
    )
    time: tuple[str, ...] = ("@timestamp", "timestamp", "time", "@t")
    level: tuple[str, ...] = ("log.level", "level", "severity_text", "severity", "Level", "@l", "loglevel")
    message: tuple[str, ...] = ("message", "Message", "msg", "@m", "body.text", "body", "log", "log.original")
    template: tuple[str, ...] = (
        "messageTemplate",
        "message_template",
        "MessageTemplate",
        "@mt",
        "labels.MessageTemplate",
    )
    logger: tuple[str, ...] = ("log.logger", "logger", "logger_name", "SourceContext", "fields.SourceContext")
    exception: tuple[str, ...] = (
        "error.stack_trace",
        "exception.stacktrace",
        "exceptions",
        "exception",
        "stack_trace",
        "@x",
        "Exception",
    )
    image: tuple[str, ...] = (
        "container.image.name",
        "kubernetes.container.image",
        "kubernetes.container_image",
        "image",
    )
    ingested: tuple[str, ...] = ("event.ingested", "ingested_at", "event.created")


class KubernetesSettings(_Section):
    """Where the cluster is; credentials come from the kubeconfig."""

    context: str | None = None
    kubeconfig: str | None = None
    namespaces: tuple[str, ...] = ()
    parallel: int = Field(default=16, ge=1, le=128)
    timeout_seconds: float = Field(default=30.0, gt=0)


class ArgocdSettings(_Section):
    """Where the Application objects live, when it is another cluster than the pods'."""

    context: str | None = None
    kubeconfig: str | None = None
    namespaces: tuple[str, ...] = ()
    enabled: bool = True


class ElasticsearchSettings(_Section):
    """Which documents are asked for."""

    url: str | None = None
    indices: tuple[str, ...] = ("logs-*",)
    filter: dict[str, Any] | None = None
    slices: int = Field(default=2, ge=1, le=16)
    page_size: int = Field(default=5000, ge=1, le=10_000)
    timeout_seconds: float = Field(default=60.0, gt=0)
    margin_seconds: float = Field(default=120.0, ge=0)
    limit_without_pod: int = Field(default=200_000, ge=0)
    verify_certificates: bool = True
    ca_certificate: str | None = None
    failure_stores: bool = True
    ingest_lag_seconds: float | None = None


class RabbitmqSettings(_Section):
    """Management API of one or several nodes of one cluster; any that answers serves."""

    urls: tuple[str, ...] = ()
    vhosts: tuple[str, ...] = ()
    timeout_seconds: float = Field(default=5.0, gt=0)
    verify_certificates: bool = True
    ca_certificate: str | None = None
    logs: tuple[str, ...] = ()


class ReleaseGroup(_Section):
    """One step of a release: workloads whose names match, in the order in which steps are synced."""

    name: str
    patterns: tuple[str, ...]


class ConsolePattern(_Section):
    """How the lines of some containers begin: a regular expression with named groups, or a layout pattern."""

    pattern: str
    container: str = "*"
    workload: str = "*"
    namespace: str = "*"
    time_format: str | None = None


class RedactionSettings(_Section):
    """What stays readable: patterns of e-mail addresses, such as the people Argo CD names as authors."""

    keep: tuple[str, ...] = ()


class Profile(_Section):
    """One environment: systems, field names, patterns, release habits. Never a credential."""

    name: str = "default"
    cluster: str | None = None
    kubernetes: KubernetesSettings = KubernetesSettings()
    argocd: ArgocdSettings = ArgocdSettings()
    elasticsearch: ElasticsearchSettings = ElasticsearchSettings()
    rabbitmq: RabbitmqSettings = RabbitmqSettings()
    fields: FieldRoles = FieldRoles()
    patterns: tuple[ConsolePattern, ...] = ()
    console_time_zone: str | None = None
    release_groups: tuple[ReleaseGroup, ...] = (
        ReleaseGroup(name="API", patterns=("*-api",)),
        ReleaseGroup(name="Service", patterns=("*-service",)),
        ReleaseGroup(name="Jobs", patterns=("*-job", "*-jobs")),
    )
    pipeline_accounts: tuple[str, ...] = ()
    kibana_url: str | None = None
    argocd_url: str | None = None
    redaction: RedactionSettings = RedactionSettings()

    @field_validator("console_time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[+-]\d\d:\d\d", value):
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError(f"{value!r} is no time zone; write Europe/Prague or +02:00") from error
        return value

    def public(self) -> dict[str, Any]:
        """The profile as plain JSON for the manifest; it holds no credential, and URLs without user information."""
        public: dict[str, Any] = _without_user_information(self.model_dump(mode="json"))
        return public

    @property
    def keep_readable(self) -> tuple[str, ...]:
        """Patterns that the redactor leaves readable: what the profile itself names."""
        return (*self.redaction.keep, *self.pipeline_accounts)


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


def default_profile() -> Profile:
    """The profile for imports without one: usual field names, nothing to connect to."""
    return Profile()


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
            f"No {FILE_NAME} here, in a folder above, or in {_user_folder()}. Write one; docs/profile.md shows how."
        )
    profiles = _read(file).get("profiles")
    if not isinstance(profiles, dict) or not profiles:
        raise ProfileError(f"{file} has no [profiles.NAME]. Write one; docs/profile.md shows how.")
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
        raise ProfileError(f"{file}: {where}: {first['msg']}. See docs/profile.md.") from None


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


def find_file() -> Path | None:
    """The profile file that would be read, or None."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    here = Path.cwd()
    candidates = [*(folder / FILE_NAME for folder in (here, *here.parents)), _user_folder() / FILE_NAME]
    return next((path for path in candidates if path.is_file()), None)


def _user_folder() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "incident-kit"


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(
            f"{file} cannot be read: {error.strerror}. Check the path and its permissions."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(
            f"{file} is not TOML: {error}. Correct it; docs/profile.md shows a whole file."
        ) from error


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


def _without_user_information(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_user_information(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_user_information(inner) for inner in value]
    if isinstance(value, str) and "://" in value:
        return re.sub(r"://[^/@\s]*@", "://", value)
    return value


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
