"""Capture: read what the live servers hold of a window, redact it, and end in the same path as an import.

``capture(profile, window, output, app=, pod=, namespace=, rotated=, force=, progress=) -> Path``
``capture.doctor.examine(profile) -> list[Check]``
``capture.snapshot.take_snapshot(profile, store, keep_days=, keep_bytes=) -> Path``
"""

from __future__ import annotations

from incident_kit.capture.incident import capture

__all__ = ["capture"]
