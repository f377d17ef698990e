"""What each cause of a lost entry means, in words that need no documentation; docs/reconciliation.md has the signatures."""

from __future__ import annotations

from incident_kit.present.text import visible

CAUSES = {
    "below_level": "nothing of this level is shipped",
    "burst": "logged much faster than usual, faster than it could be shipped",
    "shipping_outage": "nothing at all arrived in that time",
    "pod_absent": "Elasticsearch has nothing of the pod, but of its siblings",
    "before_logger": "the first lines of an instance, before its logger runs",
    "not_logged": "printed past the logger",
    "never_arrives": "refused by the mapping, or of a sort that never arrives",
    "too_long": "longer than anything that arrived",
    "died_before_flush": "the last lines of an instance that ended",
    "rotation_edge": "where the console file was rotated",
    "unexplained": "none of the known causes fits",
}


def meaning_of(cause: object) -> str:
    """A cause in words; one that is not known is told as it is written."""
    return CAUSES.get(str(cause), visible(cause))
