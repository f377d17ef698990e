"""below_level: no document of that level exists, nor of a lower one; the sink would not have shipped it anyway."""

from __future__ import annotations

from collections import Counter

from incident_kit.correlate.reconcile.causes.view import ContainerView, Losses
from incident_kit.correlate.reconcile.columns import Codes
from incident_kit.correlate.reconcile.match import codes_among
from incident_kit.normalise.logs.levels import SEVERITY

#: A level of which nearly nothing arrives is not shipped, though a few of its texts met another's documents.
_NEARLY_ALL = 0.98
_LEAST_ENTRIES = 50
#: Fewer losses than this of a level of the shop's own name may be chance, or a last word.
_LEAST_OF_OWN = 10
#: ... provided that the levels above do arrive.
_ABOVE = 0.5


def below_level(view: ContainerView, losses: Losses) -> None:
    """Entries whose level lies below the lowest that was ever shipped."""
    codes, words = view.words("level")
    all_arrived, all_missing = _counts(codes[view.delivered], words), _counts(codes[view.lost], words)
    if all_arrived:
        _own_words(losses, codes, words, all_arrived, all_missing)
    arrived, missing = _ranked(all_arrived), _ranked(all_missing)
    shipped = {level for level in arrived if not _is_strayed(level, arrived, missing)}
    lowest = min((SEVERITY[level] for level in shipped), default=None)
    below = [level for level in missing if lowest is None or SEVERITY[level] < lowest]
    # Documents without an entry speak, too, unless entries of their level say otherwise.
    shipped |= (view.document_levels() - set(arrived)) if below else set()
    if not shipped:
        return
    least = min(shipped, key=SEVERITY.__getitem__)
    for level in below:
        if SEVERITY[level] >= SEVERITY[least]:
            continue
        strays = arrived[level]
        told = f"only {strays} of {strays + missing[level]} entries of level {level} met a document"
        losses.give(
            codes == words.index(level),
            "below_level",
            0.85 if strays else 0.95,
            f"{told if strays else f'no document of level {level} exists'}; the lowest level shipped is {least}",
        )


def _own_words(losses: Losses, codes: Codes, words: list[str], arrived: Counter[str], missing: Counter[str]) -> None:
    """Levels of the shop's own name, whose rank nobody knows, and of which nothing arrives while others do."""
    for level, count in missing.items():
        if level not in SEVERITY and not arrived[level] and count >= _LEAST_OF_OWN:
            losses.give(
                codes == words.index(level),
                "below_level",
                0.7,
                f"no document of level {level!r} exists, a level of the application's own; others are shipped",
            )


def _ranked(counts: Counter[str]) -> Counter[str]:
    return Counter({level: count for level, count in counts.items() if level in SEVERITY})


def _counts(codes: Codes, words: list[str]) -> Counter[str]:
    return Counter({words[code]: int((codes == code).sum()) for code in codes_among(codes)})


def _is_strayed(level: str, arrived: Counter[str], missing: Counter[str]) -> bool:
    """Whether what arrived of the level is next to nothing, while the levels above arrive."""
    nearly = missing[level] >= max(_LEAST_ENTRIES, _NEARLY_ALL * (missing[level] + arrived[level]))
    above = [each for each in arrived if SEVERITY[each] > SEVERITY[level]]
    there, gone = sum(arrived[each] for each in above), sum(missing[each] for each in above)
    return nearly and there > 0 and there >= _ABOVE * (there + gone)
