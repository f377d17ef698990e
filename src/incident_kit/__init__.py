"""incident-kit: post-incident analysis for services on Kubernetes, Argo CD, Elasticsearch and RabbitMQ.

Two lines get an answer::

    evidence = incident_kit.read_evidence("checkout.incident")
    incident_kit.console_only(evidence)

Everything is loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from incident_kit.answers.changes import changes
    from incident_kit.answers.console_only import console_only
    from incident_kit.answers.detect_fields import detect_fields
    from incident_kit.answers.diff import diff
    from incident_kit.answers.findings import findings
    from incident_kit.answers.logs import logs
    from incident_kit.answers.rabbit import rabbit
    from incident_kit.answers.rabbit_node import rabbit_node
    from incident_kit.answers.reach import reach
    from incident_kit.answers.restarts import restarts
    from incident_kit.answers.trace import trace
    from incident_kit.answers.whois import whois
    from incident_kit.capture import capture
    from incident_kit.evidence import Evidence, read_evidence
    from incident_kit.importing import import_folder
    from incident_kit.present.progress import ProgressBars
    from incident_kit.profile import Profile
    from incident_kit.window import Window

_HOME = {
    "changes": "incident_kit.answers.changes",
    "console_only": "incident_kit.answers.console_only",
    "detect_fields": "incident_kit.answers.detect_fields",
    "diff": "incident_kit.answers.diff",
    "findings": "incident_kit.answers.findings",
    "logs": "incident_kit.answers.logs",
    "rabbit": "incident_kit.answers.rabbit",
    "rabbit_node": "incident_kit.answers.rabbit_node",
    "reach": "incident_kit.answers.reach",
    "restarts": "incident_kit.answers.restarts",
    "trace": "incident_kit.answers.trace",
    "whois": "incident_kit.answers.whois",
    "Evidence": "incident_kit.evidence",
    "read_evidence": "incident_kit.evidence",
    "capture": "incident_kit.capture",
    "import_folder": "incident_kit.importing",
    "Profile": "incident_kit.profile",
    "ProgressBars": "incident_kit.present.progress",
    "Window": "incident_kit.window",
}

__all__ = [
    "Evidence",
    "Profile",
    "ProgressBars",
    "Window",
    "capture",
    "changes",
    "console_only",
    "detect_fields",
    "diff",
    "findings",
    "import_folder",
    "logs",
    "rabbit",
    "rabbit_node",
    "reach",
    "read_evidence",
    "restarts",
    "trace",
    "whois",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home when it is first used."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'incident_kit' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
