"""A document cut within a secret: what was left of it has another pseudonym, or was no secret any more.

Normal forms are taken after redaction, so that such a document begins like its entry only up to the secret.
"""

from __future__ import annotations

import re
from itertools import takewhile

from incident_kit.redaction.pseudonym import PREFIX

#: What shippers write where they cut, in normal form.
CUT_MARK = re.compile(r"(?:\.\.\.|…|\s*\[?\(?truncated\)?\]?)$")
_PSEUDONYM = re.compile(rf"{PREFIX}[a-z]+-[0-9a-f]{{12}}")
#: Before the secret both say the same over so many characters.
_LEAST_BEFORE = 12
#: What is left of a cut card number has blanks in it; of most secrets it is one word.
_REST = re.compile(r"\S*|[\d -]{1,22}")


def ends_in_secret(mine: str, theirs: str) -> bool:
    """Whether a document's text ends within a secret of the entry's.

    Args:
        mine: the entry's message in normal form.
        theirs: the document's.
    """
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(mine, theirs, strict=False)))
    begin = mine.rfind(PREFIX, 0, same + 1 + len(PREFIX))
    secret = _PSEUDONYM.match(mine, begin) if begin >= _LEAST_BEFORE else None
    if secret is None or not begin <= same < secret.end():
        return False
    rest = CUT_MARK.sub("", theirs[begin:])
    # Two different secrets at the end of equal texts are two events, unless one of them says that it was cut.
    told = secret.end() < len(mine) or len(rest) < len(theirs[begin:])
    return told and _REST.fullmatch(rest) is not None
