"""A shipper that does not join the parts of a long line makes a document of each: all are the entry's."""

from __future__ import annotations

import numpy as np

from incident_kit.correlate.reconcile.clocks import Clocks
from incident_kit.correlate.reconcile.pairs import OWN, PART, TRUNCATED, Pairs
from incident_kit.correlate.reconcile.sides import Side
from incident_kit.normalise.logs.normal_form import normal_form

#: No runtime cuts lines shorter than this.
_SHORTEST_LINE = 1_000


def claim_pieces(entries: Side, documents: Side, pairs: Pairs, clocks: Clocks) -> None:
    """Give documents that go on with a long entry to it; one whose document and pieces are all of it is whole."""
    cut = np.flatnonzero((pairs.how == TRUNCATED) & (pairs.where == OWN))
    cut = cut[entries.integers("text_length")[cut] >= _SHORTEST_LINE] if len(cut) else cut
    free = pairs.open_documents()
    free = free[~documents.rejected[free]]
    free = free[np.isin(documents.pod[free], entries.pod[cut])]
    if not len(cut) or not len(free):
        return
    said = dict(zip(free.tolist(), documents.text(["message"], free)["message"].to_pylist(), strict=True))
    beginnings, place = np.unique(pairs.document[cut], return_inverse=True)
    first = documents.text(["message"], beginnings)["message"].take(place).to_pylist()
    for row, text, begin in zip(cut.tolist(), entries.text(["text"], cut)["text"].to_pylist(), first, strict=True):
        rest, begin = normal_form(text or ""), normal_form(begin or "")
        at = rest.find(begin)
        rest = rest[at + len(begin) :].lstrip() if at >= 0 else ""
        pod = int(entries.pod[row])
        moment = int(entries.time[row] + clocks.skew[pod])
        near = np.abs(documents.time[free] - moment) <= clocks.tolerance[pod]
        pieces = {
            document: piece
            for document in free[near & (documents.pod[free] == pod)].tolist()
            if not pairs.taken[document] and (piece := normal_form(said[document] or ""))
        }
        while (
            rest and (found := next((one for one, piece in pieces.items() if rest.startswith(piece)), None)) is not None
        ):
            pairs.taken[found] = True
            rest = rest[len(pieces.pop(found)) :].lstrip()
            if not rest:
                pairs.how[row] = PART
