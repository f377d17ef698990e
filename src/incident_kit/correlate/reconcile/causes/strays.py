"""Deliveries inside of a hole: one bulk request that got through, or a document that was another entry's.

Where many are lost before and behind one that arrived, more than chance makes, it does not end the outage.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from incident_kit.arrays import Flags
from incident_kit.correlate.reconcile.causes.view import runs

#: On each side of a stray so many are lost in a row at least.
_LEAST_BESIDE = 4
#: One delivery among so many losses on both sides.
_ONE_AMONG = 50
#: A run that chance makes so often, where entries are lost all the time, says nothing.
_BY_CHANCE = 0.01


def strays(lost: Flags) -> Flags:
    """Which of the delivered entries stand alone inside of a hole.

    Args:
        lost: of a container's entries in time order, whether each was lost; the others arrived.

    Returns:
        Delivered ones that holes go on over: one, or one among fifty of the losses on both sides.
    """
    found = np.zeros(len(lost), bool)
    spans = runs(lost)
    if len(spans) < 2:
        return found
    # After a delivered entry one is lost this often; where losses come one by one, so is the one after it.
    often = min(1.0, len(spans) / max(len(lost) - int(lost.sum()), 1))
    for (begin, end), (next_begin, next_end) in pairwise(spans):
        before, behind, between = end - begin + 1, next_end - next_begin + 1, next_begin - end - 1
        if (
            min(before, behind) >= _LEAST_BESIDE
            and often ** min(before, behind) <= _BY_CHANCE
            and between <= max(1, (before + behind) // _ONE_AMONG)
        ):
            found[end + 1 : next_begin] = True
    return found
