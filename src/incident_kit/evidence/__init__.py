"""The opened bundle: what was captured, what it says of itself, and its file form."""

from __future__ import annotations

from incident_kit.evidence.bundle import Evidence, read_evidence
from incident_kit.evidence.manifest import FORMAT_VERSION, Manifest

__all__ = ["FORMAT_VERSION", "Evidence", "Manifest", "read_evidence"]
