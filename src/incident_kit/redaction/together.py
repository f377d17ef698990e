"""Many lines redacted at once: each detector runs over all lines that it may find something in, joined to one text.

What lies between two lines ends every match before it and begins none: a line end, a comma, a line end. No detector's value
goes over a line end, and what may (the blanks around ``=`` or behind ``Bearer``) does not go over the comma. So every line
comes out as if it were alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from incident_kit.arrays import Integers
from incident_kit.redaction.detectors import Pseudonym, replace_personal, replace_secrets
from incident_kit.redaction.may_hold import PERSONAL, SECRETS

_BETWEEN = "\n,\n"


def redact_together(lines: Sequence[str], may: Integers, pseudonym: Pseudonym) -> list[str]:
    """Lines without credentials and personal data, each as `Redactor.text` gives it.

    Args:
        lines: each with its line end, which only the last may lack.
        may: what each may hold, neither `PEM` nor `ODD_CASE` among it.
        pseudonym: maker of the replacement, from kind and value.
    """
    redacted = list(lines)
    for kind in SECRETS:
        _each(redacted, may & kind != 0, partial(replace_secrets, pseudonym=pseudonym, may=kind))
    # A pseudonym within what was an address is one still, and spelt as one.
    changed = np.array([new != old for new, old in zip(redacted, lines, strict=True)], dtype=bool)
    for kind in PERSONAL:
        _each(redacted, (may & kind != 0) | changed, partial(replace_personal, pseudonym=pseudonym, may=kind))
    return redacted


def _each(lines: list[str], chosen: np.ndarray, replace: Callable[[str], str]) -> None:
    rows = np.flatnonzero(chosen).tolist()
    if rows:
        replaced = replace(_BETWEEN.join([lines[row] for row in rows]))
        for row, line in zip(rows, replaced.split(_BETWEEN), strict=True):
            lines[row] = line
