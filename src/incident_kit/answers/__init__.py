"""The answers: one public function each, evidence in, a table with contracted columns out.

The functions hide their modules of the same name on purpose: ``answers.rabbit`` is the question, not a file.
"""

from __future__ import annotations

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

__all__ = [
    "changes",
    "console_only",
    "detect_fields",
    "diff",
    "findings",
    "logs",
    "rabbit",
    "rabbit_node",
    "reach",
    "restarts",
    "trace",
    "whois",
]
