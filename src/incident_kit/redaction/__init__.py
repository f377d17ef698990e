"""The one seam that every document and every log line passes before it is written.

Secret data, ConfigMap data and environment values become keyed hashes; credentials, cards, accounts and e-mail
addresses in text become pseudonyms. The same value gives the same pseudonym in every source, so that a console
line still equals its Elasticsearch document and a changed value is still seen to change. Losing the key loses only
the comparison with bundles made later.
"""

from __future__ import annotations

from incident_kit.redaction.key import default_redactor, load_key
from incident_kit.redaction.redactor import RedactLines, Redactor
from incident_kit.redaction.scan import Scan, scan

__all__ = ["RedactLines", "Redactor", "Scan", "default_redactor", "load_key", "scan"]
