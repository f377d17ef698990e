"""What each detector may find in a line: a few expressions over all suspicious lines, so that only those detectors are asked.

Each expression is wider than its detector (`detectors`): where it finds nothing, neither would the detector. They are
RE2's, on bytes, while detectors work on text: a byte beyond ASCII may be part of any digit, letter or space of Unicode.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Integers

URL, JWT, KNOWN_TOKEN, SCHEME, PAIR = 1, 2, 4, 8, 16
CARD, IBAN, MAIL = 32, 64, 128
#: A PEM block begins; and a letter that Python takes for an ASCII one of other case, which no expression on bytes does.
PEM, ODD_CASE = 256, 512
#: A name that may say of a whole value of JSON what it is, and what else `objects` does more about than to look at texts.
STRUCTURE = 1024
#: In the order in which they replace.
SECRETS, PERSONAL = (URL, JWT, KNOWN_TOKEN, SCHEME, PAIR), (CARD, IBAN, MAIL)
#: Whatever a detector could find.
ANYTHING = (1 << 11) - 1

_SPACE = r"[\s\x0b\x1c-\x1f\x80-\xff]"
_DIGIT = r"(?:\d|[\x80-\xff]{2,4})"
_NAMES = r"pass(?:word|wd|phrase)|pwd|secret|sig|token|key|authorization|credentials?|cookie|cvv2?|cvc2?"  # of `_PAIR`
_EXPRESSIONS = {
    URL: r"://[^ \t\n]*:[^ \t\n]*@",
    JWT: r"eyJ",
    KNOWN_TOKEN: r"A[KS]IA|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_",
    SCHEME: rf"(?i:bearer|basic|apikey){_SPACE}",
    PAIR: rf"""(?i:{_NAMES})\\?["']?{_SPACE}{{0,9}}[:=]""",
    CARD: rf"[2-6]{_DIGIT}{{3}}[ -]?(?:{_DIGIT}{{4}}[ -]?{_DIGIT}{{4}}[ -]?{_DIGIT}|{_DIGIT}{{6}}[ -]?{_DIGIT}{{5}})",
    IBAN: rf"[A-Z]{{2}}{_DIGIT}{{2}}(?: ?[A-Z0-9]{{4}}){{2}}",
    MAIL: r"[\w.%+\x80-\xff-](?:@|%40)[\w\x80-\xff-]+\.",
    PEM: r"-----BEGIN ",
    STRUCTURE: rf"""(?i:{_NAMES})(?:[_-]?hash)?"|"env":|last-applied-configuration|managedFields|[^"](?:@|%40)[^"]*":""",
    ODD_CASE: r"\xc4[\xb0\xb1]|\xc5\xbf|\xe2\x84\xaa",
}


#: To ask a few lines costs more than every detector does: Arrow compiles each expression anew.
_FEW = 100
#: Most lines hold addresses alone: one question tells them from all others.
_BUT_MAIL = "|".join(expression for kind, expression in _EXPRESSIONS.items() if kind != MAIL)


def may_hold(lines: pa.LargeBinaryArray) -> Integers:
    """For each line the sum of what it may hold; of few lines nobody asks, and each may hold anything."""
    if len(lines) < _FEW:
        return np.full(len(lines), ANYTHING, dtype=np.int64)
    found = np.zeros(len(lines), dtype=np.int64)
    found[_matching(lines, _EXPRESSIONS[MAIL])] = MAIL
    rows = _matching(lines, _BUT_MAIL)
    others = lines.take(pa.array(rows))
    for kind, expression in _EXPRESSIONS.items() if len(rows) else ():
        if kind != MAIL:
            found[rows[_matching(others, expression)]] += kind
    return found


def _matching(lines: pa.LargeBinaryArray, expression: str) -> Integers:
    return np.flatnonzero(pc.match_substring_regex(lines, expression))
