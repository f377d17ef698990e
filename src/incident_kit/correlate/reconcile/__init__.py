"""Console against Elasticsearch: for every entry, did it arrive, and if not, why."""

from __future__ import annotations

from incident_kit.correlate.reconcile.reconcile import Reconciliation, reconcile, reconciliation_of

__all__ = ["Reconciliation", "reconcile", "reconciliation_of"]
