"""Which layout a container uses.

Patterns are scored on a sample: by how many lines they fit, and by how many of the messages they give some document
has. When the documents know better, the prefix is learnt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.normalise.logs.formats.extract import extract
from incident_kit.normalise.logs.formats.known import KnownMessages
from incident_kit.normalise.logs.formats.layout import Alternative, Layout
from incident_kit.normalise.logs.formats.learn import Split, learn, split_line
from incident_kit.normalise.logs.formats.pairs import cut_heads
from incident_kit.normalise.logs.formats.patterns import ANY_PREFIX, LEVEL, PATTERNS, SIMPLE_CONSOLE, TIME
from incident_kit.normalise.logs.formats.tails import with_tails
from incident_kit.normalise.logs.normal_form import normal_forms

_INDENTED_OR_JSON = r"^\s|^$|^\{.*\}\s*$"
#: A level that is aligned to the right, so that the shorter ones begin with a blank.
_ALIGNED = r"^ {1,3}(?:INFO|WARN) *[|:\]-]"
#: Lines of a sample that are tried against the documents.
_TRIED = 1_200


def detect_layout(sample: pa.Array, known: KnownMessages, stated: Sequence[str] = ()) -> Layout:
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
        sample = pc.replace_substring_regex(sample, rf"^{layout.margin}(\S)", r"\1")
    lines = sample.filter(pc.invert(pc.match_substring_regex(sample, _INDENTED_OR_JSON)))
    if len(lines) == 0:
        return layout
    simple = pc.sum(pc.match_substring_regex(lines, SIMPLE_CONSOLE)).as_py() or 0
    layout.simple_console = simple >= max(1, len(lines) // 50)
    chosen = _choose(lines, known)
    learnt = _learnt(lines, known, chosen)
    layout.alternatives += with_tails(_thinned(lines), learnt + chosen, known)
    return layout


def _margin(sample: pa.Array) -> str:
    """Blanks before a time or a level, as an expression, where entries begin with them and none has another beginning."""
    found = pc.extract_regex(sample, rf"^(?P<margin>[ \t]+){TIME}[ |]+{LEVEL}\b")
    margins = found.filter(found.is_valid()).field("margin")
    aligned = pc.sum(pc.match_substring_regex(sample, _ALIGNED)).as_py() or 0
    if aligned >= max(3, len(sample) // 5) and not pc.any(pc.match_substring_regex(sample, ANY_PREFIX)).as_py():
        return " {0,3}"
    if len(margins) < max(3, len(sample) // 20) or pc.any(pc.match_substring_regex(sample, ANY_PREFIX)).as_py():
        return ""
    widths = pc.value_counts(margins).to_pylist()
    return str(widths[0]["values"]) if len(widths) == 1 else ""


def _thinned(lines: pa.Array) -> pa.Array:
    """Not more lines than are tried, from all over the sample."""
    step = max(1, len(lines) // _TRIED)
    return lines.take(pa.array(np.arange(0, len(lines), step)))


def _choose(lines: pa.Array, known: KnownMessages) -> list[Alternative]:
    """Patterns that together fit the sample, the best first."""
    left = lines
    chosen: list[Alternative] = []
    for _ in range(5):
        best = _best(left, known)
        if best is None:
            break
        chosen.append(best[0])
        left = left.filter(pa.array(~best[1]))
        if len(left) == 0:
            break
    return chosen


def _best(lines: pa.Array, known: KnownMessages) -> tuple[Alternative, np.ndarray] | None:
    """The pattern of the highest score, the first of equals, and which lines it fits.

    A line counts once for being fitted and twice for a message that some document has. Patterns are asked by the
    highest score that they could reach; once one has it, the documents need not be asked about the rest.
    """
    fitting = []
    for rank, pattern in enumerate(PATTERNS):
        fits = np.asarray(pc.match_substring_regex(lines, pattern.expression))
        count = int(fits.sum())
        if count:
            fitting.append((count * (1 - rank * 0.002), -rank, count, fits))
    best: tuple[float, int, np.ndarray] | None = None
    for fitted, rank, count, fits in sorted(fitting, key=lambda one: (one[0] + 2 * one[2], one[1]), reverse=True):
        if best is not None and (fitted + 2 * count, rank) < best[:2]:
            break
        equal = _equal(lines.filter(pa.array(fits)), PATTERNS[-rank].expression, known)
        if best is None or (fitted + equal * 2, rank) > best[:2]:
            best = (fitted + equal * 2, rank, fits)
    if best is None:
        return None
    pattern = PATTERNS[-best[1]]
    return Alternative(pattern.name, pattern.expression), best[2]


def _equal(lines: pa.Array, expression: str, known: KnownMessages) -> int:
    """How many of the lines' messages some document has, scaled to all of them."""
    if not known:
        return 0
    tried = lines.slice(0, _TRIED)
    messages = extract(tried, expression).field("message")
    forms = normal_forms(messages).to_pylist()
    heads = normal_forms(cut_heads(messages)).to_pylist()
    hits = sum(f in known.levels or h in known.levels for f, h in zip(forms, heads, strict=True))
    return round(hits * len(lines) / max(1, len(tried)))


def _learnt(lines: pa.Array, known: KnownMessages, chosen: list[Alternative]) -> list[Alternative]:
    """Learnt prefixes, where they make more entries equal to documents than the chosen patterns do."""
    if not known:
        return []
    tried = _thinned(lines)
    explained = np.zeros(len(tried), dtype=bool)
    for alternative in chosen:
        extracted = extract(tried, alternative.expression)
        valid = np.asarray(extracted.is_valid()) & ~explained
        messages = extracted.field("message") if len(extracted) else extracted
        forms, heads = normal_forms(messages).to_pylist(), normal_forms(cut_heads(messages)).to_pylist()
        explained |= valid & np.array(
            [f in known.levels or h in known.levels for f, h in zip(forms, heads, strict=True)], dtype=bool
        )
    open_lines = tried.filter(pa.array(~explained)).to_pylist()
    splits = [split for split in (split_line(line, known) for line in open_lines) if split is not None]
    if len(splits) < max(3, 0.1 * len(open_lines)) or len(splits) < 0.02 * len(tried):
        return []
    return learn(_plausible(splits))


def _plausible(splits: list[Split]) -> list[Split]:
    """Splits at a message's beginning; those whose prefix is a whole sentence are chance."""
    return [s for s in splits if len(s.message) >= 4]
