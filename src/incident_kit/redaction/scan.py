"""One scan that decides which lines need a closer look.

Most lines hold nothing to hide. They are told by a single multi-pattern automaton (RE2, through Arrow, without
making a Python object for each line), so that clean text costs a few nanoseconds a byte.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers
from incident_kit.line_arrays import line_array, line_offsets
from incident_kit.redaction.may_hold import may_hold

_PATTERN = (
    r"-----BEGIN "
    r"""|://[^\s/@"']*:[^\s/"']+@"""
    r"|eyJ[\w-]{8}"
    r"|(?i:bearer|basic|apikey)\s+[\w.~+/=-]{8}"
    r"|(?i:pass(?:word|wd|phrase)|pwd|secret|token|[_. -]key|apikey|accesskey|accountkey|privatekey|signingkey"
    r"""|encryptionkey|sharedkey|secretkey|credentials?|authorization|cookie|cvv2?|cvc2?|sig)\\?["']?\s{0,3}[:=]"""
    r"|[2-6]\d{3} ?-?\d{4} ?-?\d{4} ?-?\d"
    r"|3[47]\d{2} ?-?\d{6} ?-?\d{5}"
    r"|[\w.+%-](?:@|%40)[\w.-]+\.[A-Za-z]"
    r"|[A-Z]{2}\d{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}"
    r"|A[KS]IA[0-9A-Z]{16}|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_"
    r"|\\u00(?:40|3[aAdD]|2[fF])"
)


class Scan(NamedTuple):
    """What a scan of a block of lines found.

    Attributes:
        suspicious: numbers of the lines that need a closer look, from 0.
        offsets: where each line begins, and the end of the last.
        may: what each suspicious line may hold (`may_hold`).
        also: whether some line holds what else was looked for.
    """

    suspicious: Integers
    offsets: Integers
    may: Integers
    also: bool = False


def scan(block: bytes, also: str = "") -> Scan:
    """Find the lines of a block that need a closer look; other threads run meanwhile.

    Args:
        block: whole lines.
        also: an expression to look for in the same pass, which costs hardly more than one.
    """
    offsets = line_offsets(block)
    lines = line_array(block, offsets)
    rows = _matching(lines, f"{_PATTERN}|{also}" if also else _PATTERN)
    if not len(rows):
        return Scan(rows, offsets, rows)
    found = lines.take(pa.array(rows))
    marked = bool(also) and len(_matching(found, also)) > 0
    if marked:
        own = _matching(found, _PATTERN)
        rows, found = rows[own], found.take(pa.array(own))
    return Scan(rows, offsets, may_hold(found), marked)


def _matching(lines: pa.Array, expression: str) -> Integers:
    return np.flatnonzero(pc.match_substring_regex(lines, expression).to_numpy(zero_copy_only=False))
