"""Console files and Elasticsearch documents to log tables, with the coverage of both sides."""

from __future__ import annotations

from incident_kit.normalise.logs.normalise import normalise_logs

__all__ = ["normalise_logs"]
