"""Which layout a container uses.

Patterns are scored on a sample: by how many lines they fit, and by how many of the messages they give some document
has. When the documents know better, the prefix is learnt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import Flags
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.layout import Alternative, Layout
from incident_kit.normalise.logs.formats.learn import Split, learn, split_lines
from incident_kit.normalise.logs.formats.level_place import with_own_words
from incident_kit.normalise.logs.formats.patterns import ANY_PREFIX, LEVEL, PATTERNS, SIMPLE_CONSOLE, TIME
from incident_kit.normalise.logs.formats.sample import Sample
from incident_kit.normalise.logs.formats.tails import with_tails
from incident_kit.normalise.logs.formats.tried import Tried

_INDENTED_OR_JSON = r"^\s|^$|^\{.*\}\s*$"
#: A level that is aligned to the right, so that the shorter ones begin with a blank.
_ALIGNED = r"^ {1,3}(?:INFO|WARN) *[|:\]-]"
_MARGIN = rf"^(?P<margin>[ \t]+){TIME}[ |]+{LEVEL}\b"
#: Lines of a sample, and the share of them, that show what all of a console's begin with.
_FEWEST, _NEARLY_ALL = 20, 0.95


def detect_layout(lines: pa.Array, known: KnownMessages, stated: Sequence[str] = ()) -> Layout:
    """The layout of one container alone; see `layout_of`."""
    return layout_of(Sample(lines), known, stated)


def layout_of(sample: Sample, known: KnownMessages, stated: Sequence[str] = ()) -> Layout:
    """The layout for a container.

    Args:
        sample: lines from all over the container's console.
        known: messages of the pod's documents.
        stated: first-line regexps of the profile; they win.
    """
    layout = Layout(
        alternatives=[Alternative("profile", expression) for expression in stated],
        margin=_margin(sample),
        inner=known.inner,
    )
    if layout.margin:
        sample = Sample(pc.replace_substring_regex(sample.lines, rf"^{layout.margin}(\S)", r"\1"))
    lines = sample.some(np.flatnonzero(~sample.fits(_INDENTED_OR_JSON)))
    if len(lines) == 0:
        return layout
    simple = int(lines.fits(SIMPLE_CONSOLE).sum())
    layout.simple_console = simple >= max(1, len(lines) // 50)
    tried = Tried(lines, known)
    chosen = _choose(tried)
    found = with_tails(tried, _learnt(tried, chosen) + chosen)
    layout.alternatives += [with_own_words(alternative, tried.lines) for alternative in found]
    return layout


def _margin(sample: Sample) -> str:
    """Blanks before a time or a level, as an expression, where entries begin with them and none has another beginning.

    Where next to all lines begin with blanks, as with numbers aligned to the right, an indentation tells nothing.
    """
    if len(sample) >= _FEWEST and sample.fits(r"^[ \t]+\S").mean() >= _NEARLY_ALL:
        return r"[ \t]*"
    aligned = int(sample.fits(_ALIGNED).sum())
    if aligned >= max(3, len(sample) // 5) and not sample.fits(ANY_PREFIX).any():
        return " {0,3}"
    begun = sample.some(np.flatnonzero(sample.fits(_MARGIN)))
    if len(begun) < max(3, len(sample) // 20) or sample.fits(ANY_PREFIX).any():
        return ""
    widths = pc.value_counts(pc.extract_regex(begun.lines, _MARGIN).field("margin")).to_pylist()
    return str(widths[0]["values"]) if len(widths) == 1 else ""


def _choose(tried: Tried) -> list[Alternative]:
    """Patterns that together fit the sample, the best first."""
    left = np.ones(len(tried.sample), dtype=bool)
    chosen: list[Alternative] = []
    for _ in range(5):
        best = _best(tried, left)
        if best is None:
            break
        chosen.append(best)
        left &= ~tried.fits(best.expression)
        if not left.any():
            break
    return chosen


def _best(tried: Tried, left: Flags) -> Alternative | None:
    """The pattern of the highest score, the first of equals, for the lines that are left.

    A line counts once for being fitted, a little less for each pattern that comes before, and twice for a message that
    some document has. Patterns are asked by the highest score that they could reach; once one has it, neither the
    other patterns nor the documents need be asked about the rest.
    """
    lines = int(left.sum())
    scores: dict[int, float] = {}

    def score(rank: int, count: int, fits: Flags) -> float:
        return _fitting(rank, count) + 2 * _equal(tried, PATTERNS[rank].expression, fits)

    fitting = []
    for rank, pattern in enumerate(PATTERNS):
        if scores and max(scores.values()) >= _fitting(rank, lines) + 2 * lines:
            break
        fits = tried.fits(pattern.expression, pattern.needs) & left
        count = int(fits.sum())
        if count == lines:
            scores[rank] = score(rank, count, fits)
        elif count:
            fitting.append((_fitting(rank, count) + 2 * count, rank, count, fits))
    for most, rank, count, fits in sorted(fitting, key=lambda one: (-one[0], one[1])):
        if scores and most < max(scores.values()):
            break
        scores[rank] = score(rank, count, fits)
    if not scores:
        return None
    pattern = PATTERNS[max(scores, key=lambda rank: (scores[rank], -rank))]
    return Alternative(pattern.name, pattern.expression)


def _fitting(rank: int, count: int) -> float:
    return count * (1 - rank * 0.002)


def _equal(tried: Tried, expression: str, fits: Flags) -> int:
    """How many of the lines' messages some document has, as far as was tried."""
    return round(tried.known_share(expression, fits) * int(fits.sum())) if tried.documents else 0


def _learnt(tried: Tried, chosen: list[Alternative]) -> list[Alternative]:
    """Learnt prefixes, where they make more entries equal to documents than the chosen patterns do."""
    if not tried.documents:
        return []
    lines = tried.lines
    explained = np.zeros(len(lines), dtype=bool)
    for alternative in chosen:
        explained |= tried.taken(alternative.expression).known
    open_lines = lines.filter(pa.array(~explained)).to_pylist()
    splits = [split for split in split_lines(open_lines, tried.documents) if split is not None]
    if len(splits) < max(3, 0.1 * len(open_lines)) or len(splits) < 0.02 * len(lines):
        return []
    return learn(_plausible(splits))


def _plausible(splits: list[Split]) -> list[Split]:
    """Splits at a message's beginning; those whose prefix is a whole sentence are chance."""
    return [s for s in splits if len(s.message) >= 4]
