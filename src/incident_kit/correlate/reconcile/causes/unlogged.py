"""not_logged: text or a stream that never goes through the logger."""

from __future__ import annotations

import numpy as np

from incident_kit.arrays import Flags
from incident_kit.correlate.reconcile.causes.view import ContainerView, Losses
from incident_kit.correlate.reconcile.match import codes_among
from incident_kit.normalise.logs.grammar import RUNTIME

#: So many entries of a stream that is told by nothing but its absence, of several templates.
_LEAST_OF_STREAM = 5


def _over_all(view: ContainerView, rows: Flags) -> bool:
    """Whether a logger's lines on a stream of which nothing arrives lie among deliveries and say different things."""
    places, arrived = np.flatnonzero(rows), np.flatnonzero(view.delivered)
    between = len(np.unique(np.searchsorted(arrived, places)))
    return between >= _LEAST_OF_STREAM and len(np.unique(view.mask[places])) > 1


def not_logged(view: ContainerView, losses: Losses) -> None:
    """Text without the prefix that delivered entries have, runtime text, and streams of which nothing arrives."""
    share = view.logged[view.delivered].mean() if view.delivered.any() else view.logged.mean() if len(view) else 0.0
    if share > 0.8:
        losses.give(~view.logged, "not_logged", 0.85, "it lacks the prefix that the container's delivered entries have")
    open_rows = np.flatnonzero(losses.open() & ~view.logged)
    runtime = [row for row in open_rows.tolist() if RUNTIME.match(view.text(row))]
    if runtime:
        losses.give(np.array(runtime), "not_logged", 0.9, "what a runtime prints by itself, past any logger")
    codes, words = view.words("stream")
    known = codes >= 0
    for code in codes_among(codes):
        rows = codes == code
        if (
            rows.sum() >= 2
            and not view.delivered[rows].any()
            and view.delivered[~rows & known].sum() >= 10
            and (not view.logged[rows].all() or _over_all(view, rows))
        ):
            losses.give(rows, "not_logged", 0.7, f"nothing on {words[code]} arrives")
