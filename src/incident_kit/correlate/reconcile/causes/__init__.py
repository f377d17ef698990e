"""Why an entry never reached Elasticsearch: one module a signature, applied in the design's order of precedence."""

from __future__ import annotations

from incident_kit.correlate.reconcile.causes.assign import assign_causes
from incident_kit.correlate.reconcile.causes.view import ContainerView, Hole, Losses

__all__ = ["ContainerView", "Hole", "Losses", "assign_causes"]
