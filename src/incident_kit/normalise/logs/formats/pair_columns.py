"""The pairs of many lines at once, where lines have the same names in the same order: what `pairs.pairs_of` says of each.

A line is split at its equals signs. Where there are as many as the model line has pairs, and each value is followed by
the next name at once, nothing else in the line can be a pair. Values of which the text does not say by itself how JSON
writes them (fractions, escapes, lists, single quotes) are left to the reader of single lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags
from incident_kit.normalise.logs.formats.pairs import LINE_NAMES, names_of

#: Different orders of names that are tried, and lines left over for which no more is.
_MOST_SHAPES = 16
_FEWEST = 200
_MOST_PAIRS = 24
_QUOTED = r'^"[^"\\\x00-\x1f]*"'
#: ASCII without blanks, commas, quotes and backslashes, and not beginning like a list or an object.
_PLAIN = r"^[!#-&(-+\--:<-Z\]-z|}~][!#-+\--:<-\[\]-~]*"
_AS_IT_IS = r"^(?:0|-?[1-9][0-9]{0,17}|true|false|null)$"
_NUMBER = r"^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"


def pair_texts(lines: pa.Array, fewest: int = _FEWEST) -> tuple[pa.Array, Flags]:
    """JSON objects of the lines' pairs, null where there are none; and the lines of which this could be said.

    Args:
        lines: texts without null.
        fewest: fewer lines are left to the reader of single lines.
    """
    told = np.zeros(len(lines), dtype=bool)
    found = pa.nulls(len(lines), pa.string())
    counts = np.asarray(pc.count_substring(lines, "="))
    other = np.asarray(pc.match_substring_regex(lines, r'\n|\{"'))
    left = np.flatnonzero((counts > 0) & (counts <= _MOST_PAIRS) & ~other)
    for _ in range(_MOST_SHAPES):
        if len(left) < fewest or not len(left):
            break
        names = names_of(lines[int(left[0])].as_py())
        rows = left[counts[left] == len(names)]
        keep = np.ones(len(left), dtype=bool)
        keep[0] = False
        if len(rows) and rows[0] == left[0] and len(set(names)) == len(names):
            texts, fits = _of_names(lines.take(pa.array(rows)), names)
            mask = np.zeros(len(lines), dtype=bool)
            mask[rows[fits]] = True
            found = pc.replace_with_mask(found, pa.array(mask), texts.filter(pa.array(fits)))
            told |= mask
            keep &= ~mask[left]
        left = left[keep]
    return found, told


def _of_names(lines: pa.Array, names: Sequence[str]) -> tuple[pa.Array, Flags]:
    """JSON objects of lines with these pairs, and which of the lines have them."""
    parts = pc.split_pattern(lines, "=").flatten()
    pieces = [parts.take(pa.array(np.arange(place, len(parts), len(names) + 1))) for place in range(len(names) + 1)]
    fits = np.asarray(pc.match_substring_regex(pieces[0], rf"(?:^|[\s,;|\[{{(]){re.escape(names[0])}$"))
    written: list[pa.Array | pa.Scalar] = []
    for name, following, piece in zip(names, [*names[1:], None], pieces[1:], strict=True):
        text, ends, unsure = _value(piece, following)
        fits = fits & ends
        if name not in LINE_NAMES:
            fits = fits & ~unsure
            written += [pa.scalar(f"{',' if written else '{'}{orjson.dumps(name).decode()}:", text.type), text]
    if not written:
        return pa.nulls(len(lines), pa.string()), fits
    closing = [pa.scalar(end, lines.type) for end in ("}", "")]
    return pc.binary_join_element_wise(*written, *closing).cast(pa.string()), fits


def _value(piece: pa.Array, following: str | None) -> tuple[pa.Array, Flags, Flags]:
    """What stands between two equals signs, without the next pair's name, as JSON.

    Returns:
        the JSON texts, where a value ends there that columns can tell, and where its number may be written otherwise.
    """
    end = "$" if following is None else re.escape(following) + "$"
    between = "" if following is None else r"[\s,;|\[{(]"
    quoted = np.asarray(pc.match_substring_regex(piece, _QUOTED + between + end))
    plain = np.asarray(pc.match_substring_regex(piece, _PLAIN + ("" if following is None else r"[\s,;]") + end))
    if following is not None:
        # Elsewhere the cut could fall within a character.
        ending = pc.if_else(pa.array(quoted | plain), piece, pa.scalar("", piece.type)).cast(pa.large_binary())
        piece = pc.binary_slice(ending, 0, -len(following.encode()) - 1).cast(piece.type)
    if not plain.any():
        return piece, quoted, plain
    as_it_is = np.asarray(pc.match_substring_regex(piece, _AS_IT_IS))
    unsure = plain & ~as_it_is & np.asarray(pc.match_substring_regex(piece, _NUMBER))
    marks = [pa.scalar(mark, piece.type) for mark in ('"', '"', "")]
    in_marks = pc.binary_join_element_wise(marks[0], piece, marks[1], marks[2])
    return pc.if_else(pa.array(plain & ~as_it_is), in_marks, piece), quoted | plain, unsure
