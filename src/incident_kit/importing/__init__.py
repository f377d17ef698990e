"""A raw folder becomes a bundle: redact, normalise, seal. Capture ends here too."""

from __future__ import annotations

from incident_kit.importing.build import build_bundle
from incident_kit.importing.folder import import_folder

__all__ = ["build_bundle", "import_folder"]
