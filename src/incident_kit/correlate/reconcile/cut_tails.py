"""Documents cut within the values behind a message: their heads are equal, so hashes alone call them whole."""

from __future__ import annotations

import numpy as np

from incident_kit.correlate.reconcile.pairs import HEAD, OWN, TRUNCATED, Pairs
from incident_kit.correlate.reconcile.sides import Side
from incident_kit.correlate.reconcile.text_tests import is_values
from incident_kit.normalise.logs.normal_form import normal_form

#: Between two values; a document that ends before one of these and another value may as well hold fewer values.
_SEPARATORS = " ,;|"


def tell_cut_tails(entries: Side, documents: Side, pairs: Pairs) -> None:
    """Pairs by head whose document ends within one of the entry's values become `TRUNCATED`."""
    rows = np.flatnonzero((pairs.how == HEAD) & (pairs.where == OWN))
    found = pairs.document[rows]
    whole = documents.hashes("message")[found]
    rows = rows[(whole != documents.hashes("head")[found]) & (whole != entries.hashes("message")[rows])]
    if not len(rows):
        return
    mine = entries.text(["message"], rows)["message"].to_pylist()
    # Two entries may have one order and their documents another: only what is read ascending is read fast.
    wanted, place = np.unique(pairs.document[rows], return_inverse=True)
    theirs = documents.text(["message"], wanted)["message"].take(place).to_pylist()
    cut = [_is_cut(normal_form(own or ""), normal_form(other or "")) for own, other in zip(mine, theirs, strict=True)]
    pairs.how[rows[np.array(cut, bool)]] = TRUNCATED


def _is_cut(mine: str, theirs: str) -> bool:
    rest = mine.removeprefix(theirs.rstrip(".…"))
    if len(rest) == len(mine) or not rest:
        return False
    return rest[0] not in _SEPARATORS or not is_values(rest.lstrip(_SEPARATORS))
