"""The signatures in order of precedence, over one container's losses."""

from __future__ import annotations

from incident_kit.correlate.reconcile.causes.bursts import burst
from incident_kit.correlate.reconcile.causes.edges import before_logger, died_before_flush, rotation_edge
from incident_kit.correlate.reconcile.causes.field_types import FieldTypes
from incident_kit.correlate.reconcile.causes.lengths import length_limit, too_long
from incident_kit.correlate.reconcile.causes.levels import below_level
from incident_kit.correlate.reconcile.causes.mapping import refused_by_mapping, template_missing, unmapped_field
from incident_kit.correlate.reconcile.causes.outages import shipping_outage
from incident_kit.correlate.reconcile.causes.unlogged import not_logged
from incident_kit.correlate.reconcile.causes.view import ContainerView, Hole, Losses


def assign_own_causes(view: ContainerView) -> Losses:
    """The first causes, which the container alone can tell: what they explain is no hole that could witness an outage."""
    losses = Losses.of(view.lost)
    below_level(view, losses)
    burst(view, losses)
    return losses


def assign_causes(
    view: ContainerView, witnesses: list[Hole], types: FieldTypes, hints: dict[int, dict[str, object]]
) -> Losses:
    """Causes of one container's losses.

    Args:
        view: its entries.
        witnesses: holes of all containers that corroborate others.
        types: mapped types by field.
        hints: values of template slots by row, for entries whose console does not carry them apart.
    """
    losses = assign_own_causes(view)
    absent = not view.pod_has_documents
    shipping_outage(view, losses, witnesses, absent=absent)
    if absent:
        losses.give(losses.open(), "pod_absent", 0.9, "no document of the pod at all, while its siblings have some")
    before_logger(view, losses)
    not_logged(view, losses)
    refused_by_mapping(view, losses, types, hints)
    unmapped_field(view, losses, types)
    limit = length_limit(view, losses)
    template_missing(view, losses, limit)
    too_long(view, losses, limit)
    died_before_flush(view, losses)
    rotation_edge(view, losses)
    losses.give(losses.open(), "unexplained", 0.5, "no signature fits; entries before and after it arrived")
    return losses
