"""What a profile can say, with its defaults."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from incident_kit.profile.layouts import first_line_expression


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
    limit_shifted: int = Field(default=200_000, ge=0)
    failure_stores: bool = True


class RabbitmqSettings(_Section):
    """Management API of one or several nodes of one cluster; any that answers serves."""

    urls: tuple[str, ...] = ()
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

    @field_validator("pattern")
    @classmethod
    def _readable(cls, pattern: str) -> str:
        first_line_expression(pattern)
        return pattern


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
    release_pause_seconds: float = Field(default=1800.0, gt=0)
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


def _without_user_information(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_user_information(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_user_information(inner) for inner in value]
    if isinstance(value, str) and "://" in value:
        return re.sub(r"://[^/@\s]*@", "://", value)
    return value


def default_profile() -> Profile:
    """The profile for imports without one: usual field names, nothing to connect to."""
    return Profile()
