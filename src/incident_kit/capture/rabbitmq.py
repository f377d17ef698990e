"""Capture of RabbitMQ: the management API's lists, and broker logs that lie in reach."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from incident_kit.capture.session import Session
from incident_kit.errors import SourceIncomplete
from incident_kit.lines import whole_lines
from incident_kit.profile import Profile
from incident_kit.profile.credentials import load_credentials
from incident_kit.sources.broker import Broker
from incident_kit.sources.rabbitmq import read_broker

_BLOCK = 8 << 20


def capture_rabbitmq(session: Session) -> None:
    """All lists of the broker, and its logs."""
    settings = session.profile.rabbitmq
    if settings.urls:
        session.step("rabbitmq", "rabbitmq", lambda: capture_broker(session))
    for pattern in settings.logs:
        session.step(f"rabbitmq log {pattern}", "rabbitmq", lambda pattern=pattern: _capture_logs(session, pattern))  # type: ignore[misc]  # mypy cannot infer a lambda's default


def broker_of(profile: Profile) -> Broker:
    """The profile's broker, with the credentials of the environment or keyring."""
    settings = profile.rabbitmq
    credentials = load_credentials(profile)
    return Broker(
        settings.urls,
        user=credentials.rabbitmq_user or "guest",
        password=credentials.rabbitmq_password.get_secret_value() if credentials.rabbitmq_password else "guest",
        timeout_seconds=settings.timeout_seconds,
        verify=settings.ca_certificate or settings.verify_certificates,
    )


def capture_broker(session: Session) -> str:
    """All lists of the broker; what was obtained."""
    broker = broker_of(session.profile)

    def gap(what: str, reason: str, remedy: str) -> None:
        session.gap(SourceIncomplete("rabbitmq", what, reason, remedy))

    answers = read_broker(broker, gap, _addresses(session))
    for name, rows in answers.items():
        if name != "whoami":
            session.store.objects(f"rabbitmq/{name}.json", rows, session.store.redactor.value)
    return ", ".join(f"{len(rows)} {name}" for name, rows in answers.items() if name not in {"whoami", "overview"})


def _addresses(session: Session) -> list[str]:
    """Addresses of the pod asked for; empty when the capture is about more than one pod."""
    if not session.scope.pod:
        return []
    pods = [pod for pod in session.pods if session.scope.includes(pod)]
    found: dict[str, Any] = {}
    for pod in pods:
        status = pod.get("status", {})
        if pod.get("spec", {}).get("hostNetwork"):
            return []  # the node's address says nothing about the pod
        found |= {str(ip["ip"]): None for ip in status.get("podIPs") or [] if ip.get("ip")}
    return list(found)


def _capture_logs(session: Session, pattern: str) -> str:
    names = glob.glob(str(Path(pattern).expanduser()))  # noqa: PTH207  # a pattern may be absolute
    paths = [Path(name) for name in sorted(names)]
    if not paths:
        raise SourceIncomplete("rabbitmq", f"broker log {pattern}", "no such file", "Correct rabbitmq.logs.")
    size = 0
    for path in paths:
        try:
            size += session.store.text(f"rabbitmq/{path.name.removesuffix('.log')}.log.gz", _blocks(path))
        except OSError as error:
            raise SourceIncomplete("rabbitmq", f"broker log {path.name}", str(error.strerror)) from error
    return f"{len(paths)} files, {size / 1e6:.1f} MB"


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from whole_lines(iter(lambda: file.read(_BLOCK), b""))
