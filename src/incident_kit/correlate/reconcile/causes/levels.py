"""below_level: no document of that level exists, nor of a lower one; the sink would not have shipped it anyway."""

from __future__ import annotations

from incident_kit.correlate.reconcile.causes.view import ContainerView, Losses
from incident_kit.correlate.reconcile.match import codes_among
from incident_kit.normalise.logs.levels import SEVERITY


def below_level(view: ContainerView, losses: Losses) -> None:
    """Entries whose level lies below the lowest that was ever shipped."""
    codes, words = view.words("level")
    arrived = {words[code] for code in codes_among(codes[view.delivered])}
    lowest = min((SEVERITY[level] for level in arrived), default=None)
    below = [code for code in codes_among(codes[view.lost]) if lowest is None or SEVERITY[words[code]] < lowest]
    shipped = arrived | view.document_levels() if below else set()
    if not shipped:
        return
    least = min(shipped, key=lambda level: SEVERITY[level])
    for code in below:
        if SEVERITY[words[code]] < SEVERITY[least]:
            told = f"no document of level {words[code]} exists; the lowest level shipped is {least}"
            losses.give(codes == code, "below_level", 0.95, told)
