"""How wide each column of a terminal table is, and which columns stand under their row instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SEPARATION = 2
#: Below these, text is easier to read on a line of its own than folded into a column.
_NARROWEST_PROSE, _NARROWEST_NAME = 36, 36
#: Text gets this much before a spare column gets any room.
_READABLE_PROSE = 72


def fit(
    natural: Mapping[str, int],
    available: int,
    *,
    prose: frozenset[str],
    names: frozenset[str],
    spare: Sequence[str] = (),
) -> dict[str, int]:
    """Width of each column that has room beside the others; the rest belongs under the row.

    Wide text makes room first, the last column before the others, so that numbers and times keep their columns. The
    first column always stays: it says what the row is about.

    Args:
        natural: width each column would like, in the order shown.
        available: characters of a line.
        prose: columns of text that may wrap and share what the others leave.
        names: columns that may be cut in their middle.
        spare: columns worth only the room that the others leave, the first before the others.
    """
    shown = [name for name in natural if name not in spare]
    for yielding in ([n for n in natural if n in prose], [n for n in natural if n not in prose]):
        while len(shown) > 1 and _least_of(shown, natural, prose, names) > available:
            possible = [name for name in shown[1:] if name in yielding]
            if not possible:
                break
            shown.remove(possible[-1])
    for name in spare:
        more = [other for other in natural if other in shown or other == name]
        reading = sum(max(min(natural[n], _READABLE_PROSE) - _NARROWEST_PROSE, 0) for n in more if n in prose)
        if name in natural and _least_of(more, natural, prose, names) + reading <= available:
            shown = more
    widths = {name: min(_least(name, natural[name], prose, names), available) for name in shown}
    room = available - sum(widths.values()) - SEPARATION * (len(shown) - 1)
    for group in (names, prose):
        room -= _widen(widths, natural, [name for name in shown if name in group], room)
    return widths


def _least_of(shown: Sequence[str], natural: Mapping[str, int], prose: frozenset[str], names: frozenset[str]) -> int:
    return sum(_least(name, natural[name], prose, names) for name in shown) + SEPARATION * (len(shown) - 1)


def _least(name: str, natural: int, prose: frozenset[str], names: frozenset[str]) -> int:
    if name in prose:
        return min(natural, _NARROWEST_PROSE)
    return min(natural, _NARROWEST_NAME) if name in names else natural


def _widen(widths: dict[str, int], natural: Mapping[str, int], growing: Sequence[str], room: int) -> int:
    """Share room among columns, a column never beyond what it would like; what was used."""
    used = 0
    wanting = [name for name in growing if widths[name] < natural[name]]
    while wanting and used < room:
        share = max((room - used) // len(wanting), 1)
        for name in wanting:
            more = min(share, natural[name] - widths[name], room - used)
            widths[name] += more
            used += more
        wanting = [name for name in wanting if widths[name] < natural[name]]
    return used
