"""too_long: what a shipper or an index refuses for its length, from a stated limit on or as the losses themselves show."""

from __future__ import annotations

import numpy as np

from incident_kit.correlate.reconcile.causes.view import ContainerView, Losses

#: From so many characters on, the first entry longer than all that arrived is lost for its length.
_LONG = 8_000
#: Shorter ones must be so many, of so many templates, none of them likely to be lost by chance ...
_LEAST_ENTRIES = 5
_LEAST_TEMPLATES = 3
_BY_CHANCE = 0.001
#: ... and begin where the delivered ones end: a kind of entry that is lost for another reason stands apart in length.
_NEXT = 1.5


def length_limit(view: ContainerView, losses: Losses) -> int:
    """Characters from which on nothing arrives for its length; what is shorter is lost for another reason."""
    longest = int(view.length[view.delivered].max(initial=0))
    return longest if longest >= _LONG or _all_longer_missing(view, losses, longest) else _LONG


def _all_longer_missing(view: ContainerView, losses: Losses, longest: int) -> bool:
    open_rows = losses.open()
    longer = np.flatnonzero(open_rows & (view.length > longest))
    if len(longer) < _LEAST_ENTRIES or len(np.unique(view.mask[longer])) < _LEAST_TEMPLATES:
        return False
    if int(view.length[longer].min()) > _NEXT * longest:
        return False
    shorter = open_rows & (view.length <= longest)
    often = float(shorter.sum()) / max(int(shorter.sum() + view.delivered.sum()), 1)
    return often ** len(longer) <= _BY_CHANCE


def too_long(view: ContainerView, losses: Losses, limit: int) -> None:
    """Longer than anything of the container that arrived."""
    longest = int(view.length[view.delivered].max(initial=0))
    losses.give(
        np.asarray(view.length > limit),
        "too_long",
        0.8 if limit >= _LONG else 0.6,
        f"longer than any delivered entry of the container (longest delivered: {longest} characters)",
    )
