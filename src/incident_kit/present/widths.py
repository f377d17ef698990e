"""How wide each column of a terminal table is, and which columns do not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SEPARATION = 2
_NARROWEST_PROSE, _NARROWEST_NAME = 26, 16


def fit(
    natural: Mapping[str, int], available: int, *, prose: frozenset[str], names: frozenset[str], kept: frozenset[str]
) -> dict[str, int]:
    """Width of each column that is shown; columns that do not fit are left out, the last first.

    Args:
        natural: width each column would like, in the order shown.
        available: characters of a line.
        prose: columns that may wrap and share what the others leave.
        names: columns that may be cut in their middle.
        kept: columns that are never left out.
    """
    shown = list(natural)
    while True:
        least = sum(_least(name, natural[name], prose, names) for name in shown)
        if least + _SEPARATION * (len(shown) - 1) <= available or not (spare := [n for n in shown if n not in kept]):
            break
        shown.remove(spare[-1])
    widths = {name: _least(name, natural[name], prose, names) for name in shown}
    room = available - sum(widths.values()) - _SEPARATION * (len(shown) - 1)
    for group in (names, prose):
        room -= _widen(widths, natural, [name for name in shown if name in group], room)
    return widths


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
